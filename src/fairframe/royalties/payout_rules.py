"""Who is paid how much, and who is left out and why. Pure; the amounts are in micro units, positive where owed.

A release takes what is accrued and no longer held: whole minor units become payable, the rest is carried to the next
release. It asks for a tax form and that nobody is blocked. A contributor who owes something (a receipt was taken
back after it was paid) gives it from what is payable first, whatever holds; below a minor unit it is no debt that
stops a payout.

What counts against a hold is every entitlement that is younger than the hold, whether or not some of it was taken
back since: that errs on the side of waiting, and ends with the hold.
"""

from dataclasses import dataclass
from typing import Literal

from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS
from fairframe.royalties import ledger
from fairframe.royalties.ledger import Leg

Reason = Literal["", "negative", "blocked", "no_tax_form", "held", "below_threshold", "no_country", "no_account"]
REASONS: dict[Reason, str] = {
    "negative": "negative balance",
    "blocked": "blocked",
    "no_tax_form": "no tax form",
    "held": "held",
    "below_threshold": "below the threshold",
    "no_country": "no country, by which tax is withheld",
    "no_account": "no account to pay to",
}
MOST_MICRO = ledger.MAX_MICRO // 2 // MICRO * MICRO
"""What one release or payout can move: a leg holds it, and so does what is left."""


@dataclass(frozen=True)
class Policy:
    """What a library asks before it pays. threshold_minor: at least so much is paid. hold_days: after the accounting
    date of an entitlement; with 0, until that date. tax_form: whether a payee needs one."""

    threshold_minor: int = 1
    hold_days: int = 0
    tax_form: bool = False

    def held_since(self, at_ms: int) -> int:
        """Entitlements with a later accounting date are held."""
        return at_ms - self.hold_days * DAY_MS


@dataclass(frozen=True)
class Standing:
    """A contributor's accounts in one currency. accrued_micro may be negative. held_micro: of what is accrued.

    next_ms: when the oldest of what is held comes free; None where nothing is held.
    """

    accrued_micro: int
    payable_micro: int = 0
    carry_micro: int = 0
    held_micro: int = 0
    next_ms: int | None = None

    @property
    def total_micro(self) -> int:
        return self.accrued_micro + self.payable_micro + self.carry_micro


@dataclass(frozen=True)
class Asked:
    """What a rule asks about a payee. country: whether it is known, or nothing depends on it."""

    blocked: bool = False
    tax_form: bool = False
    account: bool = False
    country: bool = True


@dataclass(frozen=True)
class Judged:
    """release_micro: what goes from accrued to payable (negative: back). gross_minor is 0 where reason is not ""."""

    release_micro: int
    gross_minor: int
    reason: Reason = ""
    until_ms: int | None = None


def judge(standing: Standing, payee: Asked, policy: Policy, *, by_hand: bool = False) -> Judged:
    """What to release and pay. by_hand: a person pays; the threshold and an account are not asked for."""
    gate: Reason = "blocked" if payee.blocked else "no_tax_form" if policy.tax_form and not payee.tax_form else ""
    moved = to_release(standing, open=not gate)
    whole, _ = released(moved, standing.carry_micro)
    minor = (standing.payable_micro + whole) // MICRO
    least = 1 if by_hand else max(1, policy.threshold_minor)
    if standing.total_micro <= -MICRO:
        return Judged(moved, 0, "negative")
    if gate:
        return Judged(moved, 0, gate)
    if minor < least:
        waits = standing.accrued_micro > 0 and standing.held_micro > 0
        return Judged(moved, 0, "held", standing.next_ms) if waits else Judged(moved, 0, "below_threshold")
    if not payee.country:
        return Judged(moved, 0, "no_country")
    if not (payee.account or by_hand):
        return Judged(moved, 0, "no_account")
    return Judged(moved, min(minor, MOST_MICRO // MICRO))


def to_release(standing: Standing, *, open: bool) -> int:
    """What goes from accrued to payable and carry; below zero: what fills a negative account from these.

    open: whether a release is permitted; filling always is.
    """
    if standing.accrued_micro < 0:
        return -min(-standing.accrued_micro, standing.payable_micro + standing.carry_micro, MOST_MICRO)
    free = standing.accrued_micro - standing.held_micro
    return min(max(free, 0), MOST_MICRO) if open else 0


def released(moved_micro: int, carry_micro: int) -> tuple[int, int]:
    """(what payable gains, what carry gains) by a release of moved_micro: payable stays whole, carry below a unit."""
    whole = (carry_micro + moved_micro) // MICRO * MICRO
    return whole, moved_micro - whole


def release_legs(contributor: str, currency: str, moved_micro: int, carry_micro: int) -> list[Leg]:
    """The legs of a release; they sum to zero. None for nothing."""
    whole, rest = released(moved_micro, carry_micro)
    amounts = {
        ledger.accrued(contributor): moved_micro,
        ledger.payable(contributor): -whole,
        ledger.carry(contributor): -rest,
    }
    return [Leg(account, currency, amount) for account, amount in amounts.items() if amount]


def withheld(gross_minor: int, rate: Share) -> int:
    """Tax that is kept back, rounded down to the minor unit."""
    return rate.of(gross_minor)
