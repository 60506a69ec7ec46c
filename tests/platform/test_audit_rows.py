"""A row of an append-only table that is changed, deleted or added behind the program's back is found."""

import importlib
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.platform.audit_rows import stands_for
from fairframe.platform.audit_rows_check import check_rows
from fairframe.platform.database import metadata
from fairframe.platform.tables import document, party, peer_head, signing_key
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace

for stage in ("platform", "library", "rights", "curation", "dataset", "training", "generation", "royalties"):
    importlib.import_module(f"fairframe.{stage}.tables")

TABLES = [one for one in metadata.sorted_tables if stands_for(one)]
ROWS = 5
HOW = ("change", "delete", "insert")


def value(column: sa.Column[Any], number: int, words: dict[str, list[str]]) -> Any:
    """Something for a column; `words` are those that its check constraint knows."""
    if column.name in words:
        return words[column.name][0]
    if isinstance(column.type, sa.JSON):
        return {"n": number}
    if isinstance(column.type, sa.Boolean):
        return False
    if not isinstance(column.type, sa.Integer):
        return f"text {number}"
    return number + 1 if column.name == "to_ms" else number  # a time ends after its beginning


def words_of(table: sa.Table) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in table.constraints:
        if isinstance(one, sa.CheckConstraint) and " in (" in (text := str(one.sqltext)):
            name, _, listed = text.partition(" in (")
            found[name] = [word.strip(" '") for word in listed.rstrip(")").split(",")]
    return found


