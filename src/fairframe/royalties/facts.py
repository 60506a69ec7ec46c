"""What a pool is split by: items delivered under an agreement, frames used of them, scores, and who owns the assets.

Delivered counts whatever happened later: an opt-out or a revocation does not take back what was earned. An upgrade
sells what its forerunners delivered, so an agreement's deliveries are its own and those of the agreements that it
upgrades. Ownership of an asset is read as of the later of the revenue's effective time and its first delivery.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import Refused
from fairframe.dataset.tables import dataset_release, delivery, item
from fairframe.library.tables import asset as asset_table
from fairframe.library.tables import contributor, ownership
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.rights.tables import agreement
from fairframe.royalties import bulk, owners, scores
from fairframe.royalties.methods.values import Method
from fairframe.training import reported
from fairframe.training.tables import usage

if TYPE_CHECKING:
    import duckdb

BATCH = 50_000

_CLAIM = """
create or replace table claim as
with weights as ({sql})
select o.contributor, o.asset, sum(w.weight::hugeint * o.num * ($scale // o.den))::bigint as weight
from weights w join owner o using (asset) group by o.contributor, o.asset
"""
_KEY = "create or replace view key as select asset, asset_key from owner"


@dataclass(frozen=True)
class Loaded:
    """What was copied: how many items, delivered under which agreements, in which releases. said: what else decided,
    for the allocation's record, by method."""

    items: int
    agreements: list[str]
    releases: list[str]
    said: dict[str, Any]


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


def load(con: "duckdb.DuckDBPyConnection", tx: Tx, deal: Row, effective_ms: int) -> Loaded:
    """Copy delivered items, usage, scores and ownership of an agreement into DuckDB."""
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
    count = bulk.fill(con, "delivered", stream(tx, sa.select(*columns, *spans).select_from(held)))
    fill_used(con, tx, [row["id"] for row in reported.current(tx, agreements)])
    bulk.fill(con, "run", ())
    fill_owned(con, tx, ownership.c.asset_id.in_(sa.select(item.c.asset_id).select_from(held)))
    set_row = scores.holding(tx, agreements, effective_ms)
    bulk.fill(con, "score", () if set_row is None else scores.of_set(tx, set_row["id"]))
    return Loaded(count, agreements, releases(tx, agreements), scores.said(set_row))


def fill_used(con: "duckdb.DuckDBPyConnection", tx: Tx, checkpoints: Sequence[int]) -> None:
    """Copy what reported checkpoints consumed of delivered items into DuckDB."""
    frames = sa.select(usage.c.item, usage.c.frames, usage.c.checkpoint_id).where(
        usage.c.checkpoint_id.in_(checkpoints), usage.c.source != "house"
    )
    bulk.fill(con, "used", stream(tx, frames))


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
    bulk.fill(con, "owned", stream(tx, rows.where(*where)))


def claim(con: "duckdb.DuckDBPyConnection", tx: Tx, family: str, method: Method, effective_ms: int) -> None:
    """Make claim, name and key of bulk.py: whole-number weights per contributor and asset, by a method.

    Raises Refused where an asset's shares do not sum to one or have no small common denominator, or where the
    weights exceed 64 bits.
    """
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
    bulk.fill(con, "name", _names(tx, family, people))
    with bulk.in_64_bits():
        con.execute(_CLAIM.format(sql=method.sql), {"scale": scale})
        con.execute(_KEY)


def stream(tx: Tx, statement: sa.Executable) -> Iterator[Sequence[Any]]:
    """Rows of a query, a batch at a time."""
    yield from tx.execute(statement.execution_options(yield_per=BATCH))


def _names(tx: Tx, family: str, people: Sequence[int]) -> Iterator[tuple[int, str]]:
    secret = tx.ws.keys.library_secret()
    for start in range(0, len(people), 500):
        chunk = people[start : start + 500]
        ids = sa.select(contributor.c.id, contributor.c.public_id).where(contributor.c.id.in_(chunk))
        for row in tx.rows(ids):
            yield row["id"], pseudonym(secret, family, row["public_id"])
