"""Where the money stands: every account in words, what is pending, and whether the books balance."""

from dataclasses import dataclass

from fairframe.core.money import MICRO, Currency, Money, format_micro
from fairframe.platform.tx import Tx
from fairframe.royalties import accounts, allocate
from fairframe.royalties.trial import Trial, trial


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
    """accounts: in the order of accounts.WORDS, then by name. pending: revenue that waits for allocation."""

    accounts: list[AccountLine]
    pending: list[allocate.Allocated]
    trial: Trial


def balance(tx: Tx) -> Position:
    """The position now. What is settled (a balance of zero) is left out, except where accounts.STANDING says so."""
    checked = trial(tx)
    named = accounts.names(tx, (one.account for one in checked.balances))
    lines: list[AccountLine] = []
    for one in checked.balances:
        kind = accounts.kind_of(one.account)
        if one.amount_micro == 0 and kind not in accounts.STANDING:
            continue
        amount = one.amount_micro if kind in accounts.ASSETS else -one.amount_micro
        words = accounts.WORDS.get(kind, kind)
        lines.append(AccountLine(one.account, words, named.get(one.account, ""), one.currency, amount))
    lines.sort(key=lambda x: (x.currency, accounts.rank(x.account), x.name))
    return Position(lines, allocate.pending(tx), checked)
