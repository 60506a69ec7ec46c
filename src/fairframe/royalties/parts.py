"""What part of an agreement's pools somebody's items weigh now: an estimate before co-owners' shares, in seconds.

Allocation (facts.py, bulk.py) splits to the unit. Here the own weight is exact; what all of it weighs is exact too up
to SAMPLE items, and beyond that told from every nth item of each release (systematic sampling; Cochran, Sampling
Techniques, chapter 8), since a group over 20 million delivered items takes minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.dataset.revocation import Items
from fairframe.dataset.tables import dataset_release, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform.database import among
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

SAMPLE = 4_000
"""Items that are looked at to tell what all of a pool weighs: a few percent off, the less the more alike they last."""


@dataclass(frozen=True)
class Part:
    """weight of of_all, in the split method's unit. waiting_micro: their part of receipts not allocated yet.

    release: the newest one delivered under the agreement, "" where there is none; next_ms of next_of_ms: their clips'
    length in it. sampled: whether of_all is told from a sample.
    """

    unit: str
    weight: int
    of_all: int
    waiting_micro: int
    release: str
    next_ms: int
    next_of_ms: int
    sampled: bool


@dataclass(frozen=True)
class Weighed:
    """theirs of of_all, in a method's unit. sampled: whether of_all is told from a sample."""

    theirs: int
    of_all: int
    sampled: bool = False


def part_of(tx: Tx, deal: Row, items: Items) -> Part:
    """The part of some items (a query with the columns of revocation.chosen) under an agreement (its row)."""
    agreements = chain(tx, deal)
    delivered = _rows(tx, releases(tx, agreements))
    newest = delivered[-1:]
    chosen = method(deal["terms"].get("split_basis"))
    found = _weigh(tx, chosen, agreements, delivered, items)
    of_all = max(found.of_all, found.theirs)
    # a release holds a span once, so its length is a sum of its own
    next_ms, next_of_ms = _theirs(tx, newest, items), sum(int(one["duration_ms"]) for one in newest)
    pool = sum(pool_micro(tx, one) for one in open_events(tx) if one["subject"] == deal["public_id"])
    waiting = pool * found.theirs // of_all if of_all else 0
    name = str(newest[0]["name"]) if newest else ""
    return Part(chosen.unit, found.theirs, of_all, waiting, name, next_ms, next_of_ms, found.sampled)


