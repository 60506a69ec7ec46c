"""What contributors earned, by the ledger: owed to them and paid to them together, so less what was taken back."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.library.tables import contributor
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import ledger
from fairframe.royalties.tables import payout


@dataclass(frozen=True)
class Earned:
    """One contributor (public id) in one currency: earned_micro is balance and payouts together."""

    contributor: str
    currency: str
    earned_micro: int
    paid_minor: int


def earnings(tx: Tx, who: Row | None = None) -> Iterator[Earned]:
    """Every contributor's earnings, or one's; by account and currency."""
    paid = _paid(tx, who)
    account = None if who is None else ledger.accrued(who["public_id"])
    for one in ledger.balances(tx, account):
        head, _, public_id = one.account.partition(":")
        if head == "contributor":
            minor = paid.get((public_id, one.currency), 0)
            yield Earned(public_id, one.currency, -one.amount_micro + minor * MICRO, minor)


def _paid(tx: Tx, who: Row | None) -> dict[tuple[str, str], int]:
    statement = (
        sa.select(contributor.c.public_id, payout.c.currency, sa.func.sum(payout.c.amount_minor).label("minor"))
        .join(contributor, contributor.c.id == payout.c.contributor_id)
        .group_by(contributor.c.public_id, payout.c.currency)
    )
    if who is not None:
        statement = statement.where(contributor.c.id == who["id"])
    return {(row["public_id"], row["currency"]): int(row["minor"]) for row in tx.rows(statement)}
