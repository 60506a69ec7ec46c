"""A snapshot: the tables that clearance asks, as Parquet files of one moment, with the audit tree's size and root.

ADBC reads all of them in one transaction over one connection, in batches, so memory does not grow with the library.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from fairframe.core import merkle
from fairframe.core.errors import MissingExtra
from fairframe.library import tables as library
from fairframe.platform.tables import audit_entry, audit_node
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import tables as rights
from fairframe.rights.moment import latest_statement

BATCH_ROWS = 65_536
NEVER_MS = 2**62
"""Stands for "no expiry" and, as an id, 0 stands for "none": a column never holds NULL, so its type is known."""


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
    with _connection(ws) as connection:
        size = _scalar(connection, ws, sa.select(sa.func.coalesce(sa.func.max(audit_entry.c.seq) + 1, 0)))
        latest = _scalar(connection, ws, sa.select(sa.func.coalesce(latest_statement().scalar_subquery(), 0)))
        for name, statement in selections().items():
            _write(connection, _text(ws, statement), folder / f"{name}.parquet", statement)
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
    """table name -> the columns that clearance needs. Numbers and texts only, none of them NULL."""
    a, e, r = library.asset.c, rights.consent_event.c, rights.ruling.c
    d, t = library.document_release.c, rights.contributor_terms.c
    none, asset_fact = sa.literal(0), library.asset_fact
    return {
        "asset": sa.select(a.id, a.contributor_id, a.kind, a.width, a.height, a.recorded_at_ms),
        "asset_fact": _timed(asset_fact, "asset_id", "name", "value").where(asset_fact.c.name != "model_release"),
        "ownership": _timed(library.ownership, "asset_id", "contributor_id"),
        "signal": _timed(library.signal, "asset_id", "kind", "value", "trust"),
        "document_release": _timed(library.document_release, "asset_id", "kind").add_columns(
            sa.cast(d.ai_training, sa.Integer).label("ai_training"),
            sa.func.coalesce(d.revokes_id, none).label("revokes_id"),
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


def _timed(table: sa.Table, *names: str) -> Any:
    return sa.select(*_columns(table, "id", *names, "valid_from_ms", "recorded_at_ms"))


def _columns(table: sa.Table, *names: str) -> "list[sa.Column[Any]]":
    return [table.c[name] for name in names]


def _text(ws: Workspace, statement: Any) -> str:
    return str(statement.compile(dialect=ws.engine.dialect, compile_kwargs={"literal_binds": True}))


@contextmanager
def _connection(ws: Workspace) -> Generator[Any]:
    """An ADBC connection in one read transaction over one snapshot, rolled back at the end."""
    url = ws.engine.url
    if ws.engine.dialect.name == "sqlite":
        from adbc_driver_sqlite import dbapi

        # the workspace's engine has set WAL, so this reader neither waits for writers nor makes them wait
        with closing(dbapi.connect(f"file:{_quoted(str(url.database))}?mode=ro")) as connection:
            yield connection
        return
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise MissingExtra(
            "the ADBC driver for PostgreSQL is not installed", remedy='pip install "fairframe[postgres]"'
        ) from error
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(dbapi.connect(plain)) as connection:
        with closing(connection.cursor()) as cursor:
            # the driver has begun a transaction; this is its first statement
            cursor.execute("set transaction isolation level repeatable read, read only")
        yield connection


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
        with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
            for batch in cursor.fetch_record_batch():
                # an empty SQLite result has no types of its own
                writer.write_batch(batch.cast(schema))


def _schema(statement: Any) -> Any:
    import pyarrow as pa

    kinds = {True: pa.int64(), False: pa.string()}
    return pa.schema(
        [(column.name, kinds[isinstance(column.type, sa.Integer)]) for column in statement.selected_columns]
    )