def _weigh(tx: Tx, chosen: Method, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> Weighed:
    """By the method, in its unit; by a blend from its parts, not rounded per asset."""
    if not chosen.blend_of:
        return _WEIGH[chosen.name](tx, agreements, delivered, items)
    theirs = of_all = 0
    parts = [_WEIGH[one.name](tx, agreements, delivered, items) for one in chosen.blend_of]
    for num, one in zip(chosen.nums, parts, strict=True):
        if not one.of_all:
            return Weighed(0, 0)
        theirs, of_all = theirs + num * (one.theirs * SCALE // one.of_all), of_all + num * SCALE
    return Weighed(theirs, of_all, any(one.sampled for one in parts))


def _delivered_ms(tx: Tx, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> Weighed:
    return Weighed(_theirs(tx, delivered, items), *_lasting(tx, delivered))


def _clips(tx: Tx, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> Weighed:
    """Distinct delivered assets, as the method clips counts them."""
    held = _their_assets(tx, delivered, items)
    theirs = int(tx.scalar(sa.select(sa.func.count()).select_from(held)))
    return Weighed(theirs, *_of_assets(tx, delivered, sa.literal(1)))


def _scored(tx: Tx, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> Weighed:
    """Scores of delivered assets, as the method scores counts them now."""
    row = scores.holding(tx, agreements, tx.now_ms)
    if row is None:
        return Weighed(0, 0)
    held = _their_assets(tx, delivered, items)
    of_set = score.c.score_set_id == row["id"]
    theirs = sa.select(sa.func.coalesce(sa.func.sum(score.c.score), 0)).select_from(
        held.join(score, (score.c.asset_id == held.c.asset_id) & of_set)
    )
    said = sa.select(score.c.score).where(score.c.asset_id == item.c.asset_id, of_set).scalar_subquery()
    return Weighed(int(tx.scalar(theirs)), *_of_assets(tx, delivered, sa.func.coalesce(said, 0)))


def _their_assets(tx: Tx, delivered: Sequence[Row], items: Items) -> sa.Subquery:
    """asset_id of the delivered ones among the items, each once."""
    some = items.subquery("some")
    return (
        sa.select(item.c.asset_id)
        .distinct()
        .select_from(some.join(item, item.c.id == some.c.id))
        .where(among(tx.conn, some.c.dataset_release_id, [one["id"] for one in delivered]))
        .subquery()
    )


def _of_assets(tx: Tx, delivered: Sequence[Row], value: "sa.ColumnElement[int]") -> tuple[int, bool]:
    """The sum of a value over all delivered assets: one counts at the oldest of its items."""
    first = item.alias("first")
    ids = [one["id"] for one in delivered]
    same = sa.select(first.c.id).where(
        first.c.asset_id == item.c.asset_id,
        among(tx.conn, first.c.dataset_release_id + 0, ids),
        first.c.id < item.c.id,
    )
    return _summed(tx, delivered, same, value)


def _rows(tx: Tx, public_ids: Sequence[str]) -> list[Row]:
    """Releases in the order of their first delivery."""
    rows = tx.rows(dataset_release.select().where(dataset_release.c.public_id.in_(list(public_ids))))
    place = {name: number for number, name in enumerate(public_ids)}
    return sorted(rows, key=lambda row: place[row["public_id"]])


def _theirs(tx: Tx, delivered: Sequence[Row], items: Items) -> int:
    """Milliseconds over distinct spans of the items, as the method delivered_ms counts them."""
    some = items.subquery("some")
    spans = (
        sa.select(sa.func.max(item.c.duration_ms).label("ms"))
        .select_from(some.join(item, item.c.id == some.c.id))
        .where(among(tx.conn, some.c.dataset_release_id, [one["id"] for one in delivered]))
        .group_by(item.c.asset_id, item.c.start, item.c.end)
        .subquery()
    )
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(spans.c.ms), 0))))


def _lasting(tx: Tx, delivered: Sequence[Row]) -> tuple[int, bool]:
    """The same of all items of the releases: an item counts where no older one of these releases has its span."""
    ids, first = [one["id"] for one in delivered], item.alias("first")
    same = sa.select(first.c.id).where(
        first.c.asset_id == item.c.asset_id,
        first.c.start == item.c.start,
        first.c.end == item.c.end,
        # a sum keeps SQLite from going through the whole release instead of the few items of the asset
        among(tx.conn, first.c.dataset_release_id + 0, ids),
        first.c.dataset_release_id < item.c.dataset_release_id,
    )
    return _summed(tx, delivered, same, item.c.duration_ms)


def _summed(
    tx: Tx, delivered: Sequence[Row], same: "sa.Select[tuple[int]]", value: "sa.ColumnElement[int]"
) -> tuple[int, bool]:
    """The sum of a value over all items for which `same` finds no older one, and whether it is told from a sample."""
    step = max(1, -(-sum(one["items"] for one in delivered) // SAMPLE))
    counted = sa.func.sum(sa.case((same.exists(), 0), else_=value))
    total = 0
    for one in delivered:
        numbers = range(0, one["items"], step)
        where = (item.c.dataset_release_id == one["id"]) & among(tx.conn, item.c.idx, numbers)
        seen = int(tx.scalar(sa.select(sa.func.coalesce(counted, 0)).where(where)))
        total += seen * one["items"] // max(1, len(numbers))
    return total, step > 1


def _used(tx: Tx, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> Weighed:
    """Frames used of the items and of all delivered ones, as the method usage counts them.

    A report is on one delivery and names nothing else (royalties/usage.py), so its sum is that of its delivered items.
    """
    names = [one["public_id"] for one in delivered]
    under = delivery_table.c.release.in_(names) & (delivery_table.c.direction == "out")
    sent = set(tx.execute(sa.select(delivery_table.c.public_id).where(under)).scalars())
    counted = [row for row in reported.current(tx, agreements) if row["delivery"] in sent]
    ids = [row["id"] for row in counted]
    house = _sum(tx, among(tx.conn, usage.c.checkpoint_id, ids), usage.c.source == "house")
    some = items.subquery("some")
    theirs = (
        sa.select(sa.func.coalesce(sa.func.sum(usage.c.frames), 0))
        .select_from(some.join(usage, usage.c.item == some.c.public_id))
        .where(
            among(tx.conn, usage.c.checkpoint_id, ids),
            among(tx.conn, some.c.dataset_release_id, [one["id"] for one in delivered]),
        )
    )
    return Weighed(int(tx.scalar(theirs)), sum(row["frames_seen"] for row in counted) - house)


def _sum(tx: Tx, *where: sa.ColumnElement[bool]) -> int:
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(usage.c.frames), 0)).where(*where)))


_WEIGH = {"delivered_ms": _delivered_ms, "usage": _used, "clips": _clips, "scores": _scored}
