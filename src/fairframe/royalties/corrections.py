"""Taking back a receipt that was booked by mistake: the opposite of all that followed from it, in one transaction.

Nothing is changed or deleted. Before its pool was allocated, the pool goes back; after, each contributor's account
gives back what the allocation brought it, and their statements show that as an adjustment. What was paid out already
leaves the account below zero, and the next earnings fill it. The right amount is then booked under another reference.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import InputError, NotFound
from fairframe.core.money import Currency, Money
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.ledger import Leg
from fairframe.royalties.revenue import CORRECTION, clean_reference, corrected, find_agreement, known_event
from fairframe.royalties.tables import allocation, ledger_leg, ledger_txn

MAX_REASON = 2_000


@dataclass(frozen=True)
class Correction:
    """event: the receipt that is taken back. contributors: accounts that give something back (0: not allocated yet).

    transaction: "" for a preview. new: whether this call took it back.
    """

    event: str
    reference: str
    gross: Money
    contributors: int
    transaction: str
    new: bool


def plan(tx: Tx, agreement_id: str, reference: str) -> Correction:
    """What correct would do. Raises NotFound (agreement; revenue.missing), InputError (reference)."""
    find_agreement(tx, agreement_id)
    event = known_event(tx, agreement_id, clean_reference(reference))
    if event is None:
        raise NotFound(
            f"no receipt {reference[:80]!r} is booked under {agreement_id}",
            code="revenue.missing",
            remedy="The reference is the one that it was booked under",
        )
    done = corrected(tx, event["public_id"])
    people = sum(leg.account.startswith(ledger.accrued("")) for leg in _opposite(tx, event))
    gross = Money(event["gross_minor"], Currency(event["currency"]))
    return Correction(event["public_id"], event["reference"], gross, people, done or "", done is None)


def correct(tx: WriteTx, agreement_id: str, reference: str, reason: str) -> Correction:
    """Take a receipt back whole; a second time changes nothing. Raises what plan raises, InputError (reason).

    `reason` stays in the library.
    """
    if not reason.strip() or len(reason) > MAX_REASON or "\x00" in reason:
        raise InputError(f"say why, in 1-{MAX_REASON} characters", code="input.bad_reason")
    ledger.lock(tx)
    planned = plan(tx, agreement_id, reference)
    if not planned.new:
        return planned
    event = known_event(tx, agreement_id, planned.reference)
    assert event is not None
    txn = ledger.post(tx, CORRECTION, planned.event, _opposite(tx, event), f"Receipt {planned.event} taken back")
    body = {"event": planned.event, "reference": planned.reference, "transaction": txn}
    tx.record("revenue.corrected", agreement_id, body, {"reason": reason})
    return Correction(planned.event, planned.reference, planned.gross, planned.contributors, txn, True)


def _opposite(tx: Tx, event: Row) -> list[Leg]:
    """The negative of what the receipt and its allocation posted, account by account; a settled pool drops out."""
    made = sa.select(allocation.c.public_id).where(allocation.c.revenue_event_id == event["id"])
    posted = sa.select(ledger_txn.c.public_id).where(
        ((ledger_txn.c.kind == "revenue") & (ledger_txn.c.subject == event["public_id"]))
        | ((ledger_txn.c.kind == "allocation") & ledger_txn.c.subject.in_(made))
    )
    sums: dict[str, int] = {}
    for row in tx.rows(sa.select(ledger_leg).where(ledger_leg.c.txn.in_(posted)).order_by(ledger_leg.c.id)):
        sums[row["account"]] = sums.get(row["account"], 0) - int(row["amount_micro"])
    return [Leg(account, event["currency"], amount) for account, amount in sums.items() if amount]
