"""Obligations to delete: what is owed for a delivery, what of it is settled, and what is overdue.

Overdue is not written down: it follows from the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.ids import new_id
from fairframe.dataset.tables import obligation, obligation_event
from fairframe.platform.tx import Row, Tx, WriteTx


@dataclass(frozen=True)
class Owed:
    """Items of a delivery that the lab was told to delete: all, those not attested yet, and of these the overdue.

    due_ms: when the first of the open ones is due; None where none is open.
    """

    items: int
    open: int
    overdue: int
    due_ms: int | None


def owe(tx: WriteTx, direction: str, party: str, delivery: str, name: str, due_ms: int) -> None:
    """Write the obligation to delete an item of a delivery, unless it stands."""
    where = (obligation.c.direction == direction) & (obligation.c.delivery == delivery) & (obligation.c.item == name)
    if tx.scalar(sa.select(obligation.c.id).where(where)) is None:
        row = {"party": party, "delivery": delivery, "item": name, "kind": "delete", "due_ms": due_ms}
        tx.insert(obligation, public_id=new_id("obl"), direction=direction, **row)


def owed(tx: Tx, delivery: str, direction: str) -> Owed:
    """What is owed for a delivery now."""
    where = (obligation.c.delivery == delivery) & (obligation.c.direction == direction)
    due = [row["due_ms"] for row in open_obligations(tx, delivery, direction)]
    return Owed(
        items=int(tx.scalar(sa.select(sa.func.count()).select_from(obligation).where(where))),
        open=len(due),
        overdue=sum(overdue(tx, due_ms) for due_ms in due),
        due_ms=min(due, default=None),
    )


def overdue(tx: Tx, due_ms: int) -> bool:
    return tx.now_ms > due_ms


def open_obligations(tx: Tx, delivery: str, direction: str) -> Sequence[Row]:
    """Obligations of a delivery that are not attested yet, oldest first."""
    settled = sa.select(obligation_event.c.id).where(obligation_event.c.obligation_id == obligation.c.id).exists()
    where = (obligation.c.delivery == delivery) & (obligation.c.direction == direction) & ~settled
    return tx.rows(obligation.select().where(where).order_by(obligation.c.id))


def settle(tx: WriteTx, due: Sequence[Row], attestation: str) -> None:
    """Write that an attestation settles obligations."""
    for row in due:
        tx.insert(obligation_event, obligation_id=row["id"], kind="attested", document=attestation)
