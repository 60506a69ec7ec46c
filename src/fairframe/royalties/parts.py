"""What part of an agreement's pools somebody's items weigh now: an estimate before co-owners' shares, in one pass.

Allocation (facts.py, bulk.py) splits to the unit; this answers what an opt-out would change, in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.dataset.tables import dataset_release, item
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.allocate import open_events
from fairframe.royalties.facts import chain, releases
from fairframe.royalties.methods import method
from fairframe.royalties.pools import pool_of
from fairframe.training import reported
from fairframe.training.tables import usage

Which = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Part:
    """weight of of_all, in the split method's unit. waiting_micro: their part of receipts not allocated yet.

    release: the newest one delivered under the agreement, "" where there is none; next_ms of next_of_ms: their clips'
    length in it.
    """

    unit: str
    weight: int
    of_all: int
    waiting_micro: int
    release: str
    next_ms: int
    next_of_ms: int


def part_of(tx: Tx, deal: Row, which: Which) -> Part:
    """The part of the items that `which` (a condition on `item`) picks, under an agreement (its row)."""
    agreements = chain(tx, deal)
    delivered = releases(tx, agreements)
    chosen = method(deal["terms"].get("split_basis"))
    weigh = _used if chosen.name == "usage" else _lasting
    weight, of_all = weigh(tx, agreements, delivered, which)
    pool = sum(pool_of(tx, one, deal) for one in open_events(tx) if one["subject"] == deal["public_id"])
    newest = delivered[-1:]
    next_ms, next_of_ms = _lasting(tx, agreements, newest, which)
    name = tx.scalar(sa.select(dataset_release.c.name).where(dataset_release.c.public_id.in_(newest)))
    waiting = pool * weight // of_all if of_all else 0
    return Part(chosen.unit, weight, of_all, waiting, str(name or ""), next_ms, next_of_ms)


def _lasting(tx: Tx, agreements: Sequence[str], delivered: Sequence[str], which: Which) -> tuple[int, int]:
    """Milliseconds over distinct spans, as the method delivered_ms counts them."""
    spans = (
        sa.select(sa.func.max(item.c.duration_ms).label("ms"), sa.func.max(_one_if(which)).label("theirs"))
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .where(dataset_release.c.public_id.in_(list(delivered)))
        .group_by(item.c.asset_id, item.c.start, item.c.end)
        .subquery()
    )
    return _sums(
        tx, sa.select(sa.func.sum(spans.c.ms * spans.c.theirs).label("theirs"), sa.func.sum(spans.c.ms).label("of_all"))
    )


def _used(tx: Tx, agreements: Sequence[str], delivered: Sequence[str], which: Which) -> tuple[int, int]:
    """Frames used of delivered items, as the method usage counts them."""
    checkpoints = [row["id"] for row in reported.current(tx, agreements)]
    joined = usage.join(item, item.c.public_id == usage.c.item).join(
        dataset_release, dataset_release.c.id == item.c.dataset_release_id
    )
    theirs, of_all = sa.func.sum(usage.c.frames * _one_if(which)), sa.func.sum(usage.c.frames)
    sums = sa.select(theirs.label("theirs"), of_all.label("of_all")).select_from(joined)
    of_these = usage.c.checkpoint_id.in_(checkpoints) & dataset_release.c.public_id.in_(list(delivered))
    return _sums(tx, sums.where(of_these))


def _one_if(which: Which) -> sa.ColumnElement[int]:
    return sa.case((which, 1), else_=0)


def _sums(tx: Tx, statement: sa.Select[*tuple[Any, ...]]) -> tuple[int, int]:
    row = tx.row(statement)
    assert row is not None
    return int(row["theirs"] or 0), int(row["of_all"] or 0)
