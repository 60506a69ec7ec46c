"""Offers are explicit, explained and strict."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fairframe.core.errors import BadDocument, InputError, NotFound
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.platform.workspace import Workspace
from fairframe.rights import offers
from fairframe.rights.offers import PER_AGREEMENT, SHIPPED, Terms, Title

RESEARCH = (SHIPPED / "research.toml").read_text()


def test_what_ships() -> None:
    assert offers.names() == ["commercial", "research", "studio-private"]
    research, commercial = offers.load("research"), offers.load("commercial")
    assert research.terms.min_short_side == 256 and not research.terms.commercial_output
    assert (research.terms.lease_ms, research.terms.feed_age_ms) == (30 * DAY_MS, 7 * DAY_MS)
    assert research.terms.contributors_share() == Share(1, 5) == commercial.terms.contributors_share()
    assert commercial.terms.purpose == "commercial" and commercial.terms.commercial_output
    assert commercial.terms.upgrade_effect == "grant_if_all_consent"
    assert str(research.fee) == "10000.00 USD"


@pytest.mark.parametrize("name", ["research", "commercial", "studio-private"])
def test_every_term_is_stated_and_explained(name: str) -> None:
    """What an offer leaves open (a bound that it does not set) stands there as a comment."""
    text = (SHIPPED / f"{name}.toml").read_text()
    terms = set(Terms.model_fields) - set(PER_AGREEMENT)
    for term in terms:
        assert re.search(rf"^#[^\n]*\n(# )?{term} = ", text, re.MULTILINE), f"{term} has no comment"
    assert terms - set(tomllib.loads(text)["terms"]) <= {"max_short_side", "clip_cap"}


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
    assert offers.names(library) == ["commercial", "research", "small", "studio-private", "wrong"]
    assert offers.load("small", library).terms.min_short_side == 128
    with pytest.raises(InputError):
        offers.load("wrong", library)
    for name in ("small", "../small", "", "SMALL", "x" * 99):
        with pytest.raises(NotFound):
            offers.load(name)


def test_the_published_schema_is_the_models() -> None:
    assert (SHIPPED / "offer.schema.json").read_text() == offers.schema_text()


VALIDATOR = Draft202012Validator(offers.schema())


def test_the_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(offers.schema())
    assert not set(PER_AGREEMENT) & set(offers.schema()["$defs"]["Terms"]["properties"])
    assert all("description" in field for field in offers.schema()["$defs"]["Terms"]["properties"].values())


@pytest.mark.parametrize("name", ["research", "commercial", "studio-private"])
def test_the_schema_admits_what_ships(name: str) -> None:
    VALIDATOR.validate(tomllib.loads((SHIPPED / f"{name}.toml").read_text()))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('purpose = "research"', 'purpose = "fun"', "terms.purpose"),
        ("term_days = 365", "term_days = 0", "terms.term_days"),
        ("term_days = 365", "", "terms"),
        ("term_days = 365", "term_days = 365.5", "terms.term_days"),
        ("term_days = 365", 'term_days = "365"', "terms.term_days"),
        ('actions = ["inspect", "deliver", "train", "fine_tune"]', "actions = []", "terms.actions"),
        ('actions = ["inspect", "deliver", "train", "fine_tune"]', 'actions = ["paint"]', "terms.actions.0"),
        ("version = 1", "version = 1\nsurprise = 1", ""),
        ("[terms]", "[terms]\nsurprise = 1", "terms"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(old: str, new: str, where: str) -> None:
    assert old in RESEARCH
    text = RESEARCH.replace(old, new)
    with pytest.raises(InputError):
        offers.parse(text.encode(), "mine.toml")
    found = [
        ".".join(str(part) for part in error.absolute_path) for error in VALIDATOR.iter_errors(tomllib.loads(text))
    ]
    assert where in found


@pytest.mark.parametrize("part", ["collections = []", 'price = { per = "clip", rate_minor = 1, quantity = 1 }'])
def test_no_offer_states_what_an_agreement_fills_in(part: str) -> None:
    """An empty list says nothing, so it may stand."""
    text = RESEARCH.replace("[terms]", f"[terms]\n{part}").encode()
    if part.startswith("price"):
        with pytest.raises(InputError):
            offers.parse(text, "mine.toml")
    else:
        assert offers.parse(text, "mine.toml") == offers.load("research")


def test_small_licensees_pay_little() -> None:
    research, studio = offers.load("research"), offers.load("studio-private")
    assert research.price().fee_minor == 1_000_000 and research.price("mid-size").fee_minor == 333_333
    assert research.price("start-up").fee_minor == 50_000
    assert studio.price(None, 40).fee_minor == 40 * 15_000 and studio.price("start-up", 40).fee_minor == 40 * 1_500
    for size, quantity, code in (
        ("huge", None, "input.bad_size"),
        (None, 3, "input.bad_quantity"),
    ):
        with pytest.raises(InputError) as caught:
            research.price(size, quantity)
        assert caught.value.code == code
    for quantity in (None, 0, -1, 10**12):
        with pytest.raises(InputError):
            studio.price(None, quantity)


def test_what_is_paid_for_is_the_cap() -> None:
    studio = offers.load("studio-private")
    titles = [Title(id="col_" + "0" * 26, title="The Harbor (2019)")]
    terms = studio.terms_for(studio.price("start-up", 40), titles)
    assert (terms.hour_cap, terms.caps, terms.collections) == (40, "agreement", tuple(titles))
    assert Terms.from_json(terms.to_json()) == terms
    with pytest.raises(InputError, match="10000"):
        studio.terms_for(studio.price(None, 10_001), titles)
    with pytest.raises(InputError) as caught:
        studio.terms_for(studio.price(None, 1), [])
    assert caught.value.code == "input.bad_collections"
    with pytest.raises(InputError):
        studio.terms_for(studio.price(None, 1), [titles[0], titles[0]])
    with pytest.raises(InputError):
        offers.load("research").terms_for(None, titles)


def test_terms_that_were_signed_before_these_fields_mean_the_defaults() -> None:
    """The terms of the first signed agreements, field for field."""
    first = {
        "purpose": "research",
        "actions": ["deliver", "fine_tune", "inspect", "train"],
        "kinds": ["video"],
        "model_scope": "licensee",
        "weights_release": False,
        "commercial_output": False,
        "term_days": 365,
        "territory": "world",
        "min_short_side": 256,
        "hour_cap": 100,
        "retention_days": 365,
        "deletion_days": 30,
        "opt_out_remedy": "stop_at_next_epoch",
        "lease_days": 30,
        "feed_age_days": 7,
        "open_days": 30,
        "share": "1/5",
        "split_basis": "delivered_ms",
        "upgrade_effect": "grant_if_all_consent",
    }
    read = Terms.from_json(first)
    assert read == offers.load("research").terms, "the same version of the offer still says the same"
    assert (read.scope, read.exclusive, read.affiliates, read.caps, read.price) == (
        "library", "none", "none", "release", None,
    )  # fmt: skip
    assert (read.base, read.recognized, read.licensee_named) == ("net_receipts", "received", True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"max_short_side": 255}, "max_short_side"),
        ({"model_scope": "tenant", "weights_release": True, "actions": ["train", "release_weights"]}, "tenant"),
        ({"collections": [{"id": "col_" + "0" * 26, "title": "x"}]}, "scope"),
        ({"scope": "collections", "collections": [{"id": "col_1", "title": "x"}]}, "collections"),
        ({"exclusive": "maybe"}, "exclusive"),
        ({"clip_cap": 0}, "clip_cap"),
        ({"base": "profit"}, "base"),
        ({"recognized": "someday"}, "recognized"),
        ({"licensee_named": "no"}, "licensee_named"),
        ({"price": {"per": "agreement", "rate_minor": 1, "quantity": 2}}, "price"),
        ({"price": {"per": "clip", "rate_minor": -1, "quantity": 2}}, "price"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(BadDocument, match=named):
        Terms.from_json(offers.load("research").terms.to_json() | changes)