def unguard(conn: sa.Connection) -> None:
    """What the owner of the database can do: no triggers, no foreign keys."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("set session_replication_role = replica"))
        return
    for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
        conn.execute(sa.text(f"drop trigger {name}"))


def fill(tx: WriteTx, table: sa.Table) -> None:
    words = words_of(table)
    rows = [{c.name: value(c, number, words) for c in table.columns if c.name != "id"} for number in range(1, ROWS + 1)]
    tx.insert(table, **rows[0])
    tx.insert_many(table, rows[1:-1])
    tx.insert(table, **rows[-1])


@pytest.fixture
def full(library: Workspace) -> Workspace:
    """A library with rows in every append-only table, which mean nothing."""
    with library.engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            with conn.begin():
                unguard(conn)
    with library.write() as tx:
        if tx.conn.dialect.name == "postgresql":
            unguard(tx.conn)
        else:
            tx.conn.exec_driver_sql("pragma defer_foreign_keys = on")
        for table in TABLES:
            if table.name == "ownership":
                _own(tx, table)
            else:
                fill(tx, table)
        if tx.conn.dialect.name == "sqlite":
            tx.conn.exec_driver_sql("pragma defer_foreign_keys = off")
        tx.record("test.filled", "everything", {})
    return library


def _own(tx: WriteTx, table: sa.Table) -> None:
    for _ in range(ROWS):
        tx.insert(table, asset_id=1, contributor_id=1, share_num=1, share_den=1, valid_from_ms=1)


def problems(conn_ws: Workspace) -> list[str]:
    with conn_ws.read() as tx:
        return [one.text for one in check_rows(tx, TABLES) if not one.ok]


def tamper(tx: WriteTx, table: sa.Table, how: str, row: int, column: int) -> None:
    ids = list(tx.execute(sa.select(table.c.id).order_by(table.c.id)).scalars())
    key = ids[row % len(ids)]
    others = [c for c in table.columns if c.name != "id"]
    if how == "delete":
        tx.execute(table.delete().where(table.c.id == key))
    elif how == "insert":
        copied = dict(tx.rows(table.select().where(table.c.id == key))[0])
        unique = {
            c.name: 10**9 if isinstance(c.type, sa.Integer) else "new" for c in others if c.name not in words_of(table)
        }
        unique = {k: v for k, v in unique.items() if not isinstance(table.c[k].type, sa.JSON | sa.Boolean)}
        if table.name == "ownership":
            unique = {}
        if "to_ms" in unique:
            unique["to_ms"] += 1
        tx.execute(table.insert().values(copied | unique | {"id": max(ids) + 1 + row}))
    else:
        chosen = others[column % len(others)]
        words = words_of(table).get(chosen.name)
        now = tx.scalar(sa.select(chosen).where(table.c.id == key))
        if words:
            new: Any = next((one for one in words if one != now), None)
        elif isinstance(chosen.type, sa.JSON):
            new = {"n": "other"}
        elif isinstance(chosen.type, sa.Boolean):
            new = not now
        elif table.name == "ownership" and chosen.name.startswith("share"):
            chosen, new = table.c.share_den, 7
        else:
            if chosen.name == "from_ms" and "to_ms" in table.c:
                chosen = table.c.to_ms
            new = 10**9 + 7 if isinstance(chosen.type, sa.Integer) else "other"
        if new is None:  # only one word is known: the table itself
            tx.execute(table.delete().where(table.c.id == key))
        else:
            tx.execute(table.update().where(table.c.id == key).values({chosen: new}))


class Undo(Exception):
    """Takes a tampering back."""


def test_every_table_that_is_changed_deleted_from_or_added_to_is_named(full: Workspace) -> None:
    """Several tables are tampered with at once, each in one way, and just these are named, each once."""
    assert problems(full) == []
    seen = 0
    change = st.tuples(st.sampled_from(TABLES), st.sampled_from(HOW), st.integers(0, 9), st.integers(0, 40))

    @settings(max_examples=40)
    @given(st.lists(change, min_size=1, max_size=8, unique_by=lambda one: one[0].name))
    def check(changes: list[tuple[sa.Table, str, int, int]]) -> None:
        nonlocal seen
        seen += 1
        try:
            with full.write() as tx:
                if tx.conn.dialect.name == "postgresql":
                    unguard(tx.conn)
                else:
                    tx.conn.exec_driver_sql("pragma defer_foreign_keys = on")
                for one in changes:
                    tamper(tx, *one)
                found = [one.text for one in check_rows(tx, TABLES) if not one.ok]
                assert sorted(text.split(": ")[0] for text in found) == sorted(table.name for table, *_ in changes)
                raise Undo
        except Undo:
            pass

    check()
    assert seen
    assert problems(full) == []


@pytest.mark.parametrize(
    "statement",
    [
        "delete from disclosure where field = 'rows'",
        "update disclosure set value = replace(value, '1', '2') where field = 'rows'",
        "update audit_entry set body = replace(body, '\"rows\":', '\"other\":')",
    ],
)
def test_an_entry_that_no_longer_says_what_it_stands_for_is_found(library: Workspace, statement: str) -> None:
    with library.engine.begin() as conn:
        unguard(conn)
        conn.exec_driver_sql(statement)
    assert problems(library)


def test_a_transaction_without_words_still_stands_for_its_rows(library: Workspace) -> None:
    with library.write() as tx:
        tx.insert(peer_head, **_head(tx))
    assert problems(library) == []
    with library.read() as tx:
        assert tx.scalar(sa.text("select kind from audit_entry order by seq desc limit 1")) == "rows.added"


def test_a_savepoint_that_is_rolled_back_takes_its_rows_with_it(library: Workspace) -> None:
    with library.write() as tx:
        head = _head(tx)
        with pytest.raises(Undo), tx.conn.begin_nested():
            tx.insert_many(peer_head, [head] * 3)
            raise Undo
        tx.insert(peer_head, **head)
    assert problems(library) == []


def test_writers_beside_each_other_each_know_their_own_rows(library: Workspace) -> None:
    with library.write() as tx:
        head = _head(tx)

    def work() -> None:
        for size in (1, 2, 30, 3):
            with library.write() as tx:
                tx.insert_many(peer_head, [head] * size)
                tx.insert(peer_head, **head)
                tx.insert_many(peer_head, [head] * size)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with library.read() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(peer_head)) == 4 * (2 * 36 + 4)
    assert problems(library) == []


def test_no_personal_data_and_no_plain_digest_of_it_enters_the_tree(library: Workspace) -> None:
    with library.read() as tx:
        bodies = "".join(tx.execute(sa.text("select body from audit_entry")).scalars())
        opened = tx.scalar(sa.text("select value from disclosure where field = 'rows'"))
    assert '"rows":"' in bodies and str(opened) not in bodies
    assert {party.name, signing_key.name} == {name for name in ("party", "signing_key") if f'"{name}"' in str(opened)}


def _head(tx: WriteTx) -> dict[str, Any]:
    """A row of peer_head, and the document that it needs."""
    known = tx.scalar(sa.select(document.c.id).limit(1))
    if known is None:
        words = {"direction": "in"}
        row = {c.name: value(c, 1, {}) for c in document.columns if c.name != "id"} | words
        known = tx.insert(document, **row)
    return {"party": "pty", "tree_size": 1, "root": "00", "document_id": known}
