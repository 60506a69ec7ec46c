"""Where the money stands: every account in words, what is pending, and whether the books balance."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.money import MICRO, Currency, Money, format_micro
from fairframe.library.tables import contributor
from fairframe.platform.tx import Tx
from fairframe.royalties import allocate
from fairframe.royalties.ledger import CASH, CLEARING, LIBRARY, TAX, WITHHOLDING
from fairframe.royalties.trial import Trial, trial

WORDS = {
    CASH: "money held",
    "receivable": "invoiced, not paid yet",
    CLEARING: "invoiced, to be earned when paid",
    LIBRARY: "earned by the library",
    TAX: "tax to hand on",
    "pool": "contributors' pool, not yet allocated",
    "contributor": "owed to a contributor, not released",
    "payable": "payable to a contributor",
    "carry": "carried for a contributor, below a minor unit",
    "reserve": "in a payout batch, not sent",
    "transit": "sent to the bank, not settled",
    WITHHOLDING: "tax withheld from payouts, to hand on",
}
PASSING = ("pool", "receivable", CLEARING, "carry", "reserve", "transit")
"""Accounts that are left out when they are empty."""


@dataclass(frozen=True)
class AccountLine:
    """amount_micro: what is held or, for accounts of the other side, what is owed or earned; so rarely negative."""

    account: str
    words: str
    name: str
    currency: str
    amount_micro: int

    @property
    def amount(self) -> str:
        return format_micro(self.amount_micro, Currency(self.currency))

    @property
    def payable(self) -> Money:
        """The whole minor units in it."""
        return Money(max(self.amount_micro, 0) // MICRO, Currency(self.currency))


@dataclass(frozen=True)
class Position:
    """accounts: cash, invoices, library, tax, open pools, contributors by name.

    pending: revenue that waits for allocation.
    """

    accounts: list[AccountLine]
    pending: list[allocate.Allocated]
    trial: Trial


def balance(tx: Tx) -> Position:
    """The position now. Settled pools and paid invoices (balance zero) are left out."""
    checked = trial(tx)
    names = _names(tx, (one.account for one in checked.balances))
    lines: list[AccountLine] = []
    for one in checked.balances:
        head, _, public_id = one.account.partition(":")
        if head in PASSING and one.amount_micro == 0:
            continue
        amount = one.amount_micro if head in (CASH, "receivable") else -one.amount_micro
        words = WORDS.get(head, head)
        lines.append(AccountLine(one.account, words, names.get(public_id, ""), one.currency, amount))
    order = list(WORDS)
    lines.sort(key=lambda x: (x.currency, order.index(h) if (h := x.account.split(":")[0]) in order else 99, x.name))
    return Position(lines, allocate.pending(tx), checked)


def _names(tx: Tx, accounts: Iterable[str]) -> dict[str, str]:
    ids = sorted({public_id for account in accounts if (public_id := account.partition(":")[2]).startswith("ctr_")})
    names: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        chunk = contributor.c.public_id.in_(ids[start : start + 500])
        names |= {row["public_id"]: row["name"] for row in tx.rows(sa.select(contributor).where(chunk))}
    return names
