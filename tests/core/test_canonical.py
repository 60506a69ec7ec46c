import json

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from fairframe.core.canonical import MAX_INT, canonical, digest, parse, sha256_hex
from fairframe.core.errors import BadDocument

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_sorts_as_in_rfc_8785_section_3_2_3() -> None:
    document = (
        '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",'
        '"1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",'
        '"\\u00f6":"Latin Small Letter O With Diaeresis"}'
    )
    names = list(json.loads(canonical(parse(document))).values())
    assert names == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_writes_strings_and_literals_as_in_rfc_8785_section_3_2_2() -> None:
    # the example of 3.2.2 without its numbers, which are floats
    document = b'{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    assert canonical(parse(document)) == (
        '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


@given(_VALUES)
@example({"\U00010000": 1, "\uffff": 2, "\ue000": 3})
@example('\x7f\x00\x1f\b\t\n\f\r\u2028\u2029/\\"')
def test_agrees_with_an_independent_implementation(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(_VALUES)
def test_parsing_its_own_output_gives_the_value_back(value: object) -> None:
    assert parse(canonical(value)) == value
    assert digest(value) == sha256_hex(canonical(value))


def test_unicode_is_not_normalized() -> None:
    assert canonical("é") != canonical("e\u0301")


def test_integers_are_never_mistaken_for_booleans() -> None:
    assert canonical([True, 1, False, 0]) == b"[true,1,false,0]"


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), {"a": 0.5}, MAX_INT + 1, -MAX_INT - 1, "\ud800", {"\udc00": 1}, {1: 2}, b"x", {1}],
)
def test_refuses_values_without_one_spelling(value: object) -> None:
    with pytest.raises(BadDocument) as caught:
        canonical(value)
    assert caught.value.code == "document.not_canonical"


def test_refuses_to_write_what_it_would_not_read() -> None:
    deep: object = 1
    for _ in range(64):
        deep = [deep]
    assert parse(canonical(deep)) == deep
    with pytest.raises(BadDocument):
        canonical([deep])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a":1,"a":1}', "document.duplicate_key"),
        (b'{"a":{"b":1,"\\u0062":2}}', "document.duplicate_key"),
        (b"1.0", "document.bad_number"),
        (b"1e3", "document.bad_number"),
        (b"[NaN]", "document.bad_number"),
        (b"[-Infinity]", "document.bad_number"),
        (b"9007199254740992", "document.bad_number"),
        (b"-9007199254740992", "document.bad_number"),
        (b"9" * 100_000, "document.bad_number"),
        (b"\xef\xbb\xbf{}", "document.bad_json"),
        (b"\xff", "document.bad_utf8"),
        (b'"\xed\xa0\x80"', "document.bad_utf8"),
        ("\ud800", "document.bad_utf8"),
        (b'"\\ud800"', "document.not_canonical"),
        (b'{"\\udc00\\ud800":1}', "document.not_canonical"),
        (b"[" * 65 + b"]" * 65, "document.too_deep"),
        (b"[" + b"[]," * 1_000_000 + b"{}]", "document.too_many"),
        (b"[" * 1_000_000, "document.too_deep"),
        (b'{"a":' * 500_000, "document.too_deep"),
        (b"", "document.bad_json"),
        (b"{} {}", "document.bad_json"),
        (b"{'a':1}", "document.bad_json"),
        (b'"\n"', "document.bad_json"),
        (b"01", "document.bad_json"),
        (b"[1,]", "document.bad_json"),
        (b" " * 17_000_000, "document.too_large"),
        ("é" * 9_000_000, "document.too_large"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refuses_hostile_input(data: bytes | str, code: str) -> None:
    with pytest.raises(BadDocument) as caught:
        parse(data)
    assert caught.value.code == code


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    assert parse(canonical(["[" * 500, '\\"[{' * 500])) == ["[" * 500, '\\"[{' * 500]


def test_many_unfinished_strings_cost_linear_time() -> None:
    with pytest.raises(BadDocument):
        parse(b'["' + b'\\"' * 1_000_000)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_give_a_value_or_a_clear_refusal(data: bytes | str) -> None:
    try:
        value = parse(data)
    except BadDocument:
        return
    assert parse(canonical(value)) == value
