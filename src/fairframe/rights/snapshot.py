"""A snapshot: the tables that clearance asks, as Parquet files of one moment, with the audit tree's size and root.

ADBC reads them by two connections that see the same moment, in batches, so memory does not grow with the library.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from fairframe.core import merkle
from fairframe.core.errors import MissingExtra
from fairframe.core.territory import WORLD
from fairframe.library import tables as library
from fairframe.platform.tables import audit_entry, audit_node
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import tables as rights
from fairframe.rights.moment import latest_statement
from fairframe.rights.papers import NEVER_MS

BATCH_ROWS = 65_536
READERS, TRIES = 2, 5
"""Tables that are read at the same time; how often SQLite is asked for so many connections that see the same."""
LARGE = ("asset", "asset_fact")
"""What is begun first, for it takes longest."""
_WORDS = {
    "people": ("yes", "no"),
    "property_release": ("released", "not released", "not needed"),
    "editorial": ("yes", "no"),
}
FACTS = tuple(f"{name}_{word}".replace(" ", "_") for name, words in _WORDS.items() for word in (*words, "else"))
"""What a row of asset_fact says, as its column `fact` numbers it: a name and its word, or any other word."""


@dataclass(frozen=True)
class Snapshot:
    """A folder of <table>.parquet. `latest_ms`: the later of the clock and the last audit entries (see moment.py)."""

    folder: Path
    audit_size: int
    audit_root: str
    latest_ms: int


def extract(ws: Workspace, folder: Path) -> Snapshot:
    """Write the tables to `folder` (made where missing). Raises MissingExtra on PostgreSQL without its ADBC driver."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        connections = _connections(ws, stack)
        size = _size(connections[0], ws)
        latest = _scalar(connections[0], ws, sa.select(sa.func.coalesce(latest_statement().scalar_subquery(), 0)))
        waiting = SimpleQueue[tuple[str, Any]]()
        chosen = selections()
        for name in sorted(chosen, key=lambda one: (one not in LARGE, one)):
            waiting.put((name, chosen[name]))

        def work(connection: Any) -> None:
            with suppress(Empty):
                while True:
                    name, statement = waiting.get_nowait()
                    _write(connection, _text(ws, statement), folder / f"{name}.parquet", statement)

        with ThreadPoolExecutor(len(connections)) as pool:
            list(pool.map(work, connections))
    with ws.read() as tx:
        root = _root_at(tx, size)
    return Snapshot(folder, size, root, max(latest, ws.clock()))


def _root_at(tx: Tx, size: int) -> str:
    """The root of the audit tree when it had that size: nodes are written once, so it can still be computed."""

    def get(level: int, index: int) -> bytes:
        where = (audit_node.c.level == level) & (audit_node.c.idx == index)
        return bytes.fromhex(tx.scalar(sa.select(audit_node.c.hash).where(where)))

    return merkle.root(size, get).hex()


def selections() -> dict[str, Any]:
    """table name -> the columns that clearance needs.

    Numbers and texts only, none of them NULL, so that each type is known: NEVER_MS stands for "no expiry", the id 0
    for "none".
    """
    a, e, r = library.asset.c, rights.consent_event.c, rights.ruling.c
    d, t = library.document_release.c, rights.contributor_terms.c
    none, asset_fact = sa.literal(0), library.asset_fact
    return {
        "asset": sa.select(a.id, a.contributor_id, a.kind, a.width, a.height, a.recorded_at_ms),
        "asset_fact": _timed(asset_fact, "asset_id").add_columns(_fact()).where(asset_fact.c.name != "model_release"),
        "ownership": _times(library.ownership, "asset_id", "contributor_id"),
        "signal": _times(library.signal, "asset_id", "kind", "value", "trust"),
        "document_release": _timed(library.document_release, "asset_id", "kind").add_columns(
            sa.cast(d.ai_training, sa.Integer).label("ai_training"),
            sa.func.coalesce(d.revokes_id, none).label("revokes_id"),
            sa.func.coalesce(d.territory, sa.literal(str(WORLD))).label("territory"),
            sa.func.coalesce(d.valid_until_ms, sa.literal(NEVER_MS)).label("until_ms"),
            sa.cast(sa.func.coalesce(d.minor, sa.false()), sa.Integer).label("minor"),
            sa.cast(sa.func.coalesce(d.guardian, sa.false()), sa.Integer).label("guardian"),
        ),
        "collection_asset": sa.select(
            *_columns(library.collection_asset, "collection_id", "asset_id", "recorded_at_ms")
        ),
        "collection": sa.select(*_columns(library.collection, "id", "public_id")),
        "contributor_terms": sa.select(
            t.id, t.regime, t.notice_days, t.effective_ms, sa.cast(t.names, sa.Text).label("names")
        ),
        "terms_acceptance": _timed(rights.terms_acceptance, "contributor_id", "contributor_terms_id", "noticed_ms"),
        "consent_event": _timed(
            rights.consent_event, "scope", "contributor_id", "purpose", "action", "effect"
        ).add_columns(sa.func.coalesce(e.asset_id, e.collection_id, none).label("subject")),
        "hold": _timed(rights.hold, "asset_id"),
        "hold_lift": _timed(rights.hold_lift, "hold_id"),
        "ruling": _timed(rights.ruling, "asset_id", "finding", "decision").add_columns(
            sa.func.coalesce(r.expires_ms, sa.literal(NEVER_MS)).label("expires_ms")
        ),
    }


