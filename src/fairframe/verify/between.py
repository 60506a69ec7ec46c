"""What the parts of statements say of each other, in one file or in several of the same contributor.

Here are bodies whose form holds already (statement.py); what they leave out of each other cannot be seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fairframe.core.time import DAY_MS, from_rfc3339
from fairframe.verify.kind import Finding
from fairframe.verify.refunds import corrections, refunds

Body = Mapping[str, Any]
NAMES = ("model", "assets")
"""Of an allocation, what holds names, which may have changed from one statement to the next."""


def between(bodies: Sequence[Body]) -> list[Finding]:
    """The findings on all parts of the bodies together."""
    wrong: list[str] = []
    parts = _merged(bodies, wrong)
    back = [one for body in bodies for one in body["adjustments"]]
    _once("the event", (one["revenue"]["event"] for one in parts.values()), wrong)
    _payouts(bodies, wrong)
    _pseudonyms(parts.values(), wrong)
    for name, one in parts.items():
        # the clocks of those who book may differ by a day
        if from_rfc3339(one["revenue"]["effective_at"]) > from_rfc3339(one["booked_at"]) + DAY_MS:
            wrong.append(f"{name}: it was booked before its revenue came in")
    findings = [Finding(False, "statement.parts", text) for text in wrong]
    findings += [*refunds(parts, {one["event"] for one in back}), *corrections(parts, back)]
    if all(one.ok is not False for one in findings):
        findings.append(Finding(True, "statement.parts", "every booking, event and payout stands once"))
    return findings


def series(bodies: Sequence[Body]) -> list[Finding]:
    """Whether statements lead from one to the next: the opening balance of each is the closing one before it."""
    found: list[Finding] = []
    for before, after in pairwise(sorted(bodies, key=lambda body: _span(body))):
        until, since = before["period"]["to"], after["period"]["from"]
        if until != since:
            what = "overlap" if _span(before)[1] > _span(after)[0] else f"leave out {until} to {since}"
            found.append(Finding(None, "statement.series", f"the balances at {since}: the statements {what}"))
        elif before["closing_micro"] != after["opening_micro"]:
            text = f"at {since} one closes with {before['closing_micro']}, the next opens with {after['opening_micro']}"
            found.append(Finding(False, "statement.series", text))
        else:
            text = f"at {since} the opening balance is the closing one of the statement before"
            found.append(Finding(True, "statement.series", text))
    return found


def _span(body: Body) -> tuple[int, int]:
    return from_rfc3339(body["period"]["from"]), from_rfc3339(body["period"]["to"])


def _merged(bodies: Sequence[Body], wrong: list[str]) -> dict[str, Any]:
    """All allocations by id. One stands once in a statement, and says the same in statements that overlap."""
    parts: dict[str, Any] = {}
    booked: dict[str, str] = {}
    for body in bodies:
        _once("the allocation", (one["allocation"] for one in body["allocations"]), wrong)
        lines = [(one, one["allocation"]) for one in body["allocations"]]
        lines += [(one, f"{one['event']} taken back") for one in body["adjustments"]]
        _once("the correction of", (str(one["event"]) for one in body["adjustments"]), wrong)
        for one, name in lines:
            if booked.setdefault(one["transaction"], name) != name:
                wrong.append(f"the transaction {one['transaction']} is {name} in one statement, another in the next")
        for one in body["allocations"]:
            if _facts(parts.setdefault(one["allocation"], one)) != _facts(one):
                wrong.append(f"{one['allocation']} says something else in another statement")
    return parts


def _facts(one: Mapping[str, Any]) -> dict[str, Any]:
    deal = {key: value for key, value in one["agreement"].items() if key != "licensee"}
    return {key: value for key, value in one.items() if key not in NAMES} | {"agreement": deal}


def _once(what: str, values: Iterable[str], wrong: list[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            wrong.append(f"{what} {value} stands twice")
        seen.add(value)


def _payouts(bodies: Sequence[Body], wrong: list[str]) -> None:
    """A payout stands once in a statement, and is of the same amounts in all; each of its steps is taken once."""
    amounts: dict[str, Any] = {}
    steps: dict[str, dict[str, Any]] = {}
    for body in bodies:
        _once("the payout", (one["payout"] for one in body["payouts"]), wrong)
        booked = [one["transaction"] for one in (*body["allocations"], *body["adjustments"])]
        taken = [step["transaction"] for one in body["payouts"] for step in one["steps"]]
        _once("the transaction", [*booked, *taken], wrong)
        for one in body["payouts"]:
            said, mine = (one["gross_minor"], one["withheld_minor"]), steps.setdefault(one["payout"], {})
            if amounts.setdefault(one["payout"], said) != said:
                wrong.append(f"{one['payout']} is of other amounts in another statement")
            for step in one["steps"]:
                if mine.setdefault(step["state"], step) != step:
                    wrong.append(f"{one['payout']} is {step['state']} twice")
    for name, (gross, withheld) in amounts.items():
        paid = [int(step["paid_minor"]) for step in steps[name].values()]
        least = 0 if max(paid) > 0 else min(paid)  # what was taken may stand in a statement that was not given
        if not least <= sum(paid) <= int(gross) - int(withheld):
            wrong.append(f"{name} was taken, or given back, more than once")


def _pseudonyms(parts: Iterable[Mapping[str, Any]], wrong: list[str]) -> None:
    """A contributor, and a clip, has one pseudonym under an agreement."""
    known: dict[tuple[str, str], str] = {}
    for one in parts:
        deal = one["agreement"]["id"]
        named = [("", one["own"]["pseudonym"]), *((clip["asset"], clip["pseudonym"]) for clip in one["assets"])]
        for what, name in named:
            if known.setdefault((deal, what), name) != name:
                whose = f"the clip {what}" if what else "the contributor"
                wrong.append(f"{one['allocation']}: {whose} has another pseudonym under {deal} elsewhere")
