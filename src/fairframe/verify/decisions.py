"""Checks what a person of a library decided: a ruling, or the outcome of an appeal, a claim or an incident."""

from collections.abc import Iterable

from fairframe.core.appeal_outcome_body import AppealOutcome
from fairframe.core.bundle import Bundle
from fairframe.core.claim_outcome_body import ClaimOutcome
from fairframe.core.incident_outcome_body import IncidentOutcome
from fairframe.core.ruling_body import EXPIRES, MAX_DAYS, PEOPLE, RULABLE, RulingBody
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.verify.kind import Finding


def ruling(bundle: Bundle) -> Iterable[Finding]:
    body = RulingBody.from_json(bundle.body)
    about = f"{body.decision} of {body.finding}"
    until, since = body.expires_ms, body.valid_from_ms
    ends = "until a later ruling" if until is None else f"until {to_rfc3339(until)}"
    text = f"{about} on {len(body.assets)} assets, from {to_rfc3339(since)} {ends}"
    if until is not None:
        ok = since < until <= since + MAX_DAYS * DAY_MS if body.decision in EXPIRES else since < until
    else:
        ok = body.decision not in EXPIRES
    yield Finding(ok, "ruling.expiry", f"{text}{'' if ok else f': a time of 1 to {MAX_DAYS} days is asked for'}")
    yield _at_signing(bundle, since, "ruled")
    if body.finding != PEOPLE and body.decision == "allow":
        able = body.finding in RULABLE
        text = f"{body.finding} is {'' if able else 'not '}among the findings that a person's ruling can allow"
        yield Finding(able, "ruling.finding", text)


def appeal_outcome(bundle: Bundle) -> Iterable[Finding]:
    body = AppealOutcome.from_json(bundle.body)
    yield _at_signing(bundle, body.decided_at_ms, f"the hold {body.hold} was {body.outcome}")


def claim_outcome(bundle: Bundle) -> Iterable[Finding]:
    body = ClaimOutcome.from_json(bundle.body)
    yield _at_signing(bundle, body.decided_at_ms, f"the claim was {body.outcome}")


def incident_outcome(bundle: Bundle) -> Iterable[Finding]:
    body, code = IncidentOutcome.from_json(bundle.body), "incident.times"
    found = body.found
    said = f"a no of {to_rfc3339(body.recorded_at_ms)}, valid from {to_rfc3339(body.valid_from_ms)}"
    ok = body.valid_from_ms < body.recorded_at_ms <= body.settled_at_ms
    yield Finding(ok, code, said if ok else f"{said}: an incident is a no that is valid from before it was recorded")
    yield _at_signing(bundle, body.settled_at_ms, f"the incident was said to be {body.outcome.replace('_', ' ')}")
    late = f"{'before' if body.settled_at_ms <= body.due_ms else 'AFTER'} its deadline {to_rfc3339(body.due_ms)}"
    yield Finding(True, "incident.deadline", f"settled {late}")
    listed = (
        f"the library lists {len(found.decided)} releases, {len(found.delivered)} deliveries and"
        f" {len(found.trained)} checkpoints in spite of the no"
    )
    fits = found.nothing or body.outcome != "nothing_happened"
    yield Finding(fits, "incident.found", listed if fits else f"{listed}, and says that nothing happened")
    yield Finding(None, "incident.unseen", "whether more happened than the library knew of stands in no document")


def _at_signing(bundle: Bundle, at_ms: int, what: str) -> Finding:
    """A decision is signed in the moment in which it is made; a clock may be a day off."""
    ok = abs(bundle.issued_at_ms - at_ms) <= DAY_MS
    text = f"{what} on {to_rfc3339(at_ms)}, {'when it was signed' if ok else 'which is not when it was signed'}"
    return Finding(ok, "document.decided", text)