def _fact() -> Any:
    name, value = library.asset_fact.c.name, library.asset_fact.c.value
    places = {one: place for place, one in enumerate(FACTS)}

    def place(of: str, word: str) -> int:
        return places[f"{of}_{word}".replace(" ", "_")]

    per_name = [
        (name == of, sa.case(*((value == word, place(of, word)) for word in words), else_=place(of, "else")))
        for of, words in _WORDS.items()
    ]
    # the smaller type is for Parquet only: a cast in SQL takes its time for each row
    return sa.type_coerce(sa.case(*per_name, else_=-1), sa.SmallInteger).label("fact")


def _timed(table: sa.Table, *names: str) -> Any:
    return _times(table, "id", *names)


def _times(table: sa.Table, *names: str) -> Any:
    return sa.select(*_columns(table, *names, "valid_from_ms", "recorded_at_ms"))


def _columns(table: sa.Table, *names: str) -> "list[sa.Column[Any]]":
    return [table.c[name] for name in names]


def _text(ws: Workspace, statement: Any) -> str:
    return str(statement.compile(dialect=ws.engine.dialect, compile_kwargs={"literal_binds": True}))


def _connections(ws: Workspace, stack: ExitStack) -> list[Any]:
    """READERS connections (or one), each in a read transaction over the same snapshot, rolled back with the stack."""
    url = ws.engine.url
    if ws.engine.dialect.name == "sqlite":
        return _sqlite(ws, f"file:{_quoted(str(url.database))}?mode=ro", stack)
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise MissingExtra(
            "the ADBC driver for PostgreSQL is not installed", remedy='pip install "fairframe[postgres]"'
        ) from error
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connections = [stack.enter_context(closing(dbapi.connect(plain))) for _ in range(READERS)]
    exported = ""
    for connection in connections:
        with closing(connection.cursor()) as cursor:
            # the driver has begun a transaction; these are its first statements
            cursor.execute("set transaction isolation level repeatable read, read only")
            if exported:
                cursor.execute(f"set transaction snapshot '{exported}'")
            else:
                cursor.execute("select pg_export_snapshot()")
                exported = str((cursor.fetchone() or [""])[0])
    return connections


def _sqlite(ws: Workspace, uri: str, stack: ExitStack) -> list[Any]:
    """SQLite shares no snapshot between connections. Every row of these tables comes with an audit entry, so two that
    see as many entries see the same; while writers keep coming in between, one connection does.

    The workspace's engine has set WAL, so readers neither wait for writers nor make them wait.
    """
    from adbc_driver_sqlite import dbapi

    for count in (*[READERS] * TRIES, 1):
        with ExitStack() as some:
            connections = [some.enter_context(closing(dbapi.connect(uri))) for _ in range(count)]
            if len({_size(connection, ws) for connection in connections}) == 1:
                stack.enter_context(some.pop_all())
                return connections
    raise AssertionError("one connection agrees with itself")


def _size(connection: Any, ws: Workspace) -> int:
    """How many entries the audit tree has, as the connection sees it; it also begins its transaction on SQLite."""
    return _scalar(connection, ws, sa.select(sa.func.coalesce(sa.func.max(audit_entry.c.seq) + 1, 0)))


def _quoted(path: str) -> str:
    return quote(str(Path(path).resolve()))


def _scalar(connection: Any, ws: Workspace, statement: Any) -> int:
    with closing(connection.cursor()) as cursor:
        cursor.execute(_text(ws, statement))
        return int(cursor.fetchone()[0])


def _write(connection: Any, text: str, path: Path, statement: Any) -> None:
    import pyarrow.parquet as pq

    schema = _schema(statement)
    with closing(connection.cursor()) as cursor:
        if connection.adbc_get_info()["vendor_name"] == "SQLite":
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
        cursor.execute(text)
        with pq.ParquetWriter(path, schema, **_parquet(schema)) as writer:
            for batch in cursor.fetch_record_batch():
                # an empty SQLite result has no types of its own
                writer.write_batch(batch.cast(schema))


def _schema(statement: Any) -> Any:
    import pyarrow as pa

    def kind(column: Any) -> Any:
        if isinstance(column.type, sa.SmallInteger):
            return pa.int16()
        return pa.int64() if isinstance(column.type, sa.Integer) else pa.string()

    return pa.schema([(column.name, kind(column)) for column in statement.selected_columns])


def _parquet(schema: Any) -> dict[str, Any]:
    """How Parquet is written: a dictionary for every number costs three times what it takes to write differences."""
    numbers = [one.name for one in schema if str(one.type) == "int64"]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [one.name for one in schema if one.name not in numbers],
        "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    }
