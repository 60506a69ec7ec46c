"""Where the money stands: every account in words, what is pending, and whether the books balance."""

from dataclasses import dataclass

from fairframe.core.money import MICRO, Currency, Money, format_micro
from fairframe.platform.tx import Tx
from fairframe.royalties import accounts, allocate, remittances
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
class Remitted:
    account: str
    currency: str
    amount_minor: int
    count: int

    @property
    def words(self) -> str:
        """One line for people."""
        amount = Money(self.amount_minor, Currency(self.currency))
        return f"{remittances.WORDS[self.account]}: {amount} ({self.count})"


@dataclass(frozen=True)
class Position:
    """accounts: in the order of accounts.WORDS, then by name. pending: revenue that waits for allocation. remitted:
    what left the library's cash for good, by account and currency."""

    accounts: list[AccountLine]
    pending: list[allocate.Allocated]
    trial: Trial
    remitted: list[Remitted]


def balance(tx: Tx, *, settled: bool = False) -> Position:
    """The position now. settled: with the accounts in which something was booked and nothing is left."""
    checked = trial(tx)
    named = accounts.names(tx, (one.account for one in checked.balances))
    lines: list[AccountLine] = []
    for one in checked.balances:
        if one.amount_micro == 0 and not settled:
            continue
        kind = accounts.kind_of(one.account)
        amount = one.amount_micro if kind in accounts.ASSETS else -one.amount_micro
        words = accounts.WORDS.get(kind, kind)
        lines.append(AccountLine(one.account, words, named.get(one.account, ""), one.currency, amount))
    lines.sort(key=lambda x: (x.currency, accounts.rank(x.account), x.name))
    return Position(lines, allocate.pending(tx), checked, _remitted(tx))


def _remitted(tx: Tx) -> list[Remitted]:
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in remittances.listing(tx):
        key = row["account"], row["currency"]
        amount, count = sums.get(key, (0, 0))
        sums[key] = amount + int(row["amount_minor"]), count + 1
    return [Remitted(*key, *found) for key, found in sorted(sums.items())]
