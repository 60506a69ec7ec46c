"""What the parts of statements say of each other, in one file or in several of the same contributor.

Here are bodies whose form holds already (statement.py); what they leave out of each other cannot be seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

from fairframe.core.time import DAY_MS, from_rfc3339, to_rfc3339
from fairframe.verify.kind import Finding
from fairframe.verify.refunds import corrections, refunds
from fairframe.verify.told import Body, Told

NAMES = ("model", "assets")
"""Of an allocation, what holds names, which may have changed from one statement to the next."""


def between(told: Sequence[Told]) -> list[Finding]:
    """The findings on all parts of the statements together."""
    wrong: list[str] = []
    bodies = [one.body for one in told]
    parts = _merged(bodies, wrong)
    back = [one for body in bodies for one in body["adjustments"]]
    _once("the event", (one["revenue"]["event"] for one in parts.values()), wrong)
    _payouts(bodies, wrong)
    _left_out(told, wrong)
    _deals(parts, wrong)
    _pseudonyms(parts.values(), wrong)
    for name, one in parts.items():
        # the clocks of those who book may differ by a day
        if from_rfc3339(one["revenue"]["effective_at"]) > from_rfc3339(one["booked_at"]) + DAY_MS:
            wrong.append(f"{name}: it was booked before its revenue came in")
    findings = [Finding(False, "statement.parts", text) for text in wrong]
    findings += [*refunds(parts, {one["event"] for one in back}, told), *corrections(parts, back, told)]
    if all(one.ok is not False for one in findings):
        findings.append(Finding(True, "statement.parts", "every booking, event and payout stands once"))
    return findings


def series(told: Sequence[Told]) -> list[Finding]:
    """Whether statements lead from one to the next: each opens with what stands then by every other one."""
    found: list[Finding] = []
    ordered = sorted(told, key=lambda one: one.span)
    for place, after in enumerate(ordered[1:], 1):
        since, opening = after.span[0], int(after.body["opening_micro"])
        reaching = [one for one in ordered[:place] if one.span[1] >= since]
        at = to_rfc3339(since)
        if not reaching:
            until = to_rfc3339(max(one.span[1] for one in ordered[:place]))
            found.append(
                Finding(None, "statement.series", f"the balances at {at}: the statements leave out {until} to {at}")
            )
        for before in reaching:
            joins = before.span[1] == since
            stood = int(before.body["closing_micro"]) if joins else before.balance_micro(since)
            if stood != opening:
                text = f"at {at} one {'closes with' if joins else 'stands at'} {stood}, the next opens with {opening}"
                found.append(Finding(False, "statement.series", text))
            else:
                what = (
                    "the closing one of the statement before" if joins else "what stands then in another that overlaps"
                )
                found.append(Finding(True, "statement.series", f"at {at} the opening balance is {what}"))
    return found


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


def _left_out(told: Sequence[Told], wrong: list[str]) -> None:
    """Statements that overlap tell the same of the time that they share: nothing is dated into closed time."""
    for one, other in permutations(told, 2):
        since, until = other.span
        if one.span[0] >= until or since >= one.span[1]:
            continue
        held = {it.transaction for it in other.booked()}
        for it in one.booked():
            if since <= it.at_ms < until and it.transaction not in held:
                wrong.append(f"{it.name} stands in one statement, and is left out in another of that time")


def _deals(parts: Mapping[str, Any], wrong: list[str]) -> None:
    """An agreement says one thing: another version has another id. A licensee may have another name by now."""
    known: dict[str, Any] = {}
    for name, one in parts.items():
        deal = dict(one["agreement"])
        deal["licensee"] = None if deal["licensee"] is None else deal["licensee"]["id"]
        if known.setdefault(deal["id"], deal) != deal:
            wrong.append(f"{name}: {deal['id']} says something else elsewhere")


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
