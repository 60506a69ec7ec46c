"""The revenue that an allocation split, as a statement tells of it."""

from typing import Any

import sqlalchemy as sa

from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import events
from fairframe.royalties.tables import ledger_txn, revenue_event


def revenue_of(tx: Tx, event: Row) -> dict[str, Any]:
    """As statement_body describes it. A refund says what was left, before it, of the event that it takes from."""
    return {
        "event": event["public_id"],
        "kind": event["kind"],
        "effective_at": to_rfc3339(event["effective_ms"]),
        "quantity": None if event["quantity"] is None else str(event["quantity"]),
        "of": _of(tx, event),
        "gross_minor": str(event["gross_minor"]),
        "tax_minor": str(event["tax_minor"]),
        "net_minor": str(event["net_minor"]),
    }


def _of(tx: Tx, event: Row) -> dict[str, str] | None:
    if event["of_id"] is None:
        return None
    other = events.of_row(tx, event["of_id"])
    taken = _taken_before(tx, event) if event["kind"] in events.TAKEN else (0, 0)
    left = other["gross_minor"] - taken[0], other["tax_minor"] - taken[1]
    return {"event": other["public_id"], "left_gross_minor": str(left[0]), "left_tax_minor": str(left[1])}


def _taken_before(tx: Tx, event: Row) -> tuple[int, int]:
    """Gross and tax that refunds and chargebacks had taken from the same event when this one was booked: those that
    were booked before it, and not taken back themselves by then."""
    c, back = revenue_event.c, ledger_txn.alias("back")
    booked = sa.select(sa.func.min(ledger_txn.c.id)).where(ledger_txn.c.subject == event["public_id"])
    gone = sa.exists().where(
        back.c.kind == events.CORRECTION, back.c.subject == c.public_id, back.c.id < booked.scalar_subquery()
    )
    sums = sa.select(sa.func.sum(c.gross_minor).label("gross"), sa.func.sum(c.tax_minor).label("tax"))
    where = (c.of_id == event["of_id"]) & c.kind.in_(events.TAKEN) & (c.id < event["id"])
    row = tx.row(sums.where(where, ~gone))
    return (0, 0) if row is None else (int(row["gross"] or 0), int(row["tax"] or 0))
