"""The payouts in a statement: each with the steps that it took in the period, and what they took from the position."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.tables import ledger_txn, payout, payout_batch, payout_event

EFFECTS = {"reserved": 1, "returned": -1, "canceled": -1}
"""What a step does with a payout's amounts, seen from the contributor's accounts; the others move it further on."""


def payout_lines(tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int) -> list[dict[str, Any]]:
    """A contributor's payouts with a step dated in [from_ms, to_ms), oldest first, as statement_body describes them."""
    where = (
        payout.c.contributor_id == contributor["id"],
        payout.c.currency == currency,
        ledger_txn.c.effective_ms >= from_ms,
        ledger_txn.c.effective_ms < to_ms,
    )
    told = sa.func.coalesce(payout_batch.c.reference, payout.c.reference).label("told")
    columns = (payout, told, ledger_txn.c.effective_ms, ledger_txn.c.public_id.label("txn"))
    stepped = (
        sa.select(*columns, payout_event.c.state)
        .join(payout_event, payout_event.c.payout_id == payout.c.id)
        .join(ledger_txn, ledger_txn.c.public_id == payout_event.c.txn)
        .outerjoin(payout_batch, payout_batch.c.id == payout.c.payout_batch_id)
        .where(*where)
        .order_by(payout.c.id, payout_event.c.id)
    )
    # one that was paid before there were batches is the subject of its posting
    at_once = (
        sa.select(*columns, sa.literal("").label("state"))
        .join(ledger_txn, (ledger_txn.c.subject == payout.c.public_id) & (ledger_txn.c.kind == "payout"))
        .outerjoin(payout_batch, payout_batch.c.id == payout.c.payout_batch_id)
        .where(*where)
        .order_by(payout.c.id)
    )
    rows = sorted([*tx.rows(at_once), *tx.rows(stepped)], key=lambda row: row["id"])
    return [_line(list(steps)) for _, steps in groupby(rows, key=lambda row: row["id"])]


def _line(steps: Sequence[Row]) -> dict[str, Any]:
    first = steps[0]
    return {
        "payout": first["public_id"],
        "reference": first["told"],
        "gross_minor": str(first["amount_minor"]),
        "withheld_minor": str(first["withheld_minor"] or 0),
        "steps": [_step(row) for row in steps],
    }


@dataclass(frozen=True)
class Standing:
    """A payout as its last step of a period left it. paid_minor, withheld_minor: what all its steps took together."""

    booked_at: str
    reference: str
    state: str
    paid_minor: int
    withheld_minor: int


def standings(body: dict[str, Any]) -> list[Standing]:
    """The payouts of a statement's body, each once."""
    return [
        Standing(
            one["steps"][-1]["booked_at"],
            one["reference"],
            one["steps"][-1]["state"],
            sum(int(step["paid_minor"]) for step in one["steps"]),
            sum(int(step["withheld_minor"]) for step in one["steps"]),
        )
        for one in body["payouts"]
    ]


def _step(row: Row) -> dict[str, str]:
    sign = EFFECTS.get(row["state"], 0) if row["state"] else 1
    withheld = row["withheld_minor"] or 0
    return {
        "state": row["state"] or "settled",
        "transaction": row["txn"],
        "booked_at": to_rfc3339(row["effective_ms"]),
        "paid_minor": str(sign * (row["amount_minor"] - withheld)),
        "withheld_minor": str(sign * withheld),
    }
