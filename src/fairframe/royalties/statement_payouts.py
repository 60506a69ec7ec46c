"""The payouts in a statement: each with the steps that it took in the period, and what they took from the position."""

from typing import Any

import sqlalchemy as sa

from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.tables import ledger_txn, payout


def payout_lines(tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """A contributor's payouts with a step dated in [from_ms, to_ms), oldest first, as statement_body describes them."""
    posted = (ledger_txn.c.subject == payout.c.public_id) & (ledger_txn.c.kind == "payout")
    statement = (
        sa.select(payout, ledger_txn.c.effective_ms, ledger_txn.c.public_id.label("txn"))
        .join(ledger_txn, posted)
        .where(payout.c.contributor_id == contributor["id"], payout.c.currency == currency)
        .where(ledger_txn.c.effective_ms >= from_ms, ledger_txn.c.effective_ms < to_ms)
        .order_by(payout.c.id)
    )
    return [
        {
            "payout": row["public_id"],
            "reference": row["reference"],
            "gross_minor": str(row["amount_minor"]),
            "withheld_minor": "0",
            "steps": [
                {
                    "state": "settled",
                    "transaction": row["txn"],
                    "booked_at": to_rfc3339(row["effective_ms"]),
                    "paid_minor": str(row["amount_minor"]),
                    "withheld_minor": "0",
                }
            ],
        }
        for row in tx.rows(statement)
    ]
