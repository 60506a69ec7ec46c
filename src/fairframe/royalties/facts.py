"""What a pool is split by: items delivered under an agreement, frames used of them, and who owns the assets.

Delivered counts whatever happened later: an opt-out or a revocation does not take back what was earned. An upgrade
sells what its forerunners delivered, so an agreement's deliveries are its own and those of the agreements that it
upgrades. Ownership of an asset is read as of the later of the revenue's effective time and its first delivery.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import Refused
from fairframe.dataset.tables import dataset_release, delivery, item
from fairframe.library.tables import asset as asset_table
from fairframe.library.tables import contributor, ownership
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.rights.tables import agreement
from fairframe.royalties import owners
from fairframe.royalties.methods import Method
from fairframe.training import reported
from fairframe.training.tables import usage

if TYPE_CHECKING:
    import duckdb

BATCH = 50_000

_COLUMNS = {
    "delivered": {
        "item": "string",
        "asset": "int64",
        "contributor": "int64",
        "asset_key": "string",
        "start_at": "int64",
        "end_at": "int64",
        "duration_ms": "int64",
        "since_ms": "int64",
    },
    "used": {"item": "string", "frames": "int64"},
    "owned": {
        "asset": "int64",
        "contributor": "int64",
        "num": "int64",
        "den": "int64",
        "valid_from_ms": "int64",
        "recorded_at_ms": "int64",
    },
    "claim": {
        "contributor": "int64",
        "contributor_key": "string",
        "asset": "int64",
        "asset_key": "string",
        "weight": "int64",
    },
    "name": {"contributor": "int64", "contributor_key": "string"},
}
_CLAIM = """
create or replace table claim as
with weights as ({sql})
select o.contributor, any_value(n.contributor_key) as contributor_key, o.asset, any_value(o.asset_key) as asset_key,
  sum(w.weight::hugeint * o.num * ($scale // o.den))::bigint as weight
from weights w join owner o using (asset) join name n on n.contributor = o.contributor
group by o.contributor, o.asset
"""


def chain(tx: Tx, deal: Row) -> list[str]:
    """The agreement's public id and those that it upgrades, newest first."""
    ids = [str(deal["public_id"])]
    older = deal["upgrade_of"]
    while older and older not in ids:
        ids.append(str(older))
        older = tx.scalar(sa.select(agreement.c.upgrade_of).where(agreement.c.public_id == older))
    return ids


def releases(tx: Tx, agreements: Sequence[str]) -> list[str]:
    """Public ids of the releases delivered under agreements, oldest first."""
    first = sa.func.min(delivery.c.id)
    where = (delivery.c.direction == "out") & delivery.c.agreement.in_(list(agreements))
    return list(
        tx.execute(sa.select(delivery.c.release).where(where).group_by(delivery.c.release).order_by(first)).scalars()
    )


def load(con: "duckdb.DuckDBPyConnection", tx: Tx, deal: Row) -> int:
    """Copy delivered items, usage and ownership of an agreement into DuckDB; returns the number of items."""
    agreements = chain(tx, deal)
    since = (
        sa.select(delivery.c.release, sa.func.min(delivery.c.recorded_at_ms).label("since_ms"))
        .where(delivery.c.direction == "out", delivery.c.agreement.in_(agreements))
        .group_by(delivery.c.release)
        .subquery()
    )
    held = item.join(dataset_release, dataset_release.c.id == item.c.dataset_release_id).join(
        since, since.c.release == dataset_release.c.public_id
    )
    columns = (item.c.public_id, item.c.asset_id, item.c.contributor_id, item.c.asset_pseudonym)
    spans = (item.c.start, item.c.end, item.c.duration_ms, since.c.since_ms)
    count = fill(con, "delivered", _stream(tx, sa.select(*columns, *spans).select_from(held)))
    checkpoints = [row["id"] for row in reported.current(tx, agreements)]
    frames = sa.select(usage.c.item, usage.c.frames).where(
        usage.c.checkpoint_id.in_(checkpoints), usage.c.source != "house"
    )
    fill(con, "used", _stream(tx, frames))
    fill_owned(con, tx, ownership.c.asset_id.in_(sa.select(item.c.asset_id).select_from(held)))
    return count


def fill_owned(con: "duckdb.DuckDBPyConnection", tx: Tx, *where: "sa.ColumnElement[bool]") -> None:
    """Copy ownership into DuckDB: of all assets, or where a condition holds."""
    rows = sa.select(
        ownership.c.asset_id,
        ownership.c.contributor_id,
        ownership.c.share_num,
        ownership.c.share_den,
        ownership.c.valid_from_ms,
        ownership.c.recorded_at_ms,
    )
    fill(con, "owned", _stream(tx, rows.where(*where)))


def claim(con: "duckdb.DuckDBPyConnection", tx: Tx, family: str, method: Method, effective_ms: int) -> None:
    """Make the table claim of bulk.py: whole-number weights per contributor and asset, by a method.

    Raises Refused where an asset's shares do not sum to one or have no small common denominator, or where the
    weights exceed 64 bits.
    """
    import duckdb

    con.execute(owners.SQL, {"effective": effective_ms})
    scale, wrong = owners.scale(con)
    if wrong is not None:
        named = tx.scalar(sa.select(asset_table.c.public_id).where(asset_table.c.id == wrong))
        raise Refused(
            "the ownership shares of an asset do not sum to one",
            code="allocate.shares",
            where=str(named),
            remedy="Record its owners anew, all with one valid_from",
        )
    people = [row[0] for row in con.execute("select distinct contributor from owner order by 1").fetchall()]
    fill(con, "name", _names(tx, family, people))
    try:
        con.execute(_CLAIM.format(sql=method.sql), {"scale": scale})
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise Refused("the weights of this pool exceed 64 bits", code="allocate.weight") from error


def fill(con: "duckdb.DuckDBPyConnection", table: str, rows: Iterable[Sequence[Any]]) -> int:
    """Make a table of _COLUMNS from rows, a batch at a time; returns how many."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64()}
    schema = pa.schema([(name, types[kind]) for name, kind in _COLUMNS[table].items()])
    source, count, made = iter(rows), 0, False
    while (batch := list(islice(source, BATCH))) or not made:
        columns = list(zip(*batch, strict=True)) if batch else [()] * len(schema)
        con.register(
            "batch",
            pa.Table.from_arrays([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema),
        )
        con.execute(f"insert into {table} from batch" if made else f"create or replace table {table} as from batch")
        con.unregister("batch")
        count, made = count + len(batch), True
    return count


def _stream(tx: Tx, statement: sa.Executable) -> Iterator[Sequence[Any]]:
    yield from tx.execute(statement.execution_options(yield_per=BATCH))


def _names(tx: Tx, family: str, people: Sequence[int]) -> Iterator[tuple[int, str]]:
    secret = tx.ws.keys.library_secret()
    for start in range(0, len(people), 500):
        chunk = people[start : start + 500]
        ids = sa.select(contributor.c.id, contributor.c.public_id).where(contributor.c.id.in_(chunk))
        for row in tx.rows(ids):
            yield row["id"], pseudonym(secret, family, row["public_id"])
