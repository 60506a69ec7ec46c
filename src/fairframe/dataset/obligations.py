"""Obligations to delete: what is owed for a delivery, what of it is settled, and what is overdue.

Overdue is not written down: it follows from the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.dataset.tables import feed_entry, obligation, obligation_event
from fairframe.platform.database import made_id
from fairframe.platform.tx import Row, Tx, WriteTx

MAX_ROWS = 10_000


@dataclass(frozen=True)
class Owed:
    """Items of a delivery that the lab was told to delete: all, those not attested yet, and of these the overdue.

    due_ms: when the first of the open ones is due; None where none is open.
    """

    items: int
    open: int
    overdue: int
    due_ms: int | None


def owe(tx: WriteTx, direction: str, party: str, family: str, after: int, deletion_ms: int) -> None:
    """Write the obligation to delete each item that the family's feed entries after a number take back, unless it
    stands: due `deletion_ms` after the entry that names the item first. Each entry is followed by this, so that an
    obligation stands where an older entry names the item."""
    older = feed_entry.alias("older")
    stands = sa.select(older.c.id).where(
        older.c.item == feed_entry.c.item,
        older.c.delivery == feed_entry.c.delivery,
        older.c.direction == direction,
        older.c.seq < feed_entry.c.seq,
    )
    rows = (
        sa.select(
            made_id(tx.conn, "obl").label("public_id"),
            sa.literal(direction).label("direction"),
            sa.literal(party).label("party"),
            feed_entry.c.delivery,
            feed_entry.c.item,
            sa.literal("delete").label("kind"),
            (feed_entry.c.effective_ms + deletion_ms).label("due_ms"),
        )
        .where(feed_entry.c.direction == direction, feed_entry.c.family == family, feed_entry.c.seq > after)
        .where(~stands.exists())
        .order_by(feed_entry.c.seq)
    )
    tx.insert_from(obligation, rows)


def owed(tx: Tx, delivery: str, direction: str) -> Owed:
    """What is owed for a delivery now."""
    where = (obligation.c.delivery == delivery) & (obligation.c.direction == direction)
    late = sa.func.coalesce(sa.func.sum(sa.case((obligation.c.due_ms < tx.now_ms, 1), else_=0)), 0)
    due = sa.select(sa.func.count().label("open"), late.label("late"), sa.func.min(obligation.c.due_ms).label("due"))
    row = tx.row(due.where(is_open(delivery, direction)))
    assert row is not None
    return Owed(
        items=int(tx.scalar(sa.select(sa.func.count()).select_from(obligation).where(where))),
        open=int(row["open"]),
        overdue=int(row["late"]),
        due_ms=row["due"],
    )


def overdue(tx: Tx, due_ms: int) -> bool:
    return tx.now_ms > due_ms


def open_obligations(tx: Tx, delivery: str, direction: str) -> Sequence[Row]:
    """Obligations of a delivery that are not attested yet, oldest first."""
    return tx.rows(obligation.select().where(is_open(delivery, direction)).order_by(obligation.c.id))


def is_open(delivery: str, direction: str) -> sa.ColumnElement[bool]:
    """Whether an obligation is one of a delivery's that is not attested yet."""
    settled = sa.select(obligation_event.c.id).where(obligation_event.c.obligation_id == obligation.c.id).exists()
    return (obligation.c.delivery == delivery) & (obligation.c.direction == direction) & ~settled


def settle(tx: WriteTx, due: Sequence[int], attestation: str) -> None:
    """Write that an attestation settles obligations, by their ids."""
    rows = [{"obligation_id": key, "kind": "attested", "document": attestation} for key in due]
    for start in range(0, len(rows), MAX_ROWS):
        tx.insert_many(obligation_event, rows[start : start + MAX_ROWS])
