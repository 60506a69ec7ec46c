"""No key of an append-only table lets a later row take the place of an earlier one, whoever connects."""

import importlib
import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.platform.database import APPEND_ONLY, metadata
from fairframe.platform.workspace import Workspace

for stage in ("platform", "library", "rights", "curation", "dataset", "training", "generation", "royalties"):
    importlib.import_module(f"fairframe.{stage}.tables")


def keys_of(table: sa.Table) -> list[list[str]]:
    unique = [c for c in table.constraints if isinstance(c, (sa.PrimaryKeyConstraint, sa.UniqueConstraint))]
    return sorted([column.name for column in constraint.columns] for constraint in unique)


def filled(table: sa.Table, number: int) -> dict[str, Any]:
    """A row of anything: as text or as a number, the same number wants another row."""
    return {
        column.name: number if isinstance(column.type, (sa.Integer, sa.Boolean)) else f"{number}"
        for column in table.columns
    }


def put(conn: sqlite3.Connection, verb: str, table: sa.Table, row: dict[str, Any]) -> None:
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    conn.execute(f"{verb} into {table.name} ({names}) values ({marks})", list(row.values()))


def with_legs(conn: sqlite3.Connection, number: int) -> None:
    """What lets a ledger transaction of that number balance."""
    for amount in (1, -1):
        leg = {"txn": f"{number}", "account": "a", "currency": "USD", "amount_micro": amount}
        put(conn, "insert", metadata.tables["ledger_leg"], leg)


def test_a_connection_without_recursive_triggers_replaces_no_row_by_any_key(library: Workspace) -> None:
    if library.engine.dialect.name != "sqlite":
        pytest.skip("INSERT OR REPLACE is of SQLite")
    tables = [metadata.tables[name] for name in APPEND_ONLY]
    number = 1000
    with sqlite3.connect(library.root / "fairframe.db") as conn:
        conn.execute("pragma ignore_check_constraints = on")
        assert conn.execute("pragma recursive_triggers").fetchone() == (0,)
        for table in tables:
            for key in keys_of(table):
                number += 2
                first, second = filled(table, number), filled(table, number + 1)
                second |= {name: first[name] for name in key}
                if table.name == "ledger_txn":
                    with_legs(conn, number)
                    with_legs(conn, number + 1)
                if table.name == "period":
                    ((first["from_ms"],),) = conn.execute("select coalesce(max(to_ms), 0) from period").fetchall()
                put(conn, "insert", table, first)
                with pytest.raises(sqlite3.IntegrityError, match=f"{table.name} is append-only"):
                    put(conn, "insert or replace", table, second)
        conn.rollback()
    conn.close()


def test_an_upsert_is_refused(library: Workspace) -> None:
    upsert = "insert into party select * from party where true on conflict (public_id) do update set name = 'Mallory'"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), library.write() as tx:
        tx.execute(sa.text(upsert))
