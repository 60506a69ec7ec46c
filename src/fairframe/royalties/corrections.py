"""Taking back an event that was booked by mistake: the opposite of all that followed from it, in one transaction.

Nothing is changed or deleted. Before its pool was allocated, the pool goes back; after, each contributor's account
gives back what the allocation brought it, and their statements show that as an adjustment. What was paid out already
leaves the account below zero, and the next earnings fill it. The right amount is then booked under another reference.

What later events rest on stays: refunds and payments are taken back before what they refer to, the newest first.
"""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.money import Currency, Money
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import events, ledger
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.events import CORRECTION, POSTED, TAKEN
from fairframe.royalties.ledger import Leg
from fairframe.royalties.revenue_checks import clean_reference
from fairframe.royalties.tables import allocation, ledger_leg, ledger_txn, revenue_event

MAX_REASON = 2_000


@dataclass(frozen=True)
class Correction:
    """event: what is taken back, of a kind. contributors: accounts that give something back (0: not allocated yet).

    transaction: "" for a preview. new: whether this call took it back.
    """

    event: str
    kind: str
    reference: str
    gross: Money
    contributors: int
    transaction: str
    new: bool


def plan(tx: Tx, agreement_id: str, reference: str, model: str | None = None) -> Correction:
    """What correct would do. model: the checkpoint whose event it is, where several have the reference.

    Raises NotFound (agreement; revenue.missing), InputError (reference), Refused (revenue.rests: something rests on
    it).
    """
    return _planned(tx, _find(tx, agreement_id, reference, model))


def _find(tx: Tx, agreement_id: str, reference: str, model: str | None) -> Row:
    find_agreement(tx, agreement_id)
    event = events.find(tx, agreement_id, clean_reference(reference), model)
    if event is None:
        raise NotFound(
            f"nothing is booked under {agreement_id} with the reference {reference[:80]!r}",
            code="revenue.missing",
            remedy="The reference is the one that it was booked under",
        )
    return event


def _planned(tx: Tx, event: Row) -> Correction:
    done = events.corrected(tx, event["public_id"])
    rests = None if done else _resting(tx, event)
    if rests is not None:
        raise Refused(
            f"{rests!r} rests on it",
            code="revenue.rests",
            where=event["public_id"],
            remedy=f"Take that back first: fairframe royalties correct {event['agreement']} --ref REF --reason WHY",
        )
    people = sum(leg.account.startswith(ledger.accrued("")) for leg in _opposite(tx, event))
    gross = Money(event["gross_minor"], Currency(event["currency"]))
    found = event["public_id"], event["kind"], event["reference"]
    return Correction(*found, gross, people, done or "", done is None)


def correct(tx: WriteTx, agreement_id: str, reference: str, reason: str, model: str | None = None) -> Correction:
    """Take an event back whole; a second time changes nothing. Raises what plan raises, InputError (reason).

    `reason` stays in the library.
    """
    if not reason.strip() or len(reason) > MAX_REASON or "\x00" in reason:
        raise InputError(f"say why, in 1-{MAX_REASON} characters", code="input.bad_reason")
    ledger.lock(tx)
    event = _find(tx, agreement_id, reference, model)
    planned = _planned(tx, event)
    if not planned.new:
        return planned
    memo = f"{events.word(event['kind'])} {planned.event} taken back"
    txn = ledger.post(tx, CORRECTION, planned.event, _opposite(tx, event), memo, _dated(tx, event))
    body = {"event": planned.event, "reference": planned.reference, "transaction": txn}
    tx.record("revenue.corrected", agreement_id, body, {"reason": reason})
    return replace(planned, transaction=txn)


def _resting(tx: Tx, event: Row) -> str | None:
    """The reference of the newest event that would be left without ground: one that refers to it, or to the same
    event later, where amounts were reckoned from what this one left."""
    c = revenue_event.c
    on_it = c.of_id == event["id"]
    if event["of_id"] is not None:
        later = (c.of_id == event["of_id"]) & (c.id > event["id"])
        on_it |= later if event["kind"] in TAKEN else later & c.kind.in_(TAKEN)
    held = sa.select(c.reference).where(on_it, ~events.taken_back())
    return tx.scalar(held.order_by(c.id.desc()).limit(1))


def _posted(event: Row) -> "sa.ColumnElement[bool]":
    """Whether a transaction posted the event or its allocation."""
    made = sa.select(allocation.c.public_id).where(allocation.c.revenue_event_id == event["id"])
    booked = ledger_txn.c.kind.in_(POSTED) & (ledger_txn.c.subject == event["public_id"])
    return booked | ((ledger_txn.c.kind == "allocation") & ledger_txn.c.subject.in_(made))


def _dated(tx: Tx, event: Row) -> int:
    """Now, or the accounting date of what is taken back where that is later: not before it was earned."""
    last = tx.scalar(sa.select(sa.func.max(ledger_txn.c.effective_ms)).where(_posted(event)))
    return max(tx.now_ms, int(last or 0))


def _opposite(tx: Tx, event: Row) -> list[Leg]:
    """The negative of what the event and its allocation posted, account by account; a settled pool drops out."""
    posted = sa.select(ledger_txn.c.public_id).where(_posted(event))
    sums: dict[str, int] = {}
    for row in tx.rows(sa.select(ledger_leg).where(ledger_leg.c.txn.in_(posted)).order_by(ledger_leg.c.id)):
        sums[row["account"]] = sums.get(row["account"], 0) - int(row["amount_micro"])
    return [Leg(account, event["currency"], amount) for account, amount in sums.items() if amount]
