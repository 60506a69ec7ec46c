"""Clearance: what an agreement may do with an asset. One total table, all findings kept.

| code                  | outcome | when                                                                              |
|-----------------------|---------|-----------------------------------------------------------------------------------|
| outside_purpose       | DENY    | the purpose asked is not the agreement's                                          |
| outside_kind          | DENY    | the agreement does not cover this kind of asset                                   |
| outside_short_side    | DENY    | the shorter side has fewer or more pixels than the agreement allows               |
| outside_collection    | DENY    | the agreement names collections, and it is in none of them                        |
| hold                  | DENY    | a hold stands                                                                     |
| opted_out             | DENY    | an owner's overall no is in force                                                 |
| consent_denied        | DENY    | an owner said no to the purpose, or to an action that the agreement grants        |
| no_consent            | DENY    | an owner is silent on one, and their terms do not make silence a yes              |
| editorial             | DENY    | it is editorial                                                                   |
| property_not_released | DENY    | property is to be seen, and known as not released                                 |
| do_not_train          | DENY    | a trusted signer says notAllowed                                                  |
| ruled_out             | DENY    | an unexpired ruling of a person says no                                           |
| editorial_unknown     | REVIEW  | nobody said whether it is editorial, or "unknown", or a word not known            |
| people_unknown        | REVIEW  | nobody said whether people are to be seen, or "unknown", or a word not known      |
| model_release_missing | REVIEW  | people are to be seen, and no model release is on file (metadata is none)         |
| model_release_no_ai   | REVIEW  | people are to be seen, and no model release on file covers training of models     |
| property_unknown      | REVIEW  | nobody said whether property is released, or "unknown", or a word not known       |
| signal_unclear        | REVIEW  | a trusted signer says something that is neither allowed nor notAllowed            |
| signal_untrusted      | REVIEW  | no trusted signer vouches for a signal (XMP, sidecars: never); whatever it says   |
| signal_tampered       | REVIEW  | content credentials do not match the file                                         |
| signal_unreadable     | REVIEW  | a signal cannot be read                                                           |
| signal_noted          | ALLOW   | a note: a container in which credentials cannot stand, or one silent on training  |

DENY beats REVIEW beats ALLOW; an asset without findings is ALLOW, and only ALLOW is delivered. All owners must permit,
and each action that the agreement grants (see consent.py). A signal never grants: "allowed" by a trusted signer is no
finding, and lifts none. Every entry of a training-mining assertion counts, data mining and inference included. A
signal with value "unspecified" says nothing.

A ruling "allow" turns a finding of RULABLE that it names into ALLOW, never a DENY. It counts until it expires or a
later ruling speaks, and only for signals that were recorded by then: nobody has looked at a later one. A ruling "deny"
counts until it expires or a later one allows (facts.RulingView).

clearing_sql.py says the same in SQL for whole sets; the tests prove them equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fairframe.rights.consent import FOREVER_MS, resolve
from fairframe.rights.facts import AssetView, RulingView, SignalView
from fairframe.rights.offers import Terms

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
    "property_unknown": "REVIEW",
    "signal_unclear": "REVIEW",
    "signal_untrusted": "REVIEW",
    "signal_tampered": "REVIEW",
    "signal_unreadable": "REVIEW",
    "signal_noted": "ALLOW",
}
"""Every finding and its outcome, in the order in which findings are shown: gravest first."""


RULABLE = frozenset(
    {
        "editorial_unknown",
        "people_unknown",
        "model_release_missing",
        "property_unknown",
        "signal_unclear",
        "signal_untrusted",
        "signal_unreadable",
    }
)
"""The findings that a person's ruling can allow: a person can look, or ask, and know better. Not signal_tampered, or
an edit would launder a trusted no; not model_release_no_ai, for the paper says it. See docs/review.md."""


@dataclass(frozen=True)
class Finding:
    """One line of a decision. `outcome` is the table's, or ALLOW where a person's ruling took a REVIEW back."""

    code: str
    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Decision:
    """What an agreement may do with an asset; `findings` gravest first."""

    outcome: Outcome
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.code for finding in self.findings))


def clear(view: AssetView, terms: Terms, purpose: str, at_ms: int, known_at_ms: int = FOREVER_MS) -> Decision:
    """Decide one asset by the table above. Total: every view has a decision."""
    rulings = {ruling.finding: ruling for ruling in view.rulings}
    found = [_ruled(one, rulings.get(one.code)) for one in _findings(view, terms, purpose, at_ms, known_at_ms)]
    for signal in view.signals:
        found += [_ruled(one, rulings.get(one.code), signal.recorded_at_ms) for one in _signal(signal)]
    order = list(CODES)
    found.sort(key=lambda f: (-SEVERITY.index(f.outcome), order.index(f.code)))
    worst = max((SEVERITY.index(f.outcome) for f in found), default=0)
    return Decision(SEVERITY[worst], tuple(dict.fromkeys(found)))


def reviewed(view: AssetView) -> list[Finding]:
    """The findings that ask for a person, whatever the agreement; outcome ALLOW where a ruling took one back."""
    rulings = {ruling.finding: ruling for ruling in view.rulings}
    own = [*_editorial(view), *_people(view), *_property(view)]
    found = [_ruled(one, rulings.get(one.code)) for one in own]
    for signal in view.signals:
        found += [_ruled(one, rulings.get(one.code), signal.recorded_at_ms) for one in _signal(signal)]
    return [one for one in found if CODES[one.code] == "REVIEW"]


def _findings(view: AssetView, terms: Terms, purpose: str, at_ms: int, known_at_ms: int) -> Iterator[Finding]:
    yield from _outside(view, terms, purpose)
    for hold in view.holds:
        yield _finding("hold", f"on hold ({hold.code}): {hold.reason}")
    yield from _consent(view, terms, purpose, at_ms, known_at_ms)
    yield from _editorial(view)
    yield from _people(view)
    yield from _property(view)
    for ruling in view.rulings:
        if ruling.decision != "allow":
            yield _finding("ruled_out", f"ruling {ruling.label} on {ruling.finding} says no")


def _outside(view: AssetView, terms: Terms, purpose: str) -> Iterator[Finding]:
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


def _consent(view: AssetView, terms: Terms, purpose: str, at_ms: int, known_at_ms: int) -> Iterator[Finding]:
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


def _editorial(view: AssetView) -> Iterator[Finding]:
    if view.editorial == "yes":
        yield _finding("editorial", "it is editorial")
    elif view.editorial != "no":
        yield _finding("editorial_unknown", "nobody said whether it is editorial")


def _people(view: AssetView) -> Iterator[Finding]:
    if view.people == "no":
        return
    if view.people != "yes":
        yield _finding("people_unknown", "nobody said whether people are to be seen")
    elif not view.model_releases:
        yield _finding("model_release_missing", "people are to be seen, and no model release is on file")
    elif not any(view.model_releases):
        yield _finding("model_release_no_ai", "no model release on file covers training of models")


def _property(view: AssetView) -> Iterator[Finding]:
    if view.property_release == "not released":
        yield _finding("property_not_released", "property is to be seen, and it is not released")
    elif view.property_release not in ("released", "not needed"):
        yield _finding("property_unknown", "nobody said whether property is released")


def _signal(signal: SignalView) -> Iterator[Finding]:
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


def _finding(code: str, text: str) -> Finding:
    return Finding(code, CODES[code], text)


def _ruled(finding: Finding, ruling: RulingView | None, since_ms: int = 0) -> Finding:
    """since_ms: when what was found was recorded, where a person must have seen it."""
    if ruling is None or ruling.decision != "allow" or finding.code not in RULABLE or since_ms > ruling.recorded_at_ms:
        return finding
    return replace(finding, outcome="ALLOW", text=f"{finding.text}; allowed by ruling {ruling.label}")
