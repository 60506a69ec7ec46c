"""Many rows into one table: COPY on PostgreSQL (pipelined inserts are ten times slower), executemany on SQLite."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from fairframe.platform.tx import WriteTx

BATCH = 50_000


def insert_rows(tx: WriteTx, table: sa.Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert rows given as tuples in the order of `columns`; returns how many. Memory is one batch."""
    names = ", ".join(columns)
    count = 0
    if tx.conn.dialect.name == "postgresql":
        cursor: Any = tx.conn.connection.cursor()
        with cursor, cursor.copy(f"copy {table.name} ({names}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        return count
    places = ", ".join("?" for _ in columns)
    statement = f"insert into {table.name} ({names}) values ({places})"  # noqa: S608 - names are our own
    source = iter(rows)
    while batch := [tuple(row) for row in islice(source, BATCH)]:
        tx.conn.exec_driver_sql(statement, batch)
        count += len(batch)
    return count
