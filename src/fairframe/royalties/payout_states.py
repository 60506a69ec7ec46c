"""The states of a payout, which step leads from which to which, and the money that each step moves. Pure.

    payable -reserve-> reserved -submit-> submitted -settle-> settled
                          |                   |                  |
                          +-cancel-> canceled +---- return ------+-> returned

Before a payout there are only accounts: what a contributor is entitled to is accrued, and a release makes whole minor
units of it payable. In each state the gross amount lies in certain accounts; a step takes it out of the ones and
puts it into the others, so that a return gives back all of it, with what was withheld.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from fairframe.core.errors import Refused
from fairframe.core.money import MICRO
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, WITHHOLDING, Leg
from fairframe.royalties.payout_rules import MOST_MICRO

State = Literal["reserved", "submitted", "settled", "returned", "canceled"]
Step = Literal["submit", "settle", "return", "cancel"]
STATES: tuple[State, ...] = get_args(State)

STEPS: Mapping[tuple[State, Step], State] = {
    ("reserved", "submit"): "submitted",
    ("reserved", "cancel"): "canceled",
    ("submitted", "settle"): "settled",
    ("submitted", "return"): "returned",
    ("settled", "return"): "returned",
}
"""The whole table; what is not in it is refused."""

DONE: Mapping[Step, tuple[State, ...]] = {
    "submit": ("submitted", "settled", "returned"),
    "settle": ("settled",),
    "return": ("returned",),
    "cancel": ("canceled",),
}
"""States in which a step was done already: doing it again changes nothing."""

LIVE: tuple[State, ...] = ("reserved", "submitted", "settled")
"""States in which the amount is not in the contributor's accounts."""


@dataclass(frozen=True)
class Parts:
    """A payout's amounts: gross leaves the contributor's account, withheld_minor of it is kept for the tax office."""

    payout: str
    contributor: str
    currency: str
    gross_minor: int
    withheld_minor: int

    @property
    def net_minor(self) -> int:
        """What the payee gets."""
        return self.gross_minor - self.withheld_minor


def after(payout: str, state: State, step: Step) -> State:
    """The state that a step leads to. Raises Refused (payout.state)."""
    found = STEPS.get((state, step))
    if found is None:
        possible = ", ".join(name for at, name in STEPS if at == state)
        raise Refused(
            f"a payout that is {state} has no step {step!r}",
            code="payout.state",
            where=payout,
            remedy=f"Possible: {possible}" if possible else "It is at its end: what went back is paid by another batch",
        )
    return found


def placed(state: State | None, parts: Parts) -> dict[str, int]:
    """Where the gross amount lies in a state (None: not reserved yet), in micro units by the ledger's sign."""
    where = {
        "reserved": ledger.reserve(parts.payout),
        "submitted": ledger.transit(parts.payout),
        "settled": CASH,
    }
    if state not in where:
        return {ledger.payable(parts.contributor): -parts.gross_minor * MICRO}
    return {where[state]: -parts.net_minor * MICRO, WITHHOLDING: -parts.withheld_minor * MICRO}


def move(parts: Parts, before: State | None, now: State) -> list[Leg]:
    """The legs of a step: out of where the amount lay, into where it lies. They sum to zero."""
    sums = placed(now, parts)
    for account, amount in placed(before, parts).items():
        sums[account] = sums.get(account, 0) - amount
    return [Leg(account, parts.currency, amount) for account, amount in sums.items() if amount]


def joined(legs: list[Leg]) -> list[Leg]:
    """The legs of many payouts of a currency as one posting: one leg per account, more where one cannot hold the sum.

    Their order keeps each sum of the first of them within what a leg holds: SQLite's sum() is of 64 bits.
    """
    sums: dict[tuple[str, str], int] = {}
    for leg in legs:
        sums[leg.account, leg.currency] = sums.get((leg.account, leg.currency), 0) + leg.amount_micro
    parts = [Leg(*of, amount) for of, whole in sums.items() for amount in _held(whole)]
    if max((abs(whole) for whole in sums.values()), default=0) <= MOST_MICRO:
        return parts
    taken = [leg for leg in parts if leg.amount_micro < 0]
    given = [leg for leg in parts if leg.amount_micro > 0]
    ordered, held = list[Leg](), 0
    while taken or given:
        ordered.append(given.pop() if given and (held <= 0 or not taken) else taken.pop())
        held += ordered[-1].amount_micro
    return ordered


def _held(amount: int) -> list[int]:
    """An amount as amounts that a leg holds; none for zero."""
    sign, rest = (1 if amount > 0 else -1), abs(amount)
    count, last = divmod(rest, MOST_MICRO)
    return [sign * MOST_MICRO] * count + ([sign * last] if last else [])
