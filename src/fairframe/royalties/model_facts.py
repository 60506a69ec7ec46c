"""What a model's revenue is split by: the reported trainings in its lineage, and the clips that each consumed.

The library reads what labs signed: each report's own frames, and the weights of its ancestors (lineage_parts.py). An
ancestor counts where the same lab reported its weights here too, whatever kind it calls them; of corrected reports the
newest. What another lab says of the same weights does not count: anyone can report a hash that is public, and would
steer another lab's royalties to clips of their choice. What is delivered are the deliveries that those trainings read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import NotFound
from fairframe.dataset.tables import dataset_release, delivery, item
from fairframe.library.tables import asset, ownership
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.royalties import bulk, facts
from fairframe.royalties.facts import Loaded
from fairframe.royalties.lineage_parts import Ancestor, Node, Parts, divide
from fairframe.royalties.methods.blend import SCALE
from fairframe.training import registry
from fairframe.training.tables import checkpoint, usage

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Lineage:
    """rows: run -> its row of checkpoint. parts: what part of the model each has."""

    root: int
    rows: dict[int, Row]
    parts: Parts


def find_model(tx: Tx, public_id: str) -> Row:
    """The newest report on a checkpoint that a lab reported, by the id of any report on it. Raises NotFound."""
    where = (checkpoint.c.public_id == public_id) & (checkpoint.c.direction == "reported")
    row = tx.row(checkpoint.select().where(where))
    if row is None:
        raise NotFound(
            f"no lab reported a checkpoint {public_id[:60]!r}", code="model.missing", remedy="See: fairframe model list"
        )
    return registry.with_weights(tx, row["weights_hash"], row)[-1]


def lineage(tx: Tx, model: Row) -> Lineage:
    """A reported model's runs and their parts. Raises what divide raises."""
    rows: dict[int, Row] = {}
    nodes: dict[int, Node] = {}
    waiting = [model]
    while waiting:
        row = waiting.pop()
        if row["id"] in rows:
            continue
        rows[row["id"]] = row
        made_of: list[Ancestor] = []
        for one in registry.ancestors_of(tx, row["id"]):
            known = _reported(tx, one, row)
            weight = Fraction(one["weight_num"], one["weight_den"])
            made_of.append(Ancestor(known["id"] if known else None, one["kind"], one["name"], weight))
            waiting += [known] if known else []
        nodes[row["id"]] = Node(row["frames_seen"], made_of)
    return Lineage(model["id"], rows, divide(nodes, model["id"]))


def load(con: "duckdb.DuckDBPyConnection", tx: Tx, deal: Row, model: Row) -> Loaded:
    """Copy a model's runs, what they consumed, and the clips delivered for them into DuckDB.

    The pseudonyms are those of the family of the agreement (its row) that governs the revenue.
    """
    found = lineage(tx, model)
    runs = sorted(found.parts.own)
    parts = {run: int(found.parts.own[run] * SCALE) for run in runs}
    bulk.fill(con, "run", ((run, parts[run], found.rows[run]["frames_seen"]) for run in runs))
    facts.fill_used(con, tx, runs)
    read = sorted({str(found.rows[run]["delivery"]) for run in runs if found.rows[run]["delivery"]})
    held = sa.select(delivery.c.release).where(delivery.c.public_id.in_(read), delivery.c.direction == "out")
    releases = list(tx.execute(held.group_by(delivery.c.release).order_by(sa.func.min(delivery.c.id))).scalars())
    count = bulk.fill(con, "delivered", _delivered(tx, deal, releases))
    items = item.join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
    of_these = sa.select(item.c.asset_id).select_from(items).where(dataset_release.c.public_id.in_(releases))
    facts.fill_owned(con, tx, ownership.c.asset_id.in_(of_these))
    bulk.fill(con, "score", ())
    agreements = sorted({str(found.rows[run]["agreement"]) for run in runs if found.rows[run]["agreement"]})
    return Loaded(count, agreements, releases, _said(tx, found, parts))


def _reported(tx: Tx, one: Row, row: Row) -> Row | None:
    """The newest report of the same lab on an ancestor's weights."""
    found = registry.with_weights(tx, one["hash"], row)
    return found[-1] if found else None


def _delivered(tx: Tx, deal: Row, releases: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Rows of the table delivered."""
    since = (
        sa.select(delivery.c.release, sa.func.min(delivery.c.recorded_at_ms).label("since_ms"))
        .where(delivery.c.direction == "out", delivery.c.release.in_(list(releases)))
        .add_columns(sa.func.min(delivery.c.family).label("family"))
        .group_by(delivery.c.release)
        .subquery()
    )
    held = (
        item.join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .join(since, since.c.release == dataset_release.c.public_id)
        .join(asset, asset.c.id == item.c.asset_id)
    )
    columns = (item.c.public_id, item.c.asset_id, item.c.contributor_id, item.c.asset_pseudonym)
    spans = (item.c.start, item.c.end, item.c.duration_ms, since.c.since_ms, since.c.family)
    secret, family = tx.ws.keys.library_secret(), str(deal["family"])
    for row in facts.stream(tx, sa.select(*columns, *spans, asset.c.public_id.label("asset")).select_from(held)):
        values = list(row)[:8]
        if row[8] != family:
            values[3] = pseudonym(secret, family, row[9])
        yield values


def _said(tx: Tx, found: Lineage, parts: dict[int, int]) -> dict[str, Any]:
    """What an allocation's record says of a lineage: the runs, how each was counted, and what is not paid."""
    methods = sa.select(usage.c.checkpoint_id, sa.func.min(usage.c.method).label("method")).where(
        usage.c.checkpoint_id.in_(list(found.rows))
    )
    how = {row["checkpoint_id"]: row["method"] for row in tx.rows(methods.group_by(usage.c.checkpoint_id))}
    delivered = sa.select(usage.c.checkpoint_id, sa.func.sum(usage.c.frames).label("frames")).where(
        usage.c.checkpoint_id.in_(list(found.rows)), usage.c.source != "house"
    )
    frames = {row["checkpoint_id"]: int(row["frames"]) for row in tx.rows(delivered.group_by(usage.c.checkpoint_id))}
    runs = [
        {
            "checkpoint": row["public_id"],
            "name": row["name"],
            "agreement": row["agreement"],
            "usage": how.get(run, ""),
            "counted": "model" if run == found.root else found.parts.counted[run],
            "part": str(parts[run]),
            "frames": str(row["frames_seen"]),
            "delivered_frames": str(frames.get(run, 0)),
        }
        for run, row in sorted(found.rows.items())
    ]
    outside = [
        {"kind": one.kind, "name": one.name, "part": None if one.part is None else str(int(one.part * SCALE))}
        for one in found.parts.outside
    ]
    return {"runs": runs, "not_paid": outside, "whole": str(SCALE)}
