"""Clearance: what an agreement may do with an asset. One total table, all findings kept.

| code                       | outcome | when                                                                         |
|----------------------------|---------|------------------------------------------------------------------------------|
| outside_purpose            | DENY    | the purpose asked is not the agreement's                                     |
| outside_kind               | DENY    | the agreement does not cover this kind of asset                              |
| outside_short_side         | DENY    | the shorter side has fewer or more pixels than the agreement allows          |
| outside_collection         | DENY    | the agreement names collections, and it is in none of them                   |
| hold                       | DENY    | a hold stands                                                                |
| opted_out                  | DENY    | an owner's overall no is in force                                            |
| consent_denied             | DENY    | an owner said no to the purpose, or to an action that the agreement grants   |
| no_consent                 | DENY    | an owner is silent on one, and their terms do not make silence a yes         |
| editorial                  | DENY    | it is editorial                                                              |
| property_not_released      | DENY    | property is to be seen, and known as not released                            |
| do_not_train               | DENY    | a trusted signer says notAllowed                                             |
| ruled_out                  | DENY    | an unexpired ruling of a person says no                                      |
| editorial_unknown          | REVIEW  | nobody said whether it is editorial, or "unknown", or a word not known       |
| people_unknown             | REVIEW  | nobody said whether people are to be seen, or "unknown", or a word not known |
| model_release_missing      | REVIEW  | people are to be seen, and no model release is on file (metadata is none)    |
| model_release_no_ai        | REVIEW  | they are, and no model release on file covers training of models             |
| model_release_territory    | REVIEW  | they are, and none on file holds in all of the agreement's territory         |
| model_release_term         | REVIEW  | they are, and none on file lasts until the agreement ends                    |
| model_release_minor        | REVIEW  | they are, one of a minor, for whom no guardian signed since                  |
| model_release_revoked      | REVIEW  | they are, and one was revoked, and none that covers came on file since       |
| property_unknown           | REVIEW  | nobody said whether property is released, or "unknown", or a word not known  |
| property_release_no_ai     | REVIEW  | property releases are on file, and none covers training of models            |
| property_release_territory | REVIEW  | none of them holds in all of the agreement's territory                       |
| property_release_term      | REVIEW  | none of them lasts until the agreement ends                                  |
| property_release_revoked   | REVIEW  | one was revoked, and none that covers came on file since                     |
| signal_unclear             | REVIEW  | a trusted signer says something that is neither allowed nor notAllowed       |
| signal_untrusted           | REVIEW  | a signal that no trusted signer vouches for (XMP, sidecars: never)           |
| signal_tampered            | REVIEW  | content credentials do not match the file                                    |
| signal_unreadable          | REVIEW  | a signal cannot be read                                                      |
| signal_noted               | ALLOW   | a note: credentials cannot stand in such a file, or are silent on training   |

DENY beats REVIEW beats ALLOW; an asset without findings is ALLOW, and only ALLOW is delivered. All owners must permit,
and each action that the agreement grants (see consent.py). A signal never grants: "allowed" by a trusted signer is no
finding, and lifts none. Every entry of a training-mining assertion counts, data mining and inference included. A
signal with value "unspecified" says nothing.

What a release has to cover, and what a revocation and a minor's paper ask for, is told in papers.py. It has to last as
long as the agreement: a license is not granted for longer than the paper allows.

A ruling "allow" turns a finding of RULABLE that it names into ALLOW, never a DENY. It counts until it expires or a
later ruling speaks, and only for signals and a minor's releases that were recorded by then: nobody has looked at a
later one. A ruling "deny" counts until it expires or a later one allows (facts.RulingView).

clearing_sql.py says the same in SQL for whole sets; the tests prove them equal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fairframe.core.ruling_body import RULABLE
from fairframe.core.time import DAY_MS
from fairframe.rights.consent import FOREVER_MS, resolve
from fairframe.rights.facts import AssetView, RulingView, SignalView
from fairframe.rights.offers import Terms
from fairframe.rights.papers import Needed, left_open

Outcome = Literal["ALLOW", "REVIEW", "DENY"]
SEVERITY: tuple[Outcome, ...] = ("ALLOW", "REVIEW", "DENY")

CODES: dict[str, Outcome] = {
    "outside_purpose": "DENY",
    "outside_kind": "DENY",
    "outside_short_side": "DENY",
    "outside_collection": "DENY",
    "hold": "DENY",
    "opted_out": "DENY",
    "consent_denied": "DENY",
    "no_consent": "DENY",
    "editorial": "DENY",
    "property_not_released": "DENY",
    "do_not_train": "DENY",
    "ruled_out": "DENY",
    "editorial_unknown": "REVIEW",
    "people_unknown": "REVIEW",
    "model_release_missing": "REVIEW",
    "model_release_no_ai": "REVIEW",
    "model_release_territory": "REVIEW",
    "model_release_term": "REVIEW",
    "model_release_minor": "REVIEW",
    "model_release_revoked": "REVIEW",
    "property_unknown": "REVIEW",
    "property_release_no_ai": "REVIEW",
    "property_release_territory": "REVIEW",
    "property_release_term": "REVIEW",
    "property_release_revoked": "REVIEW",
    "signal_unclear": "REVIEW",
    "signal_untrusted": "REVIEW",
    "signal_tampered": "REVIEW",
    "signal_unreadable": "REVIEW",
    "signal_noted": "ALLOW",
}
"""Every finding and its outcome, in the order in which findings are shown: gravest first."""


@dataclass(frozen=True)
class Finding:
    """One line of a decision. `outcome` is the table's, or ALLOW where a person's ruling took a REVIEW back."""

    code: str
    outcome: Outcome
    text: str


Found = tuple[Finding, int]
"""A finding, and when what was found was recorded, where a person must have seen it before ruling (0 elsewhere)."""


@dataclass(frozen=True)
class Decision:
    """What an agreement may do with an asset; `findings` gravest first."""

    outcome: Outcome
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.code for finding in self.findings))


def clear(
    view: AssetView,
    terms: Terms,
    purpose: str,
    at_ms: int,
    known_at_ms: int = FOREVER_MS,
    *,
    until_ms: int | None = None,
) -> Decision:
    """Decide one asset by the table above. Total: every view has a decision.

    until_ms: when the agreement ends; where None, one that begins at `at_ms` (see `ends_ms`).
    """
    needed = Needed(terms.territory, at_ms, ends_ms(terms, at_ms) if until_ms is None else until_ms)
    found = [*_findings(view, terms, purpose, at_ms, known_at_ms), *_seen(view, needed)]
    return _decision(view, found)


def ends_ms(terms: Terms, starts_ms: int) -> int:
    """When an agreement ends that has these terms and starts then."""
    return starts_ms + terms.term_days * DAY_MS


def reviewed(view: AssetView) -> list[Finding]:
    """The findings that ask for a person, whatever the agreement; outcome ALLOW where a ruling took one back.

    What a release lacks for one agreement alone (territory, term) is not among them.
    """
    found = _decision(view, [*_editorial(view), *_seen(view, None)]).findings
    return [one for one in found if CODES[one.code] == "REVIEW"]


def _decision(view: AssetView, found: Iterable[Found]) -> Decision:
    """Lay the rulings over what was found, and sort it."""
    rulings = {ruling.finding: ruling for ruling in view.rulings}
    ruled = [_ruled(one, rulings.get(one.code), since_ms) for one, since_ms in found]
    order = list(CODES)
    ruled.sort(key=lambda f: (-SEVERITY.index(f.outcome), order.index(f.code)))
    worst = max((SEVERITY.index(f.outcome) for f in ruled), default=0)
    return Decision(SEVERITY[worst], tuple(dict.fromkeys(ruled)))


def _findings(view: AssetView, terms: Terms, purpose: str, at_ms: int, known_at_ms: int) -> Iterator[Found]:
    yield from _outside(view, terms, purpose)
    for hold in view.holds:
        yield _finding("hold", f"on hold ({hold.code}): {hold.reason}")
    yield from _consent(view, terms, purpose, at_ms, known_at_ms)
    yield from _editorial(view)
    for ruling in view.rulings:
        if ruling.decision != "allow":
            yield _finding("ruled_out", f"ruling {ruling.label} on {ruling.finding} says no")


def _seen(view: AssetView, needed: Needed | None) -> Iterator[Found]:
    """People, property and signals. needed: None for what is asked whatever the agreement."""
    yield from _people(view, needed)
    yield from _property(view, needed)
    for signal in view.signals:
        yield from ((finding, signal.recorded_at_ms) for finding, _ in _signal(signal))


def _outside(view: AssetView, terms: Terms, purpose: str) -> Iterator[Found]:
    if purpose != terms.purpose:
        yield _finding("outside_purpose", f"asked for {purpose}, but the agreement is for {terms.purpose}")
    if view.kind not in terms.kinds:
        yield _finding("outside_kind", f"{view.kind} is not among {', '.join(terms.kinds)}")
    short = min(view.width, view.height)
    if short < terms.min_short_side:
        yield _finding("outside_short_side", f"the shorter side has {short} pixels, not {terms.min_short_side}")
    elif terms.max_short_side is not None and short > terms.max_short_side:
        yield _finding("outside_short_side", f"the shorter side has {short} pixels, more than {terms.max_short_side}")
    if terms.scope == "collections" and not view.collections & {one.id for one in terms.collections}:
        yield _finding("outside_collection", "it is in none of the collections that the agreement names")


def _consent(view: AssetView, terms: Terms, purpose: str, at_ms: int, known_at_ms: int) -> Iterator[Found]:
    for owner in view.owners:
        answers = {a: resolve(owner.events, owner.told, purpose, a, at_ms, known_at_ms) for a in terms.actions}
        for code, said in (
            ("opted_out", "has opted out of everything"),
            ("consent_denied", f"said no to {purpose}"),
            ("no_consent", f"has not consented to {purpose}"),
        ):
            actions = [action for action, answer in answers.items() if answer.code == code]
            if actions:
                some = "" if len(actions) == len(terms.actions) else f" ({', '.join(actions)})"
                yield _finding(code, f"{owner.label} {said}{some}")


def _editorial(view: AssetView) -> Iterator[Found]:
    if view.editorial == "yes":
        yield _finding("editorial", "it is editorial")
    elif view.editorial != "no":
        yield _finding("editorial_unknown", "nobody said whether it is editorial")


def _people(view: AssetView, needed: Needed | None) -> Iterator[Found]:
    if view.people == "no":
        return
    if view.people != "yes":
        yield _finding("people_unknown", "nobody said whether people are to be seen")
        return
    for one in left_open([paper for paper in view.releases if paper.kind == "model"], needed):
        yield _finding(f"model_release_{one.code}", f"people are to be seen: {one.text}", one.since_ms)


def _property(view: AssetView, needed: Needed | None) -> Iterator[Found]:
    if view.property_release == "not needed":
        return
    if view.property_release == "not released":
        yield _finding("property_not_released", "property is to be seen, and it is not released")
    elif view.property_release != "released":
        yield _finding("property_unknown", "nobody said whether property is released")
    papers = [paper for paper in view.releases if paper.kind == "property"]
    for one in left_open(papers, needed) if papers else ():
        if one.code != "missing":
            yield _finding(f"property_release_{one.code}", f"property is to be seen: {one.text}")


def _signal(signal: SignalView) -> Iterator[Found]:
    said = f"{signal.key} is {signal.value}"
    if signal.kind == "note":
        yield _finding("signal_noted", f"noted: {said}")
    elif signal.trust == "tampered":
        yield _finding("signal_tampered", f"content credentials do not match the file: {said}")
    elif signal.trust == "unreadable":
        yield _finding("signal_unreadable", f"a signal cannot be read: {said}")
    elif signal.value == "unspecified":
        return
    elif signal.trust != "trusted":
        yield _finding("signal_untrusted", f"a signal that no trusted signer vouches for: {said}")
    elif signal.value == "notAllowed":
        yield _finding("do_not_train", f"a trusted signer says: {said}")
    elif signal.value != "allowed":
        yield _finding("signal_unclear", f"a trusted signer says: {said}")


def _finding(code: str, text: str, since_ms: int = 0) -> Found:
    return Finding(code, CODES[code], text), since_ms


def _ruled(finding: Finding, ruling: RulingView | None, since_ms: int) -> Finding:
    if ruling is None or ruling.decision != "allow" or finding.code not in RULABLE or since_ms > ruling.recorded_at_ms:
        return finding
    return replace(finding, outcome="ALLOW", text=f"{finding.text}; allowed by ruling {ruling.label}")
