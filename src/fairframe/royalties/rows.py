"""Many rows into one table: COPY on PostgreSQL (pipelined inserts are ten times slower), executemany on SQLite."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from fairframe.platform.tx import WriteTx

BATCH = 50_000


def insert_rows(tx: WriteTx, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows given as tuples in the order of `columns`; returns how many. Memory is one batch."""
    source, count = iter(rows), 0
    while batch := list(islice(source, BATCH)):
        keys = tx.reserve(table, len(batch))
        _insert(tx.conn, table.name, ("id", *columns), [(key, *row) for key, row in zip(keys, batch, strict=True)])
        count += len(batch)
    return count


def _insert(conn: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names = ", ".join(columns)
    if conn.dialect.name == "postgresql":
        cursor: Any = conn.connection.cursor()
        with cursor, cursor.copy(f"copy {table} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" for _ in columns)
    statement = f"insert into {table} ({names}) values ({places})"  # noqa: S608 - names are our own
    conn.exec_driver_sql(statement, [tuple(row) for row in rows])
