"""The one rule of consent, case by case, and that adding a no never grants more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rights.test_recheck import add_asset

from fairframe.core.errors import Conflict, InputError
from fairframe.core.time import DAY_MS
from fairframe.library import collections, contributors
from fairframe.library.tables import ownership
from fairframe.platform.tables import audit_entry, disclosure
from fairframe.platform.workspace import Workspace
from fairframe.rights import consent
from fairframe.rights.consent import Event, ToldTerms, resolve
from fairframe.rights.tables import consent_event

NOW = 1_000 * DAY_MS
SCOPES = {"contributor": 0, "collection": 7, "asset": 9}


def word(text: str, day: int = 0, id: int = 1, recorded: int | None = None) -> Event:
    """ "asset allow research train" said on a day."""
    scope, effect, purpose, action = text.split()
    valid = NOW - 500 * DAY_MS + day * DAY_MS
    return Event(scope, SCOPES[scope], purpose, action, effect, valid, valid if recorded is None else recorded, id)


def said(*words: str) -> bool:
    """Whether words, each a day after the one before, permit training for research now."""
    events = [word(text, day, day + 1) for day, text in enumerate(words)]
    return resolve(events, [], "research", "train", NOW).permits


@pytest.mark.parametrize(
    ("words", "permitted"),
    [
        ([], False),
        (["contributor allow research *"], True),
        (["contributor allow commercial *"], False),
        (["contributor allow research release_weights"], False),
        (["contributor allow * *"], True),
        # the nearer level decides
        (["contributor allow research *", "asset deny research *"], False),
        (["contributor deny research *", "asset allow research *"], True),
        (["contributor deny research *", "collection allow research *"], True),
        (["collection allow research *", "asset deny * *"], False),
        (["asset allow research *", "collection deny research *"], True),
        (["asset deny commercial *", "contributor allow research *"], True),
        # later beats earlier
        (["contributor allow research *", "contributor deny research *"], False),
        (["contributor deny research *", "contributor allow research *"], True),
        # the specific beats the general, and in doubt the no stands
        (["contributor deny research train", "contributor allow research *"], False),
        (["contributor deny research *", "contributor allow research train"], True),
        (["contributor allow research train", "contributor deny research *"], False),
        (["contributor deny research *", "contributor allow * train"], False),
        (["contributor deny * train", "contributor allow research *"], False),
        (["asset deny * *", "asset allow research *"], True),
        # an overall no is absolute
        (["contributor deny * *", "contributor allow research *"], False),
        (["contributor deny * *", "asset allow research train"], False),
        (["asset allow research train", "contributor deny * *"], False),
        (["contributor deny * *", "contributor allow * *"], True),
        (["contributor deny research *", "contributor deny * *", "contributor allow * *"], False),
    ],
)
def test_the_rule(words: list[str], permitted: bool) -> None:
    assert said(*words) is permitted


def test_one_of_several_collections_can_say_no() -> None:
    yes = Event("collection", 7, "research", "*", "allow", 5, 5, 2)
    no = Event("collection", 8, "research", "*", "deny", 1, 1, 1)
    assert resolve([yes, no], [], "research", "train", NOW).code == "consent_denied"


def test_a_word_counts_from_its_day_and_once_it_is_known() -> None:
    yes = word("contributor allow research *", 0)
    backdated = word("contributor deny research *", 10, 2, recorded=NOW)
    ask = [yes, backdated], [], "research", "train"
    assert resolve(*ask, NOW).code == "consent_denied"
    assert resolve(*ask, backdated.valid_from_ms - 1).code == "consented"
    assert resolve(*ask, NOW, known_at_ms=NOW - 1).code == "consented"


def told(regime: str = "opt-out", noticed: int = 0, effective: int = 30, valid: int = 0, days: int = 30) -> ToldTerms:
    start = NOW - 100 * DAY_MS
    at = [start + day * DAY_MS for day in (effective, noticed, valid)]
    return ToldTerms("terms version 1", regime, ("research",), days, at[0], at[1], at[2], start, 1)


@pytest.mark.parametrize(
    ("terms", "purpose", "code"),
    [
        (told(), "research", "silence_consents"),
        (told(), "commercial", "no_consent"),
        (told("opt-in"), "research", "no_consent"),
        (told(noticed=1), "research", "no_consent"),
        (told(effective=101), "research", "no_consent"),
        (told(noticed=40, valid=69), "research", "no_consent"),
        (told(noticed=40, valid=70), "research", "silence_consents"),
    ],
)
def test_silence_consents_only_under_opt_out_with_notice_in_time(terms: ToldTerms, purpose: str, code: str) -> None:
    assert resolve([], [terms], purpose, "train", NOW).code == code


def test_later_terms_govern_even_where_notice_came_too_late() -> None:
    first, second = told(), ToldTerms("v2", "opt-out", ("research",), 30, NOW - DAY_MS, NOW - 2 * DAY_MS, 0, 0, 2)
    assert resolve([], [first, second], "research", "train", NOW).code == "no_consent"


moments = st.integers(0, 6)
events = st.builds(
    Event,
    scope=st.sampled_from(list(SCOPES)),
    subject=st.sampled_from([7, 8]),
    purpose=st.sampled_from(["research", "commercial", "*"]),
    action=st.sampled_from(["train", "deliver", "*"]),
    effect=st.sampled_from(["allow", "deny"]),
    valid_from_ms=moments,
    recorded_at_ms=moments,
    id=st.integers(1, 99),
).map(lambda e: Event("contributor", 0, *list(vars(e).values())[2:]) if e.scope == "contributor" else e)


@settings(max_examples=400)
@given(
    said=st.lists(events, max_size=8, unique_by=lambda e: e.id),
    no=events,
    opt_out=st.booleans(),
    at=moments,
    known=moments,
)
def test_adding_a_no_never_grants_more(said: list[Event], no: Event, opt_out: bool, at: int, known: int) -> None:
    no = Event(no.scope, no.subject, no.purpose, no.action, "deny", no.valid_from_ms, no.recorded_at_ms, 100)
    terms = [ToldTerms("", "opt-out", ("research",), 0, 0, 0, 0, 0, 1)] if opt_out else []
    before = resolve(said, terms, "research", "train", at, known)
    after = resolve([*said, no], terms, "research", "train", at, known)
    assert before.permits or not after.permits


@given(said=st.lists(events, max_size=8, unique_by=lambda e: e.id), order=st.randoms())
def test_the_order_of_reading_does_not_matter(said: list[Event], order: object) -> None:
    shuffled = list(said)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolve(said, [], "research", "train", 6) == resolve(shuffled, [], "research", "train", 6)


def test_an_opt_out_is_one_row_and_one_leaf(library: Workspace) -> None:
    with library.write() as tx:
        person = contributors.ensure(tx, "Ada Quist")
        consent.set(tx, contributor=person, effect="allow", purpose="research")
    with library.write() as tx:
        assert not consent.opted_out(tx, person["id"])
        consent.opt_out(tx, person, "I leave")
    with library.read() as tx:
        assert consent.opted_out(tx, person["id"])
        rows = tx.rows(consent_event.select().order_by(consent_event.c.id))
        assert [(r["scope"], r["purpose"], r["action"], r["effect"]) for r in rows[1:]] == [
            ("contributor", "*", "*", "deny")
        ]
        leaf = tx.rows(audit_entry.select().where(audit_entry.c.kind == "consent.deny"))
        assert len(leaf) == 1 and leaf[0]["subject"] == person["public_id"]
        assert "I leave" not in leaf[0]["body"], "a reason is free text, so it may only be committed to"
        assert "I leave" in [row["value"] for row in tx.rows(disclosure.select())]


def test_a_narrow_yes_after_an_opt_out_is_refused_and_an_overall_one_ends_it(library: Workspace) -> None:
    with library.write() as tx:
        person = contributors.ensure(tx, "Ada Quist")
        consent.opt_out(tx, person)
        with pytest.raises(Conflict):
            consent.set(tx, contributor=person, effect="allow", purpose="research")
        consent.set(tx, contributor=person, effect="deny", purpose="commercial")
        consent.set(tx, contributor=person, effect="allow", purpose="*")
        assert not consent.opted_out(tx, person["id"])
        assert len(consent.listing(tx, person["id"])) == 3


@pytest.mark.parametrize("bad", [{"effect": "maybe"}, {"purpose": "fun"}, {"action": "fly"}, {"reason": "\x00"}])
def test_bad_words_are_refused(library: Workspace, bad: dict[str, str]) -> None:
    with library.write() as tx, pytest.raises(InputError):
        person = contributors.ensure(tx, "Ada Quist")
        consent.set(tx, contributor=person, **{"effect": "allow", "purpose": "research", **bad})


def test_a_foreign_collection_is_refused(library: Workspace) -> None:
    with library.write() as tx, pytest.raises(InputError):
        person, other = contributors.ensure(tx, "Ada Quist"), contributors.ensure(tx, "Bo Lindahl")
        theirs = collections.ensure(tx, other, "Harbor")
        consent.set(tx, contributor=person, effect="allow", purpose="research", collection=theirs)


def test_a_foreign_asset_is_refused(library: Workspace) -> None:
    with library.write() as tx:
        person, other = contributors.ensure(tx, "Ada Quist"), contributors.ensure(tx, "Bo Lindahl")
        theirs = add_asset(tx, other, "boat.mp4")
        for effect in ("allow", "deny"):
            with pytest.raises(InputError) as caught:
                consent.set(tx, contributor=person, effect=effect, purpose="research", asset=theirs)
            assert caught.value.code == "input.foreign_asset"
        assert not tx.rows(consent_event.select())
        half = {"share_num": 1, "share_den": 2, "valid_from_ms": tx.now_ms}
        for owner in (person, other):
            tx.insert(ownership, asset_id=theirs["id"], contributor_id=owner["id"], **half)
        assert consent.set(tx, contributor=person, effect="deny", purpose="research", asset=theirs)


def test_a_yes_that_was_said_before_never_lifts_a_no_that_is_dated_back() -> None:
    """Who says no today, as of an earlier day than their yes, has said no today."""
    yes = word("contributor allow * *", 20)
    for text, code in (("contributor deny * *", "opted_out"), ("contributor deny research *", "consent_denied")):
        backdated = word(text, 10, 2, recorded=NOW - 1)
        assert resolve([yes, backdated], [], "research", "train", NOW).code == code
        assert resolve([yes, backdated], [], "research", "train", NOW, known_at_ms=NOW - 2).permits
        again = word("contributor allow * *", 20, 3, recorded=NOW)
        assert resolve([yes, backdated, again], [], "research", "train", NOW).permits is (code == "opted_out")
        narrow = word("contributor allow research *", 20, 4, recorded=NOW)
        permits = resolve([yes, backdated, narrow], [], "research", "train", NOW).permits
        assert permits is (code == "consent_denied")
        at_once = word(text, 10, 2, recorded=yes.recorded_at_ms)
        assert resolve([yes, at_once], [], "research", "train", NOW).code == code, "said second in one millisecond"


@settings(max_examples=300)
@given(said=st.lists(events, max_size=8, unique_by=lambda e: e.id), at=moments, known=moments)
def test_an_overall_no_is_absolute(said: list[Event], at: int, known: int) -> None:
    """While it stands nothing permits, whatever else is said; only an overall yes that was said after it ends it."""
    no = Event("contributor", 0, "*", "*", "deny", 0, 0, 0)
    counts = [e for e in said if e.valid_from_ms <= at and e.recorded_at_ms <= known]
    ending = [e for e in counts if e.overall and e.effect == "allow"]
    silent = [ToldTerms("", "opt-out", ("research",), 0, 0, 0, 0, 0, 1)]
    answer = resolve([no, *said], silent, "research", "train", at, known)
    if not ending:
        assert answer.code == "opted_out"
    assert not answer.permits or ending
