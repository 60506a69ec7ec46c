"""Money that leaves the library's cash for good: tax paid over, withheld tax paid over, the library's share moved out.

Each is one posting (cash -amount, the account +amount), one row and one audit entry, once per reference. It never takes
more than the account holds, nor more cash than there is, now and at its date.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.money import Currency, Money, format_micro
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, LIBRARY, TAX, WITHHOLDING, Leg
from fairframe.royalties.periods import closed_until
from fairframe.royalties.periods import listing as periods_closed
from fairframe.royalties.revenue_checks import clean_reference
from fairframe.royalties.tables import remittance

KIND = "remittance"
"""The kind of its transaction; the subject is the remittance."""
WORDS = {TAX: "tax paid over", WITHHOLDING: "withheld tax paid over", LIBRARY: "library's share moved out"}


@dataclass(frozen=True)
class Remittance:
    """held_micro: what the account held when it was looked at, before it. new: whether this call booked it, or found
    it booked with the same content. id: "" for a preview."""

    id: str
    account: str
    amount: Money
    reference: str
    effective_ms: int
    held_micro: int
    new: bool

    @property
    def words(self) -> str:
        return WORDS[self.account]


def plan(tx: Tx, account: str, amount: Money, reference: str, effective_ms: int | None = None) -> Remittance:
    """What remit would do. effective_ms: the day on which the money left (now where None).

    Raises InputError (account, amount, reference, time), Refused (remittance.held, remittance.cash) and Conflict
    (remittance.conflict) where the reference is booked with other content.
    """
    if account not in WORDS:
        raise InputError(f"{account[:20]!r} is none of {', '.join(WORDS)}", code="remittance.account")
    if not 0 < amount.minor <= ledger.MAX_MINOR:
        raise InputError(
            f"{amount} is not an amount that can be booked",
            code="remittance.amount",
            remedy=f"It is above zero and at most {Money(ledger.MAX_MINOR, amount.currency)}",
        )
    name = clean_reference(reference)
    if effective_ms is not None and not 0 <= effective_ms <= tx.now_ms + DAY_MS:
        raise InputError(
            f"{to_rfc3339(effective_ms)[:10] if effective_ms > 0 else 'that day'} is no day on which it can have left",
            code="remittance.time",
            remedy="Say when it happened, such as 2026-01-31",
        )
    code = amount.currency.code
    known = tx.row(remittance.select().where(remittance.c.reference == name))
    if known is not None:
        return _same(tx, known, account, amount, effective_ms)
    # the books take it at the first moment that is not closed
    at_ms = max(tx.now_ms if effective_ms is None else effective_ms, closed_until(tx))
    held = -_least(tx, account, code, at_ms, owed=True)
    _refuse_beyond(amount, held, "remittance.held", f"the account {account!r} held")
    _refuse_beyond(amount, _least(tx, CASH, code, at_ms, owed=False), "remittance.cash", "the cash there was")
    return Remittance("", account, amount, name, at_ms, held, True)


def remit(tx: WriteTx, account: str, amount: Money, reference: str, effective_ms: int | None = None) -> Remittance:
    """Book it; a second time with the same content changes nothing. Raises what plan raises."""
    ledger.lock(tx)
    planned = plan(tx, account, amount, reference, effective_ms)
    if not planned.new:
        return planned
    done = replace(planned, id=new_id("rmt"))
    code = amount.currency.code
    values = {"account": account, "currency": code, "amount_minor": amount.minor, "reference": done.reference}
    tx.insert(remittance, public_id=done.id, **values, effective_ms=done.effective_ms)
    legs = [Leg(CASH, code, -amount.micro), Leg(account, code, amount.micro)]
    memo = f"{done.words[0].upper()}{done.words[1:]}, {done.reference}"
    txn = ledger.post(tx, KIND, done.id, legs, memo, done.effective_ms)
    body = {**values, "amount_minor": str(amount.minor), "transaction": txn}
    tx.record("remittance.booked", done.id, {**body, "effective_at": to_rfc3339(done.effective_ms)})
    return done


def listing(tx: Tx) -> Sequence[Row]:
    """Every remittance, oldest first."""
    return tx.rows(remittance.select().order_by(remittance.c.id))


def _moved(tx: Tx, said_ms: int, when_ms: int) -> bool:
    """Whether a day was moved to the first moment after the period that was closed by then."""
    return said_ms < when_ms and any(one.to_ms == when_ms for one in periods_closed(tx))


def _least(tx: Tx, account: str, currency: str, at_ms: int, *, owed: bool) -> int:
    """An account's balance now or by its date, whichever leaves less to take. owed: it stands below zero."""
    dated = ledger.balances(tx, account, until_ms=at_ms + 1)
    then = sum(one.amount_micro for one in dated if one.currency == currency)
    now = ledger.balance_of(tx, account, currency)
    return max(now, then) if owed else min(now, then)


def _refuse_beyond(amount: Money, held_micro: int, code: str, what: str) -> None:
    if amount.micro > held_micro:
        held = f"{format_micro(max(held_micro, 0), amount.currency)} {amount.currency}"
        raise Refused(
            f"{amount} is more than {what} on that day and now: {held}",
            code=code,
            remedy="See: fairframe royalties balance",
        )


def _same(tx: Tx, known: Row, account: str, amount: Money, effective_ms: int | None) -> Remittance:
    when = int(known["effective_ms"])
    moved = effective_ms in (None, when) or _moved(tx, effective_ms, when)
    held = Money(int(known["amount_minor"]), Currency(known["currency"]))
    if (known["account"], held) != (account, amount) or not moved:
        raise Conflict(
            f"the reference {known['reference']!r} is already booked with other content ({WORDS[known['account']]},"
            f" {held}, {to_rfc3339(when)[:10]})",
            code="remittance.conflict",
            where=known["public_id"],
            remedy="Give what else was paid a reference of its own",
        )
    left = -ledger.balance_of(tx, account, held.currency.code)
    return Remittance(known["public_id"], account, held, known["reference"], when, left, False)
