import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.core.ids import PREFIXES, check_id, encode_id, new_id
from fairframe.core.time import DAY_MS, from_rfc3339, now_ms, to_rfc3339


@given(st.sampled_from(sorted(PREFIXES)), st.binary(min_size=16, max_size=16))
def test_ids_are_well_formed_and_sort_as_their_bytes(prefix: str, raw: bytes) -> None:
    text = encode_id(prefix, raw)
    assert check_id(text, prefix) == check_id(text) == text
    assert len(text) == 30
    assert (text < encode_id(prefix, b"\x80" + bytes(15))) == (raw < b"\x80" + bytes(15))


def test_ids_are_fresh_and_span_128_bits() -> None:
    assert len({new_id("ast") for _ in range(100)}) == 100
    assert encode_id("ast", b"\xff" * 16) == "ast_7" + "z" * 25
    with pytest.raises(ValueError, match="unknown"):
        new_id("foo")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ast_",
        "ast_" + "0" * 25,
        "ast_" + "0" * 27,
        "ast_" + "8" + "0" * 25,  # 129 bits
        "ast_" + "O" * 26,
        "ast_" + "0" * 25 + "u",  # no u, i, l, o in Crockford's alphabet
        "AST_" + "0" * 26,
        "itm_" + "0" * 26,
        "ast_" + "0" * 25 + "\n",
        "ast_" + "٠" * 26,
        None,
        7,
    ],
)
def test_no_id(text: object) -> None:
    with pytest.raises(InputError) as caught:
        check_id(text, "ast")
    assert caught.value.code == "input.bad_id"


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_time_reads_what_it_writes(ms: int) -> None:
    text = to_rfc3339(ms)
    assert from_rfc3339(text) == ms
    assert len(text) == 24


def test_time_by_hand() -> None:
    assert to_rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert from_rfc3339("2026-11-23T02:25:05.123Z") == 1_795_400_705_123
    assert from_rfc3339("2026-11-23T03:25:05.1+01:00") == from_rfc3339("2026-11-23T02:25:05.100Z")
    assert from_rfc3339("2024-02-29T00:00:00Z") - from_rfc3339("2024-02-28T00:00:00Z") == DAY_MS
    assert abs(now_ms() - time.time() * 1000) < 60_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T02:25:05",
        "2026-11-23 02:25:05Z",
        "2026-11-23t02:25:05z",
        "2026-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:59:60Z",
        "2026-11-23T02:25:05.1234Z",
        "2026-11-23T02:25:05+25:00",
        "0001-01-01T00:00:00+01:00",
        "٢٠٢٦-11-23T02:25:05Z",
    ],
)
def test_no_time(text: str) -> None:
    with pytest.raises(InputError) as caught:
        from_rfc3339(text)
    assert caught.value.code == "input.bad_time"


def test_a_time_out_of_range_is_not_written() -> None:
    with pytest.raises(InputError):
        to_rfc3339(10**18)
