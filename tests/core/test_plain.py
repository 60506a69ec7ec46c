"""What is shown on a terminal cannot move its cursor, color it, hide text or turn its direction."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.plain import is_plain, plain, plain_json


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_plain_text_is_printable_and_as_long(text: str) -> None:
    shown = plain(text)
    assert is_plain(shown) and len(shown) == len(text)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert not is_plain(text) or shown == text


@pytest.mark.parametrize("word", ["\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0915\u094d\u200d\u0937"])
def test_joiners_stay_in_the_words_that_need_them(word: str) -> None:
    assert plain(word) == word


def test_escapes_line_ends_and_turned_writing_are_replaced() -> None:
    assert plain("a\x1b[2J\n\x9b\u202eb") == "a\N{REPLACEMENT CHARACTER}[2J" + "\N{REPLACEMENT CHARACTER}" * 3 + "b"


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.integers()), st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_plain_json_says_the_same(value: dict[str, str | int], encoding: str) -> None:
    shown = plain_json(json.dumps(value, ensure_ascii=False, indent=2), encoding)
    assert json.loads(shown) == value
    assert all(line.isprintable() for line in shown.split("\n"))
    shown.encode(encoding)
