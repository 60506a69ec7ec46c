import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.plain import is_plain
from fairframe.curation.captions import MAX_CHARACTERS, caption


@pytest.mark.parametrize(
    ("title", "description", "keywords", "want"),
    [
        ("Man talking", "a man talks to the camera", ["man"], "a man talks to the camera"),
        ("Man talking", "  ", ["man", "studio", "Studio light", "studio"], "Man talking, studio, Studio light"),
        ("", "", ["sea", "sea"], "sea"),
        ("", "", [], ""),
        ("x", "A dog.\nIt\truns.  ", [], "A dog. It runs"),
        ("x", "\u0645\u06cc\u200c\u0631\u0648\u0645", [], "\u0645\u06cc\u200c\u0631\u0648\u0645"),
        ("x", "see <b>this</b> https://example.com/a?b=c now", [], "see this now"),
    ],
)
def test_captions(title: str, description: str, keywords: list[str], want: str) -> None:
    assert caption(title, description, keywords) == want


def test_a_long_text_is_cut_between_words() -> None:
    found = caption("", "word " * 100, [])
    assert len(found) <= MAX_CHARACTERS
    assert set(found.split()) == {"word"}


@given(st.text(max_size=400), st.text(max_size=400), st.lists(st.text(max_size=30), max_size=5))
def test_a_caption_is_one_short_printable_line(title: str, description: str, keywords: list[str]) -> None:
    found = caption(title, description, keywords)
    assert len(found) <= MAX_CHARACTERS
    assert is_plain(found)
    assert found == found.strip()
