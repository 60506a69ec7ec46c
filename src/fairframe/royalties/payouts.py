"""Payouts: the whole minor units of what a contributor is owed. What is less than one unit stays on the account."""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.money import MICRO, Currency, Money, whole_minor
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, MAX_MICRO, Leg
from fairframe.royalties.tables import payout


@dataclass(frozen=True)
class Paid:
    """carry_micro: what is left on the account, less than a minor unit when the payout was made."""

    id: str
    contributor: str
    amount: Money
    reference: str
    carry_micro: int
    new: bool


def pay(
    tx: WriteTx, contributor: Row, reference: str, currency: str | None = None, confirmed: Money | None = None
) -> Paid:
    """Pay the floor of a contributor's entitlement in one currency. The same reference again pays nothing more.

    confirmed: the amount that a person saw and said yes to; None where nobody was asked. Raises what plan raises,
    Conflict where another amount than that would be paid.
    """
    ledger.lock(tx)
    planned = plan(tx, contributor, reference, currency)
    if confirmed not in (None, planned.amount):
        raise Conflict(
            f"{confirmed} was confirmed, but it is {planned.amount} now",
            code="payout.changed",
            where=contributor["public_id"],
            remedy="Nothing was recorded: run it again and look at the amount",
        )
    if not planned.new:
        return planned
    amount, code = planned.amount, planned.amount.currency.code
    public_id = new_id("pay")
    tx.insert(
        payout,
        public_id=public_id,
        contributor_id=contributor["id"],
        currency=code,
        amount_minor=amount.minor,
        reference=reference,
    )
    body = {"payout": public_id, "currency": code, "amount_minor": str(amount.minor), "reference": reference}
    tx.record("payout.made", contributor["public_id"], body)
    account = ledger.accrued(contributor["public_id"])
    legs = [Leg(account, code, amount.micro), Leg(CASH, code, -amount.micro)]
    ledger.post(tx, "payout", public_id, legs, f"Payout {reference}")
    return replace(planned, id=public_id)


def plan(tx: Tx, contributor: Row, reference: str, currency: str | None = None) -> Paid:
    """What pay would pay (its id is empty), or what it has paid under this reference.

    Raises Conflict where the reference paid somebody else or another currency, Refused where less than one minor
    unit is owed, InputError where several currencies are owed and none is named.
    """
    if not reference.strip() or len(reference) > 200 or not reference.isprintable():
        raise InputError("the reference is empty, too long or not printable", code="payout.reference")
    known = tx.row(payout.select().where(payout.c.reference == reference))
    if known is not None:
        return _same(tx, contributor, known, currency)
    code = currency or only_currency(tx, contributor)
    owed = owed_micro(tx, contributor, code)
    amount = Money(min(whole_minor(max(owed, 0)), MAX_MICRO // MICRO), Currency(code))
    if amount.minor == 0:
        raise Refused(
            f"less than one minor unit of {code} is owed",
            code="payout.nothing",
            where=contributor["public_id"],
            remedy="It is carried over",
        )
    return Paid("", contributor["public_id"], amount, reference, owed - amount.micro, True)


def owed_micro(tx: Tx, contributor: Row, currency: str) -> int:
    """What is owed to a contributor now, in micro units."""
    return -ledger.balance_of(tx, ledger.accrued(contributor["public_id"]), currency)


def only_currency(tx: Tx, contributor: Row) -> str:
    """The currency of a contributor's account. Raises Refused where there is none, InputError where there are more."""
    codes = sorted({one.currency for one in ledger.balances(tx, ledger.accrued(contributor["public_id"]))})
    if not codes:
        raise Refused("nothing was earned yet", code="royalties.nothing_earned", where=contributor["public_id"])
    if len(codes) > 1:
        raise InputError(
            f"there are accounts in {', '.join(codes)}", code="royalties.currency", remedy="Say which currency"
        )
    return codes[0]


def _same(tx: Tx, contributor: Row, known: Row, currency: str | None) -> Paid:
    if known["contributor_id"] != contributor["id"] or currency not in (None, known["currency"]):
        raise Conflict(
            f"the reference {known['reference']!r} is already that of another payout",
            code="payout.conflict",
            where=known["public_id"],
        )
    amount = Money(known["amount_minor"], Currency(known["currency"]))
    left = owed_micro(tx, contributor, known["currency"])
    return Paid(known["public_id"], contributor["public_id"], amount, known["reference"], left, False)


def payouts_of(tx: Tx, contributor_id: int) -> list[Row]:
    """A contributor's payouts, oldest first."""
    statement = sa.select(payout).where(payout.c.contributor_id == contributor_id).order_by(payout.c.id)
    return list(tx.rows(statement))
