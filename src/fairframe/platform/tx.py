"""Transactions. A write buffers its audit entries and appends them as its last statements, then commits.

Every row that it inserts into an append-only table stands in one of these entries (audit_rows.py). Time within a
workspace never goes back: a transaction's time is the clock's, or that of the last audit entry where a clock lags.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.platform import audit, audit_rows

if TYPE_CHECKING:
    from fairframe.platform.workspace import Workspace

Row = sa.RowMapping


@dataclass(frozen=True)
class Tx:
    """A read transaction: one snapshot, one point in time (`now_ms`)."""

    ws: "Workspace"
    conn: sa.Connection
    now_ms: int

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        return self.conn.execute(statement, parameters)

    def rows(self, statement: sa.Executable) -> Sequence[Row]:
        return self.conn.execute(statement).mappings().all()

    def row(self, statement: sa.Executable) -> Row | None:
        return self.conn.execute(statement).mappings().first()

    def scalar(self, statement: sa.Executable) -> Any:
        return self.conn.execute(statement).scalar()


@dataclass(frozen=True)
class WriteTx(Tx):
    """A write transaction. Decisions take it and never commit."""

    entries: list[audit.Entry] = field(default_factory=list[audit.Entry])
    added: dict[str, list[audit_rows.Run]] = field(default_factory=dict[str, list[audit_rows.Run]])

    def insert(self, table: sa.Table, **values: Any) -> int:
        """Insert one row and return its id."""
        if "recorded_at_ms" in table.c and "recorded_at_ms" not in values:
            values["recorded_at_ms"] = self.now_ms
        result: sa.CursorResult[Any] = self.conn.execute(table.insert().values(**values))
        assert result.inserted_primary_key is not None
        key = int(result.inserted_primary_key[0])
        self._note(table, [key])
        return key

    def insert_many(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        stamp = {"recorded_at_ms": self.now_ms} if "recorded_at_ms" in table.c else {}
        keys = self.reserve(table, len(rows))
        self.conn.execute(table.insert(), [{**stamp, **row, "id": key} for key, row in zip(keys, rows, strict=True)])

    def insert_from(self, table: sa.Table, rows: "sa.Select[*tuple[Any, ...]]") -> int:
        """Insert what a query finds, its columns under their labels, and return how many rows those are.

        For many rows at once: the database makes them, and only their ids come back.
        """
        if "recorded_at_ms" in table.c and "recorded_at_ms" not in rows.selected_columns:
            rows = rows.add_columns(sa.literal(self.now_ms, sa.BigInteger).label("recorded_at_ms"))
        statement = table.insert().from_select(list(rows.selected_columns.keys()), rows).returning(table.c.id)
        keys = sorted(self.conn.execute(statement).scalars().all())
        self._note(table, keys)
        return len(keys)

    def reserve(self, table: sa.Table, count: int) -> list[int]:
        """Ids for rows that the caller inserts next, for bulk inserts of its own."""
        keys = audit_rows.reserve(self.conn, table, count)
        self._note(table, keys)
        return keys

    def _note(self, table: sa.Table, keys: Sequence[int]) -> None:
        if audit_rows.stands_for(table):
            audit_rows.note(self.added, table, keys)

    def record(
        self, kind: str, subject: str, body: Mapping[str, Any], private: Mapping[str, str] | None = None
    ) -> None:
        """Buffer an audit entry. `private` values (personal data) enter the tree as salted commitments only."""
        self.entries.append(audit.Entry(kind, subject, dict(body), dict(private or {})))


@contextmanager
def reading(ws: "Workspace") -> Generator[Tx]:
    options: dict[str, Any] = {"read_only": True}
    if ws.engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with ws.engine.connect().execution_options(**options) as conn, conn.begin():
        yield Tx(ws, conn, _now_ms(ws, conn))


@contextmanager
def writing(ws: "Workspace") -> Generator[WriteTx]:
    with ws.engine.connect() as conn, conn.begin():
        tx = WriteTx(ws, conn, _now_ms(ws, conn))
        yield tx
        audit.append(conn, tx.now_ms, audit_rows.with_rows(conn, tx.entries, tx.added))


def _now_ms(ws: "Workspace", conn: sa.Connection) -> int:
    # a stepped or restored clock, or another machine's: a later word would else count as the earlier one
    return max(ws.clock(), audit.last_ms(conn))
