"""Offers are explicit, explained and strict."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import BadDocument, InputError, NotFound
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.platform.workspace import Workspace
from fairframe.rights import offers
from fairframe.rights.offers import SHIPPED, Terms

RESEARCH = (SHIPPED / "research.toml").read_text()


def test_what_ships() -> None:
    assert offers.names() == ["commercial", "research"]
    research, commercial = offers.load("research"), offers.load("commercial")
    assert research.terms.min_short_side == 256 and not research.terms.commercial_output
    assert (research.terms.lease_ms, research.terms.feed_age_ms) == (30 * DAY_MS, 7 * DAY_MS)
    assert research.terms.contributors_share() == Share(1, 5) == commercial.terms.contributors_share()
    assert commercial.terms.purpose == "commercial" and commercial.terms.commercial_output
    assert commercial.terms.upgrade_effect == "grant_if_all_consent"
    assert str(research.fee) == "10000.00 USD"


@pytest.mark.parametrize("name", ["research", "commercial"])
def test_every_term_is_stated_and_explained(name: str) -> None:
    text = (SHIPPED / f"{name}.toml").read_text()
    assert set(tomllib.loads(text)["terms"]) == set(Terms.model_fields)
    for term in Terms.model_fields:
        assert re.search(rf"^#[^\n]*\n{term} = ", text, re.MULTILINE), f"{term} has no comment"


def test_terms_survive_a_document() -> None:
    terms = offers.load("research").terms
    assert Terms.from_json(terms.to_json()) == terms


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('purpose = "research"', 'purpose = "fun"', "terms.purpose"),
        ("term_days = 365", "term_days = 0", "terms.term_days"),
        ("term_days = 365", "", "terms.term_days"),
        ("term_days = 365", "term_days = 365.0", "terms.term_days"),
        ("term_days = 365", 'term_days = "365"', "terms.term_days"),
        ("term_days = 365", "term_days = 30", "retention_days"),
        ('share = "1/5"', 'share = "0.2"', "terms.share"),
        ('share = "1/5"', 'share = "6/5"', "terms.share"),
        ('territory = "world"', 'territory = "XX"', "terms.territory"),
        ("weights_release = false", "weights_release = true", "release_weights"),
        ("commercial_output = false", "commercial_output = true", "commercial_output"),
        ('actions = ["inspect", "deliver", "train", "fine_tune"]', "actions = []", "terms.actions"),
        ('actions = ["inspect", "deliver", "train", "fine_tune"]', 'actions = ["train", "train"]', "terms.actions"),
        ('list_fee = "10000.00"', 'list_fee = "10000.001"', "amount"),
        ("version = 1", "version = 1\nsurprise = 1", "surprise"),
        ("[terms]", "[terms]\nsurprise = 1", "terms.surprise"),
        ("[terms]", "[[terms", "TOML"),
        ("version = 1", "version = " + "9" * 5000, "TOML"),
        ("version = 1", "version = " + "9" * 30, "version"),
        ('title = "Research license"', r'title = "two\nlines"', "title"),
    ],
)
def test_a_bad_offer_is_one_clear_line(old: str, new: str, named: str) -> None:
    assert old in RESEARCH
    with pytest.raises(InputError) as caught:
        offers.parse(RESEARCH.replace(old, new).encode(), "mine.toml")
    assert caught.value.code == "input.bad_offer"
    assert named in str(caught.value) and "mine.toml" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("junk", [b"\xff", b"a" * 100_000, b"", b"a = " + b"[" * 50_000])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(InputError):
        offers.parse(junk, "junk")


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=3) | st.none(), max_size=4))
def test_terms_in_a_document_are_read_strictly(value: dict[str, object]) -> None:
    with pytest.raises(BadDocument):
        Terms.from_json(value)


def test_a_workspace_can_have_offers_of_its_own(library: Workspace) -> None:
    folder = library.root / "offers"
    folder.mkdir()
    (folder / "small.toml").write_text(RESEARCH.replace('name = "research"', 'name = "small"').replace("256", "128"))
    (folder / "wrong.toml").write_text(RESEARCH)
    assert offers.names(library) == ["commercial", "research", "small", "wrong"]
    assert offers.load("small", library).terms.min_short_side == 128
    with pytest.raises(InputError):
        offers.load("wrong", library)
    for name in ("small", "../small", "", "SMALL", "x" * 99):
        with pytest.raises(NotFound):
            offers.load(name)
