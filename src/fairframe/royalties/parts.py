"""What part of an agreement's pools somebody's items weigh now: an estimate before co-owners' shares, in one pass.

Allocation (facts.py, bulk.py) splits to the unit; this answers what an opt-out would change, in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.dataset.tables import dataset_release, item
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import scores
from fairframe.royalties.allocate import open_events, pool_micro
from fairframe.royalties.facts import chain, releases
from fairframe.royalties.methods import method
from fairframe.royalties.methods.blend import SCALE
from fairframe.royalties.methods.values import Method
from fairframe.royalties.tables import score
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
    weight, of_all = _weigh(tx, chosen, agreements, delivered, which)
    pool = sum(pool_micro(tx, one) for one in open_events(tx) if one["subject"] == deal["public_id"])
    newest = delivered[-1:]
    next_ms, next_of_ms = _lasting(tx, agreements, newest, which)
    name = tx.scalar(sa.select(dataset_release.c.name).where(dataset_release.c.public_id.in_(newest)))
    waiting = pool * weight // of_all if of_all else 0
    return Part(chosen.unit, weight, of_all, waiting, str(name or ""), next_ms, next_of_ms)


def _weigh(
    tx: Tx, chosen: Method, agreements: Sequence[str], delivered: Sequence[str], which: Which
) -> tuple[int, int]:
    """Weight of the items and of all, in the method's unit; of a blend by its parts, not rounded per asset."""
    if not chosen.blend_of:
        return _WEIGH[chosen.name](tx, agreements, delivered, which)
    weight = of_all = 0
    for num, one in zip(chosen.nums, chosen.blend_of, strict=True):
        theirs, total = _WEIGH[one.name](tx, agreements, delivered, which)
        if not total:
            return 0, 0
        weight, of_all = weight + num * (theirs * SCALE // total), of_all + num * SCALE
    return weight, of_all


def _clips(tx: Tx, agreements: Sequence[str], delivered: Sequence[str], which: Which) -> tuple[int, int]:
    """Distinct delivered assets, as the method clips counts them."""
    held = _assets(delivered, which)
    return _sums(tx, sa.select(sa.func.sum(held.c.theirs).label("theirs"), sa.func.count().label("of_all")))


def _scored(tx: Tx, agreements: Sequence[str], delivered: Sequence[str], which: Which) -> tuple[int, int]:
    """Scores of delivered assets, as the method scores counts them now."""
    held, row = _assets(delivered, which), scores.holding(tx, agreements, tx.now_ms)
    joined = held.join(
        score, (score.c.asset_id == held.c.asset_id) & (score.c.score_set_id == (row["id"] if row else 0))
    )
    theirs, of_all = sa.func.sum(score.c.score * held.c.theirs), sa.func.sum(score.c.score)
    return _sums(tx, sa.select(theirs.label("theirs"), of_all.label("of_all")).select_from(joined))


def _assets(delivered: Sequence[str], which: Which) -> sa.Subquery:
    """asset_id, and whether `which` picks an item of it (1 or 0)."""
    return (
        sa.select(item.c.asset_id, sa.func.max(_one_if(which)).label("theirs"))
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .where(dataset_release.c.public_id.in_(list(delivered)))
        .group_by(item.c.asset_id)
        .subquery()
    )


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


_WEIGH = {"clips": _clips, "delivered_ms": _lasting, "scores": _scored, "usage": _used}
"""How each method weighs, in the databases' SQL: for an estimate, without a copy of all that was delivered."""


def _sums(tx: Tx, statement: sa.Select[*tuple[Any, ...]]) -> tuple[int, int]:
    row = tx.row(statement)
    assert row is not None
    return int(row["theirs"] or 0), int(row["of_all"] or 0)
