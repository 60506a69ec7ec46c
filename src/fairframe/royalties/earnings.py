"""What contributors earned, by the ledger: in their accounts and payouts, so less what was taken back."""

from collections.abc import Iterator
from dataclasses import dataclass

from fairframe.core.money import MICRO
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import ledger
from fairframe.royalties.payout_states import LIVE
from fairframe.royalties.payout_steps import listing, parts_of
from fairframe.royalties.standings import HEADS, accounts_of


@dataclass(frozen=True)
class Earned:
    """One contributor (public id) in one currency.

    earned_micro = what is in their accounts + sent_minor + paid_minor + withheld_minor, the latter three in minor
    units: in a batch that is not settled (gross), paid (net), and withheld for the tax office of what was paid.
    """

    contributor: str
    currency: str
    earned_micro: int
    sent_minor: int
    paid_minor: int
    withheld_minor: int


def earnings(tx: Tx, who: Row | None = None) -> Iterator[Earned]:
    """Every contributor's earnings, or one's; by contributor and currency."""
    held: dict[tuple[str, str], int] = {}
    accounts = (None,) if who is None else accounts_of(who["public_id"])
    for one in (one for account in accounts for one in ledger.balances(tx, account)):
        head, _, public_id = one.account.partition(":")
        if head in HEADS:
            key = (public_id, one.currency)
            held[key] = held.get(key, 0) - one.amount_micro
    out = _out(tx, who)
    for key in sorted(held):
        sent, paid, withheld = out.get(key, (0, 0, 0))
        yield Earned(*key, held[key] + (sent + paid + withheld) * MICRO, sent, paid, withheld)


def _out(tx: Tx, who: Row | None) -> dict[tuple[str, str], tuple[int, int, int]]:
    """What payouts hold: not settled (gross), settled (net), withheld of the settled."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for row in listing(tx, None, None if who is None else who["id"]):
        if row["state"] not in LIVE:
            continue
        parts, key = parts_of(row), (row["contributor"], row["currency"])
        sent, paid, kept = sums.get(key, (0, 0, 0))
        if row["state"] == "settled":
            sums[key] = sent, paid + parts.net_minor, kept + parts.withheld_minor
        else:
            sums[key] = sent + parts.gross_minor, paid, kept
    return sums
