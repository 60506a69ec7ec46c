"""Transactions. A write buffers its audit entries and appends them as its last statements, then commits."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.platform import audit

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

    def insert(self, table: sa.Table, **values: Any) -> int:
        """Insert one row and return its id (0 for tables without one)."""
        if "recorded_at_ms" in table.c and "recorded_at_ms" not in values:
            values["recorded_at_ms"] = self.now_ms
        result = self.conn.execute(table.insert().values(**values))
        return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

    def insert_many(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        stamp = {"recorded_at_ms": self.now_ms} if "recorded_at_ms" in table.c else {}
        self.conn.execute(table.insert(), [{**stamp, **row} for row in rows])

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
        yield Tx(ws, conn, ws.clock())


@contextmanager
def writing(ws: "Workspace") -> Generator[WriteTx]:
    with ws.engine.connect() as conn, conn.begin():
        tx = WriteTx(ws, conn, ws.clock())
        yield tx
        audit.append(conn, tx.now_ms, tx.entries)
