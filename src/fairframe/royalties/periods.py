"""Accounting periods: half-open, by accounting date, each beginning where the last one ends; a closed one stays.

The first begins at 0, so that nothing can be dated before it either. closing.py closes them.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.platform.tx import Row, Tx
from fairframe.royalties.tables import period


@dataclass(frozen=True)
class Period:
    """A closed one: [from_ms, to_ms) by accounting date. digest: hex SHA-256 of its trial balance (closing.py)."""

    id: str
    from_ms: int
    to_ms: int
    digest: str
    envelope: bytes
    closed_ms: int


def closed_until(tx: Tx) -> int:
    """The end of the last closed period: an accounting date is this or later. 0: none is closed."""
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(period.c.to_ms), 0))))


def listing(tx: Tx) -> list[Period]:
    """The closed periods, oldest first."""
    return [_period(row) for row in tx.rows(period.select().order_by(period.c.to_ms))]


def _period(row: Row) -> Period:
    times = int(row["from_ms"]), int(row["to_ms"])
    return Period(row["public_id"], *times, row["digest"], row["envelope"].encode(), int(row["recorded_at_ms"]))
