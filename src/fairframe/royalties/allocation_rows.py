"""Writing an allocation: its row and lines, the audit entry that commits to all weights, and the posting.

`detail` holds unit and agreements; weights_root, the root of the Merkle-sum tree of all weights (core/merkle_sum.py);
extra_units and cutoff {remainder, tie_key} or null (core/cutoff.py): how many units were left after all floors, and
where the line is between who got one and who did not; scores {set, file_sha256} where they decided; facts {audit_size,
releases}: what was read, and how large the audit tree was just before, so that all that it holds up to there was
counted; of a model its runs, what is not paid, and the whole of which their parts are; of a refund weights_of, the
allocation whose weights and salt it has. The amounts of a refund are below zero: the negative of what a pool of that
size would have brought.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure
from fairframe.core.ids import new_id
from fairframe.core.merkle_sum import SumTree
from fairframe.library.tables import contributor
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import bulk, ledger
from fairframe.royalties.ledger import Leg
from fairframe.royalties.rows import insert_rows
from fairframe.royalties.shares import Basis
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line

if TYPE_CHECKING:
    import duckdb


def write(tx: WriteTx, con: "duckdb.DuckDBPyConnection", event: Row, basis: Basis, pool: int) -> tuple[str, int, int]:
    """Write what bulk.split left in DuckDB; pool: below zero for a refund. Returns the allocation's public id, and
    how many contributors and asset lines it has. Raises IntegrityFailure where sums do not hold."""
    check_sums(con, abs(pool))
    sign = -1 if pool < 0 else 1
    tree = weights_tree(con)
    public_id = new_id("alc")
    row_id = tx.insert(
        allocation,
        public_id=public_id,
        revenue_event_id=event["id"],
        release=",".join(basis.releases),
        method=basis.method,
        salt=basis.salt.hex(),
        currency=event["currency"],
        pool_micro=pool,
        weight_total=basis.total.weight,
        audit_size=audit.tree_size(tx.conn),
        detail=_detail(basis, tree),
    )
    people, assets = _lines(tx, con, row_id, sign)
    body: dict[str, Any] = {"allocation": public_id, "event": event["public_id"], "method": basis.method}
    body |= {"pool_micro": str(pool), "weight_total": str(basis.total.weight), "contributors": people}
    body |= {"salt": basis.salt.hex(), "weights_root": tree.root.hex()}
    tx.record("allocation.made", event["agreement"], body)
    if pool:
        legs = [Leg(ledger.pool(event["public_id"]), event["currency"], pool), *_entitlements(tx, row_id, event)]
        ledger.post(tx, "allocation", public_id, legs, f"Pool of {event['public_id']}", event["effective_ms"])
    return public_id, people, assets


def weights_tree(con: "duckdb.DuckDBPyConnection") -> SumTree:
    """The tree of all contributors' weights, by pseudonym."""
    return SumTree(bulk.stream(con, "select contributor_key, weight from line"))  # type: ignore[arg-type]


def check_sums(con: "duckdb.DuckDBPyConnection", pool: int) -> None:
    """Whether contributors sum to the pool and assets to their contributor, to the unit; else IntegrityFailure."""
    row = con.execute("select sum(amount), min(amount) from line").fetchone()
    if row is None or int(row[0]) != pool or int(row[1]) < 0:
        raise IntegrityFailure("the contributors' amounts do not sum to the pool", code="allocate.sum")
    sql = """select count(*) from line l left join (
      select contributor, sum(amount) as amount, min(amount) as least from line_asset group by contributor
    ) a using (contributor) where a.amount is distinct from l.amount or a.least < 0"""
    row = con.execute(sql).fetchone()
    if row is None or row[0] != 0:
        raise IntegrityFailure("asset lines do not sum to their contributor's amount", code="allocate.sum")


def _detail(basis: Basis, tree: SumTree) -> dict[str, Any]:
    cutoff = basis.total.cutoff
    return {
        "unit": basis.unit,
        "agreements": list(basis.agreements),
        "weights_root": tree.root.hex(),
        "extra_units": str(basis.total.extra_units),
        "cutoff": None if cutoff is None else cutoff.to_json(),
        **basis.said,
    }


def _lines(tx: WriteTx, con: "duckdb.DuckDBPyConnection", row_id: int, sign: int) -> tuple[int, int]:
    lines = bulk.stream(con, "select contributor, contributor_key, weight, amount from line order by contributor")
    columns = ("allocation_id", "contributor_id", "contributor_pseudonym", "weight", "amount_micro")
    people = insert_rows(tx, allocation_line, columns, ((row_id, *line[:3], sign * line[3]) for line in lines))
    lines = bulk.stream(con, "select contributor, asset, weight, amount from line_asset order by contributor, asset")
    columns = ("allocation_id", "contributor_id", "asset_id", "weight", "amount_micro")
    assets = insert_rows(tx, allocation_asset, columns, ((row_id, *line[:3], sign * line[3]) for line in lines))
    return people, assets


def _entitlements(tx: Tx, allocation_id: int, event: Row) -> Iterator[Leg]:
    lines = (
        sa.select(contributor.c.public_id, allocation_line.c.amount_micro)
        .join(contributor, contributor.c.id == allocation_line.c.contributor_id)
        .where(allocation_line.c.allocation_id == allocation_id, allocation_line.c.amount_micro != 0)
        .order_by(allocation_line.c.id)
    )
    for row in tx.execute(lines).mappings():
        yield Leg(ledger.accrued(row["public_id"]), event["currency"], -int(row["amount_micro"]))
