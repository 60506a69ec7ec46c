"""Recomputes what the payouts in a statement took from a contributor's position, step by step."""

from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.verify.deal import Remarks
from fairframe.verify.numbers import number

TAKES, GIVES, NEITHER = ("reserved",), ("returned", "canceled"), ("submitted", "settled")
STATES = (*TAKES, *NEITHER, *GIVES)


def payout(fields: Fields, remarks: Remarks, start: int, end: int) -> tuple[int, int]:
    """(paid, withheld) in minor units, over the steps of one payout in the period [start, end)."""
    gross, withheld = number(fields, "gross_minor", least=1), number(fields, "withheld_minor")
    reference = fields.text("reference")
    if withheld >= gross:  # a rate is below one
        remarks.wrong.append("all that the payout has, or more, is withheld")
    seen: list[str] = []
    paid = kept = 0
    last = start
    for value in fields.list("steps", max_items=10):
        step = Fields(value, f"{fields.where}.steps")
        state = step.text("state", one_of=STATES)
        step.id("transaction", "txn")
        booked = step.time_ms("booked_at")
        if not start <= booked < end:
            remarks.wrong.append(f"its step {state!r} lies outside the period")
        if booked < last:
            remarks.wrong.append(f"its step {state!r} is dated before the one that it follows")
        last = booked
        said = number(step, "paid_minor", signed=True), number(step, "withheld_minor", signed=True)
        step.close()
        if said not in _effects(state, gross, withheld, first=not seen):
            remarks.wrong.append(f"its step {state!r} does not take what the payout's amounts say")
        seen.append(state)
        paid, kept = paid + said[0], kept + said[1]
    if not seen:
        raise BadDocument("A payout without a step in the period", code="document.field", where=fields.where)
    if seen != sorted(set(seen), key=STATES.index):
        remarks.wrong.append("its steps are not in order, each once")
    remarks.unseen.append(f"{seen[-1]}, by the library's word, under the reference {reference}")
    return paid, kept


def _effects(state: str, gross: int, withheld: int, first: bool) -> list[tuple[int, int]]:
    """What a step can take. A payout that was made at once, without a batch, is settled in its only step."""
    net = gross - withheld
    if state in TAKES:
        return [(net, withheld)]
    if state in GIVES:
        return [(-net, -withheld)]
    return [(0, 0), (net, withheld)] if state == "settled" and first else [(0, 0)]
