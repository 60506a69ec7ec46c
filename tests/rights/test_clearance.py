"""The table of clearance, line by line; that it is total; and that adding a restriction never grants more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.time import DAY_MS
from fairframe.rights import clearance, offers
from fairframe.rights.clearance import CODES, SEVERITY, clear
from fairframe.rights.consent import Event
from fairframe.rights.facts import AssetView, HoldView, OwnerView, RulingView, SignalView
from fairframe.rights.offers import Terms
from fairframe.rights.papers import ReleaseView

RESEARCH = offers.load("research").terms
YES = Event("contributor", 0, "research", "*", "allow", 1, 1, 1)
GOOD = AssetView(
    kind="video",
    width=1920,
    height=1080,
    owners=(OwnerView("ctr_a", (YES,)),),
    people="no",
    property_release="not needed",
    editorial="no",
)
C2PA = SignalView("c2pa", "cawg.ai_training", "notAllowed", "trusted")


def owner(*events: Event) -> dict[str, Any]:
    return {"owners": (OwnerView("ctr_a", tuple(replace(e, id=n) for n, e in enumerate(events))),)}


def signal(kind: str, value: str, trust: str) -> dict[str, Any]:
    return {"signals": (SignalView(kind, "cawg.ai_training", value, trust),)}


COVERS = ReleaseView("drl_a", "model", True, place=(1, 1, 1))
UNSIGNED = replace(COVERS, minor=True, place=(2, 2, 2))
SIGNED = replace(COVERS, minor=True, guardian=True, place=(3, 3, 3))
END = 10 + RESEARCH.term_days * DAY_MS


def model(*papers: ReleaseView) -> dict[str, Any]:
    return {"people": "yes", "releases": papers}


def released(*papers: ReleaseView) -> dict[str, Any]:
    return {"property_release": "released", "releases": tuple(replace(one, kind="property") for one in papers)}


LINES: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "image"}, "DENY", "outside_kind"),
    ({"width": 255}, "DENY", "outside_short_side"),
    ({"height": 255}, "DENY", "outside_short_side"),
    ({"width": 0, "height": 0}, "DENY", "outside_short_side"),
    ({"holds": (HoldView("same_bytes", "two contributors"),)}, "DENY", "hold"),
    (owner(YES, replace(YES, purpose="*", effect="deny")), "DENY", "opted_out"),
    (owner(YES, replace(YES, effect="deny")), "DENY", "consent_denied"),
    (owner(YES, replace(YES, effect="deny", action="train")), "DENY", "consent_denied"),
    (owner(), "DENY", "no_consent"),
    (owner(replace(YES, action="inspect")), "DENY", "no_consent"),
    (owner(replace(YES, purpose="commercial")), "DENY", "no_consent"),
    ({"owners": (*GOOD.owners, OwnerView("ctr_b"))}, "DENY", "no_consent"),
    ({"editorial": "yes"}, "DENY", "editorial"),
    ({"property_release": "not released"}, "DENY", "property_not_released"),
    (signal("c2pa", "notAllowed", "trusted"), "DENY", "do_not_train"),
    ({"rulings": (RulingView("rul_1", "people_unknown", "deny"),)}, "DENY", "ruled_out"),
    ({"editorial": ""}, "REVIEW", "editorial_unknown"),
    ({"editorial": "unknown"}, "REVIEW", "editorial_unknown"),
    ({"people": ""}, "REVIEW", "people_unknown"),
    ({"people": "unknown", "releases": (COVERS,)}, "REVIEW", "people_unknown"),
    ({"people": "YES"}, "REVIEW", "people_unknown"),
    ({"people": "yes"}, "REVIEW", "model_release_missing"),
    ({"people": "yes", "releases": (replace(COVERS, kind="property"),)}, "REVIEW", "model_release_missing"),
    (model(replace(COVERS, ai_training=False)), "REVIEW", "model_release_no_ai"),
    (model(replace(COVERS, territory="CA,US")), "REVIEW", "model_release_territory"),
    (model(replace(COVERS, until_ms=10)), "REVIEW", "model_release_term"),
    (model(replace(COVERS, until_ms=END - 1)), "REVIEW", "model_release_term"),
    (model(replace(COVERS, minor=True)), "REVIEW", "model_release_minor"),
    (model(COVERS, replace(COVERS, minor=True)), "REVIEW", "model_release_minor"),
    (model(COVERS, UNSIGNED, replace(SIGNED, territory="US")), "REVIEW", "model_release_minor"),
    (model(COVERS, UNSIGNED, replace(SIGNED, until_ms=END - 1)), "REVIEW", "model_release_minor"),
    (model(COVERS, UNSIGNED, replace(SIGNED, ai_training=False)), "REVIEW", "model_release_minor"),
    (model(SIGNED, replace(UNSIGNED, place=(2, 9, 9))), "REVIEW", "model_release_minor"),
    (model(COVERS, replace(COVERS, revoked=(2, 2, 2))), "REVIEW", "model_release_revoked"),
    (model(replace(COVERS, revoked=(2, 4, 4)), replace(COVERS, place=(3, 3, 3))), "REVIEW", "model_release_revoked"),
    (model(replace(COVERS, revoked=(2, 4, 4)), replace(COVERS, place=(3, 4, 3))), "REVIEW", "model_release_revoked"),
    (released(replace(COVERS, ai_training=False)), "REVIEW", "property_release_no_ai"),
    (released(replace(COVERS, territory="DE")), "REVIEW", "property_release_territory"),
    (released(replace(COVERS, until_ms=END - 1)), "REVIEW", "property_release_term"),
    (released(replace(COVERS, revoked=(2, 2, 2))), "REVIEW", "property_release_revoked"),
    ({"property_release": ""}, "REVIEW", "property_unknown"),
    ({"property_release": "unknown"}, "REVIEW", "property_unknown"),
    (signal("c2pa", "constrained", "trusted"), "REVIEW", "signal_unclear"),
    (signal("c2pa", "notAllowed", "untrusted"), "REVIEW", "signal_untrusted"),
    (signal("c2pa", "allowed", "untrusted"), "REVIEW", "signal_untrusted"),
    (signal("xmp", "notAllowed", "untrusted"), "REVIEW", "signal_untrusted"),
    (signal("xmp", "notAllowed", "none"), "REVIEW", "signal_untrusted"),
    (signal("c2pa", "tampered", "tampered"), "REVIEW", "signal_tampered"),
    (signal("c2pa", "allowed", "tampered"), "REVIEW", "signal_tampered"),
    (signal("c2pa", "unreadable", "unreadable"), "REVIEW", "signal_unreadable"),
    (signal("note", "unsupported", "none"), "ALLOW", "signal_noted"),
]


def test_only_named_collections_are_inside() -> None:
    named = {"id": "col_" + "0" * 26, "title": "A film"}
    terms = Terms.from_json(RESEARCH.to_json() | {"scope": "collections", "collections": [named]})
    for collections, codes in (((), ("outside_collection",)), ((named["id"], "col_b"), ()), (("col_b",), None)):
        decision = clear(replace(GOOD, collections=frozenset(collections)), terms, "research", 10)
        assert decision.codes == (("outside_collection",) if codes is None else codes)
    nothing = Terms.from_json(RESEARCH.to_json() | {"scope": "collections"})
    everywhere = replace(GOOD, collections=frozenset({named["id"]}))
    assert clear(everywhere, nothing, "research", 10).codes == ("outside_collection",), "none named, nothing granted"


def test_the_range_of_the_shorter_side() -> None:
    terms = Terms.from_json(RESEARCH.to_json() | {"min_short_side": 300, "max_short_side": 400})
    for side, codes in ((299, ("outside_short_side",)), (300, ()), (400, ()), (401, ("outside_short_side",))):
        assert clear(replace(GOOD, width=side, height=900), terms, "research", 10).codes == codes


@pytest.mark.parametrize(("change", "outcome", "code"), LINES)
def test_each_line_of_the_table(change: dict[str, Any], outcome: str, code: str) -> None:
    decision = clear(replace(GOOD, **change), RESEARCH, "research", 10)
    assert (decision.outcome, decision.codes) == (outcome, (code,))
    assert decision.findings[0].text


@pytest.mark.parametrize(
    "change",
    [
        {},
        model(replace(COVERS, ai_training=False), COVERS),
        model(replace(COVERS, territory="DE", until_ms=5), replace(COVERS, until_ms=END)),
        model(replace(COVERS, minor=True, guardian=True)),
        model(replace(COVERS, minor=True), replace(COVERS, minor=True, guardian=True, place=(1, 1, 2))),
        model(UNSIGNED, SIGNED),
        model(replace(COVERS, revoked=(2, 2, 2)), replace(COVERS, place=(2, 2, 3))),
        {"property_release": "released"},
        released(COVERS),
        {"releases": (replace(COVERS, kind="property", ai_training=False),)},
        signal("c2pa", "allowed", "trusted"),
        signal("xmp", "unspecified", "untrusted"),
    ],
)
def test_what_has_no_finding_is_allowed(change: dict[str, Any]) -> None:
    decision = clear(replace(GOOD, **change), RESEARCH, "research", 10)
    assert (decision.outcome, decision.findings) == ("ALLOW", ())


def test_commercial_use_is_outside_a_research_license() -> None:
    decision = clear(GOOD, RESEARCH, "commercial", 10)
    assert decision.codes == ("outside_purpose", "no_consent")


def test_all_findings_are_kept_gravest_first() -> None:
    view = replace(GOOD, editorial="yes", people="", signals=(C2PA,), holds=(HoldView("x", "y"),), kind="text")
    assert clear(view, RESEARCH, "research", 10).codes == (
        "outside_kind",
        "hold",
        "editorial",
        "do_not_train",
        "people_unknown",
    )


def test_a_trusted_yes_lifts_no_other_signal() -> None:
    view = replace(GOOD, signals=(replace(C2PA, value="allowed"), replace(C2PA, kind="xmp", trust="untrusted")))
    assert clear(view, RESEARCH, "research", 10).outcome == "REVIEW"


def test_a_ruling_takes_back_the_review_it_names_and_no_denial() -> None:
    ruled = replace(GOOD, people="", rulings=(RulingView("rul_1", "people_unknown", "allow"),))
    decision = clear(ruled, RESEARCH, "research", 10)
    assert decision.outcome == "ALLOW" and decision.codes == ("people_unknown",)
    assert "rul_1" in decision.findings[0].text
    other = replace(ruled, editorial="")
    assert clear(other, RESEARCH, "research", 10).outcome == "REVIEW"
    denied = replace(GOOD, editorial="yes", rulings=(RulingView("rul_1", "editorial", "allow"),))
    assert clear(denied, RESEARCH, "research", 10).outcome == "DENY"


def test_the_documented_table_is_the_table() -> None:
    rows = [line.split("|")[1:3] for line in (clearance.__doc__ or "").splitlines() if line.startswith("| ")]
    assert {code.strip(): outcome.strip() for code, outcome in rows[1:]} == CODES
    assert list(CODES.values()) == sorted(CODES.values(), key=lambda o: -SEVERITY.index(o))
    assert set(CODES) - {"outside_purpose", "outside_collection"} == {code for _, _, code in LINES}


words = st.sampled_from(["yes", "no", "unknown", "", "released", "not released", "not needed", "?"])
consents = st.builds(
    Event,
    scope=st.sampled_from(["contributor", "asset"]),
    subject=st.just(0),
    purpose=st.sampled_from(["research", "commercial", "*"]),
    action=st.sampled_from(["train", "deliver", "*", "*"]),
    effect=st.sampled_from(["allow", "allow", "deny"]),
    valid_from_ms=st.integers(0, 5),
    recorded_at_ms=st.integers(0, 5),
    id=st.integers(),
)
signals = st.builds(
    SignalView,
    kind=st.sampled_from(["c2pa", "xmp", "note"]),
    key=st.just("k"),
    value=st.sampled_from(["allowed", "notAllowed", "constrained", "unspecified", "unknown", ""]),
    trust=st.sampled_from(["trusted", "untrusted", "tampered", "unreadable", "none"]),
)
rulings = st.builds(
    RulingView, st.text(max_size=3), st.sampled_from(list(CODES)), st.sampled_from(["allow", "allow", "deny"])
)
places = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9))
papers = st.builds(
    ReleaseView,
    label=st.just("drl_x"),
    kind=st.sampled_from(["model", "model", "property"]),
    ai_training=st.sampled_from([True, True, False]),
    place=places,
    territory=st.sampled_from(["world", "world", "US", "CA,US", ""]),
    until_ms=st.sampled_from([2**62, 2**62, 4, 9, 10**15]),
    minor=st.sampled_from([False, False, True]),
    guardian=st.booleans(),
    revoked=st.one_of(st.none(), st.none(), places),
)
owners = st.builds(
    OwnerView, st.just("ctr_x"), st.lists(consents, min_size=1, max_size=4).map(lambda some: (YES, *some))
)
views = st.builds(
    AssetView,
    kind=st.sampled_from(["video", "image", "text", "other"]),
    width=st.integers(0, 4000),
    height=st.integers(0, 4000),
    owners=st.lists(owners, min_size=1, max_size=3).map(tuple),
    people=words,
    property_release=words,
    editorial=words,
    releases=st.lists(papers, max_size=3).map(tuple),
    signals=st.lists(signals, max_size=2).map(tuple),
    holds=st.lists(st.builds(HoldView, st.text(max_size=3), st.text(max_size=3)), max_size=1).map(tuple),
    rulings=st.lists(rulings, max_size=3).map(tuple),
)
near_good = st.one_of(
    views,
    st.builds(lambda v: replace(GOOD, people=v.people, rulings=v.rulings), views),
    st.builds(lambda v: replace(GOOD, people="yes", property_release="released", releases=v.releases), views),
)


@settings(max_examples=200)
@given(view=views, purpose=st.sampled_from(["research", "commercial", "evaluate"]), at=st.integers(-1, 9))
def test_every_view_has_a_decision(view: AssetView, purpose: str, at: int) -> None:
    decision = clear(view, RESEARCH, purpose, at)
    assert decision.outcome == max((f.outcome for f in decision.findings), key=SEVERITY.index, default="ALLOW")
    assert all(finding.code in CODES and finding.text for finding in decision.findings)


RESTRICTIONS: dict[str, Callable[[AssetView, Any], AssetView]] = {
    "an owner's no": lambda v, x: replace(
        v, owners=(replace(v.owners[0], events=(*v.owners[0].events, replace(x["no"], effect="deny"))), *v.owners[1:])
    ),
    "another owner": lambda v, x: replace(v, owners=(*v.owners, x["owner"])),
    "a hold": lambda v, x: replace(v, holds=(*v.holds, HoldView("x", "y"))),
    "a signal": lambda v, x: replace(v, signals=(*v.signals, x["signal"])),
    "a ruling against it": lambda v, x: replace(
        v, rulings=(*(r for r in v.rulings if r.finding != x["finding"]), RulingView("r", x["finding"], "deny"))
    ),
    "no ruling for it": lambda v, x: replace(v, rulings=tuple(r for r in v.rulings if r.decision == "deny")),
    "a release that is revoked": lambda v, x: replace(
        v, releases=tuple(replace(one, revoked=one.revoked or x["place"]) for one in v.releases[:1]) + v.releases[1:]
    ),
    "a release for a smaller part of the world": lambda v, x: replace(
        v, releases=tuple(replace(one, territory="SE") for one in v.releases[:1]) + v.releases[1:]
    ),
    "a release that ends": lambda v, x: replace(
        v, releases=tuple(replace(one, until_ms=5) for one in v.releases[:1]) + v.releases[1:]
    ),
    "a smaller picture": lambda v, x: replace(v, width=v.width // 2),
    "editorial": lambda v, x: replace(v, editorial="yes"),
    "property not released": lambda v, x: replace(v, property_release="not released"),
}


@settings(max_examples=200)
@given(
    view=near_good,
    name=st.sampled_from(list(RESTRICTIONS)),
    more=st.fixed_dictionaries(
        {
            "no": consents,
            "owner": owners,
            "signal": signals,
            "finding": st.sampled_from(list(CODES)),
            "place": places,
        }
    ),
)
def test_adding_a_restriction_never_grants_more(view: AssetView, name: str, more: dict[str, Any]) -> None:
    before = clear(view, RESEARCH, "research", 5)
    after = clear(RESTRICTIONS[name](view, more), RESEARCH, "research", 5)
    assert SEVERITY.index(after.outcome) >= SEVERITY.index(before.outcome), name
