"""What moved a contributor's position: the legs on their accounts, together for each transaction.

The position is what is accrued, payable and carried. A release only moves it between these, so it changes nothing.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.platform.tx import Tx
from fairframe.royalties import ledger
from fairframe.royalties.tables import ledger_leg, ledger_txn


@dataclass
class Movement:
    """A transaction's effect in micro units, positive where it is owed to the contributor; payable and carry: of
    amount, what is on these accounts."""

    txn: str
    kind: str
    subject: str
    memo: str
    effective_ms: int
    amount: int = 0
    payable: int = 0
    carry: int = 0


def movements(tx: Tx, contributor: str, currency: str, until_ms: int) -> list[Movement]:
    """All with an accounting date before until_ms, in the order of booking."""
    payable, carry = ledger.payable(contributor), ledger.carry(contributor)
    statement = (
        sa.select(
            ledger_leg.c.txn,
            ledger_leg.c.account,
            ledger_leg.c.amount_micro,
            ledger_txn.c.kind,
            ledger_txn.c.subject,
            ledger_txn.c.memo,
            ledger_txn.c.effective_ms,
        )
        .join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn)
        .where(
            ledger_leg.c.account.in_([ledger.accrued(contributor), payable, carry]),
            ledger_leg.c.currency == currency,
            ledger_txn.c.effective_ms < until_ms,
        )
        .order_by(ledger_txn.c.id, ledger_leg.c.id)
    )
    found: dict[str, Movement] = {}
    for row in tx.rows(statement):
        header = (row["txn"], row["kind"], row["subject"], row["memo"], row["effective_ms"])
        one = found.setdefault(row["txn"], Movement(*header))
        one.amount -= row["amount_micro"]
        one.payable -= row["amount_micro"] if row["account"] == payable else 0
        one.carry -= row["amount_micro"] if row["account"] == carry else 0
    return list(found.values())
