"""Which rows an audit entry stands for: all those that its transaction inserted into append-only tables.

The last entry of a transaction commits to them, as to a private field called "rows", by canonical JSON
{table: {"ids": [[first, last], ...], "digest": hex}}. Rows hold personal data, so only the salted commitment enters
the tree; the disclosure beside it opens it. audit_rows_check.py reads the rows again.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import sqlalchemy as sa

from fairframe.core.canonical import canonical
from fairframe.platform.audit import Entry
from fairframe.platform.database import APPEND_ONLY, metadata

FIELD = "rows"
STREAM = 10_000

Run = tuple[int, int]
"""Ids from the first to the last, both included."""

COVERED_BY_THE_TREE = frozenset({"audit_entry", "audit_node"})


def stands_for(table: sa.Table) -> bool:
    """Whether an audit entry stands for each row of this table."""
    return table.name in APPEND_ONLY and table.name not in COVERED_BY_THE_TREE


def reserve(conn: sa.Connection, table: sa.Table, count: int) -> list[int]:
    """The ids of the next `count` rows, so that many rows can be inserted at once and still be known."""
    if conn.dialect.name == "postgresql":
        # a writer beside us may take numbers from the same sequence: they need not follow each other
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        numbers = sa.func.generate_series(1, count).table_valued("n")
        return list(conn.execute(sa.select(sa.func.nextval(sequence)).select_from(numbers)).scalars())
    last = int(conn.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one())
    return list(range(last + 1, last + 1 + count))


def note(added: dict[str, list[Run]], table: sa.Table, ids: Iterable[int]) -> None:
    """Remember inserted ids; those that follow each other are one run."""
    runs = added.setdefault(table.name, [])
    for one in ids:
        if runs and runs[-1][1] + 1 == one:
            runs[-1] = (runs[-1][0], one)
        else:
            runs.append((one, one))


def with_rows(conn: sa.Connection, entries: Sequence[Entry], added: Mapping[str, Sequence[Run]]) -> Sequence[Entry]:
    """The entries of a transaction, of which the last stands for the rows that it added."""
    value = _seal(conn, added)
    if not value:
        return entries
    last = entries[-1] if entries else Entry("rows.added", "", {})
    return [*entries[:-1], replace(last, private={**last.private, FIELD: value})]


def _seal(conn: sa.Connection, added: Mapping[str, Sequence[Run]]) -> str:
    tables: dict[str, Any] = {}
    for name in sorted(added):
        found: dict[str, list[Run]] = {}
        digest, table = hashlib.sha256(), metadata.tables[name]
        # a savepoint that was rolled back took rows with it and gave their ids to others: what is there counts
        for run in _united(added[name]):
            keys: list[int] = []
            for ids, told in lines(conn, table, run):
                keys += ids
                digest.update(b"".join(told))
            note(found, table, keys)
        if found:
            tables[name] = {"ids": found[name], "digest": digest.hexdigest()}
    return canonical(tables).decode() if tables else ""


def _united(runs: Iterable[Run]) -> list[Run]:
    united: list[Run] = []
    for first, last in sorted(runs):
        if united and first <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(last, united[-1][1]))
        else:
            united.append((first, last))
    return united


def lines(
    conn: sa.Connection, table: sa.Table, run: Run | None = None
) -> Iterator[tuple[Sequence[int], Sequence[bytes]]]:
    """Ids, and the bytes that a digest covers, of the rows in a run, or of all, ascending; up to STREAM rows at a time.

    A line is a JSON object of the columns that are not NULL, so that a later column leaves older rows as they are.
    """
    names = sorted(column.name for column in table.columns)
    # the text of a JSON column, as it is stored
    columns = [sa.cast(c, sa.Text) if isinstance(c.type, sa.JSON) else c for c in (table.c[name] for name in names)]
    statement = sa.select(*columns).order_by(table.c.id)
    if run is not None:
        statement = statement.where(table.c.id.between(*run))
    if run is None or run[1] - run[0] >= STREAM:
        statement = statement.execution_options(yield_per=STREAM)
    key = names.index("id")
    for some in conn.execute(statement).partitions(STREAM):
        held = list(zip(*some, strict=True))
        yield held[key], _told(names, held)


def _told(names: Sequence[str], columns: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """The lines of rows that are given column by column: a no may take tens of thousands of rows with it."""
    cells = [[*map(_writer({*map(type, column)}), column)] for column in columns]
    if any(None in column for column in cells):
        heads = [f"{quoted(name)}:" for name in names]
        rows = zip(*cells, strict=True)
        held = (",".join(h + one for h, one in zip(heads, row, strict=True) if one is not None) for row in rows)
        return [f"{{{one}}}\n".encode() for one in held]
    # what is the same in all rows is written once
    same = [name != "id" and len({*column}) == 1 for name, column in zip(names, cells, strict=True)]
    fixed = [str(column[0]).replace("%", "%%") if one else "%s" for one, column in zip(same, cells, strict=True)]
    line = "{" + ",".join(f"{quoted(name)}:{text}" for name, text in zip(names, fixed, strict=True)) + "}\n"
    differing = [column for one, column in zip(same, cells, strict=True) if not one]
    return [text.encode() for text in map(line.__mod__, zip(*differing, strict=True))]


def _writer(kinds: set[type]) -> Callable[[Any], str | None]:
    """What writes the cells of a column as JSON; NULL stays None."""
    if kinds == {str}:
        return quoted
    return str if kinds == {int} else lambda value: None if value is None else json.dumps(value)
