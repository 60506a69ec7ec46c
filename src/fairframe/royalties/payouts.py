"""Paying one contributor by hand: a batch of one that is settled at once. Whole minor units; the rest is carried.

What a policy asks (hold, tax form) is asked here, too, but for the threshold and an account: a person pays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.money import Currency, Money
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import batches, ledger, payout_steps
from fairframe.royalties.batches import Plan
from fairframe.royalties.events import spelled
from fairframe.royalties.payout_rules import REASONS, Judged
from fairframe.royalties.payout_states import State
from fairframe.royalties.standings import position_micro


@dataclass(frozen=True)
class Paid:
    """amount: gross; withheld: of it. carry_micro: what is left on the contributor's accounts. plan: None where it
    was paid before. state: of the payout; "" where it is only planned."""

    id: str
    contributor: str
    amount: Money
    withheld: Money
    reference: str
    carry_micro: int
    new: bool
    plan: Plan | None = None
    state: State | Literal[""] = ""

    @property
    def net(self) -> Money:
        """What the contributor gets."""
        return self.amount - self.withheld


def pay(
    tx: WriteTx, contributor: Row, reference: str, currency: str | None = None, confirmed: Paid | None = None
) -> Paid:
    """Pay what is owed to a contributor and may be released. The same reference again pays nothing more.

    confirmed: the plan that a person saw and said yes to; None where nobody was asked. Raises what plan raises,
    Conflict (payout.changed) where another amount than that would be paid.
    """
    ledger.lock(tx)
    planned = plan(tx, contributor, reference, currency)
    if confirmed is not None and (confirmed.amount, confirmed.withheld) != (planned.amount, planned.withheld):
        raise Conflict(
            f"{confirmed.amount} was confirmed, but it is {planned.amount} now",
            code="payout.changed",
            where=contributor["public_id"],
            remedy="Nothing was recorded: run it again and look at the amount",
        )
    if planned.plan is None:
        return planned
    batch = batches.prepare(tx, planned.plan)
    payout_steps.submit(tx, batch)
    payout_steps.settle(tx, batch)
    made = plan(tx, contributor, reference, currency)
    return replace(made, new=True)


def plan(tx: Tx, contributor: Row, reference: str, currency: str | None = None) -> Paid:
    """What pay would pay (its id is empty), or what it has paid under this reference.

    Raises Conflict where the reference paid somebody else or another currency, Refused where less than one minor
    unit is owed or may be paid, InputError where several currencies are owed and none is named.
    """
    reference = batches.check_reference(reference)
    known = _known(tx, contributor, reference, currency)
    if known is not None:
        return known
    code = currency or only_currency(tx, contributor)
    planned = batches.plan(tx, reference, code, who=contributor, by_hand=True)
    if planned.batch is not None:
        raise Conflict(
            f"the reference {reference!r} is already that of another payout",
            code="payout.conflict",
            where=planned.batch["public_id"],
        )
    money = Currency(code)
    line = planned.lines[0] if planned.lines else None
    if line is None or line.parts is None:
        raise _refused(contributor, code, Judged(0, 0, "below_threshold") if line is None else line.judged)
    amount, withheld = Money(line.parts.gross_minor, money), Money(line.parts.withheld_minor, money)
    left = line.standing.total_micro - amount.micro
    return Paid("", contributor["public_id"], amount, withheld, reference, left, True, planned)


def owed_micro(tx: Tx, contributor: Row, currency: str) -> int:
    """What is owed to a contributor now and in no payout, in micro units."""
    return position_micro(tx, contributor["public_id"], currency)


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


def payouts_of(tx: Tx, contributor_id: int) -> Sequence[Row]:
    """A contributor's payouts with their states, oldest first; as payout_steps.listing."""
    return payout_steps.listing(tx, None, contributor_id)


def _known(tx: Tx, contributor: Row, reference: str, currency: str | None) -> Paid | None:
    known = [row for row in payouts_of(tx, contributor["id"]) if row["reference"] in spelled(reference)]
    if not known:
        return None
    row = known[0]
    if currency not in (None, row["currency"]):
        raise Conflict(
            f"the reference {reference!r} is already that of a payout in {row['currency']}",
            code="payout.conflict",
            where=row["public_id"],
        )
    parts, money = payout_steps.parts_of(row), Currency(row["currency"])
    amount, withheld = Money(parts.gross_minor, money), Money(parts.withheld_minor, money)
    left = owed_micro(tx, contributor, row["currency"])
    state = row["state"]
    return Paid(row["public_id"], contributor["public_id"], amount, withheld, reference, left, False, None, state)


def _refused(contributor: Row, currency: str, judged: Judged) -> Refused:
    if judged.reason in ("below_threshold", "negative"):
        text, remedy = f"less than one minor unit of {currency} is owed", "It is carried over"
        return Refused(text, code="payout.nothing", where=contributor["public_id"], remedy=remedy)
    until = f" until {to_rfc3339(judged.until_ms)[:10]}" if judged.until_ms is not None else ""
    return Refused(
        f"nothing can be paid: {REASONS[judged.reason]}{until}",
        code=f"payout.{judged.reason}",
        where=contributor["public_id"],
        remedy="See: fairframe royalties payee show, fairframe royalties policy",
    )
