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
from fairframe.royalties.allocate import open_events
from fairframe.royalties.facts import chain, releases
from fairframe.royalties.methods import method
from fairframe.royalties.revenue import pool_micro
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


def part_of(tx: Tx, deal: Row, items: Items) -> Part:
    """The part of some items (a query with the columns of revocation.chosen) under an agreement (its row)."""
    agreements = chain(tx, deal)
    delivered = _rows(tx, releases(tx, agreements))
    newest = delivered[-1:]
    chosen = method(deal["terms"].get("split_basis"))
    if chosen.name == "usage":
        (weight, of_all), sampled = _used(tx, agreements, delivered, items), False
    else:
        weight, (of_all, sampled) = _theirs(tx, delivered, items), _lasting(tx, delivered)
    of_all = max(of_all, weight)
    # a release holds a span once, so its length is a sum of its own
    next_ms, next_of_ms = _theirs(tx, newest, items), sum(int(one["duration_ms"]) for one in newest)
    nets = [one["net_minor"] for one in open_events(tx) if one["subject"] == deal["public_id"]]
    waiting = sum(pool_micro(deal, net) for net in nets) * weight // of_all if of_all else 0
    name = str(newest[0]["name"]) if newest else ""
    return Part(chosen.unit, weight, of_all, waiting, name, next_ms, next_of_ms, sampled)


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
    """The same of all items of the releases, and whether it is told from a sample: an item counts where no older one
    of these releases has its span."""
    step = max(1, -(-sum(one["items"] for one in delivered) // SAMPLE))
    ids, first = [one["id"] for one in delivered], item.alias("first")
    same = sa.select(first.c.id).where(
        first.c.asset_id == item.c.asset_id,
        first.c.start == item.c.start,
        first.c.end == item.c.end,
        # a sum keeps SQLite from going through the whole release instead of the few items of the asset
        among(tx.conn, first.c.dataset_release_id + 0, ids),
        first.c.dataset_release_id < item.c.dataset_release_id,
    )
    counted = sa.func.sum(sa.case((same.exists(), 0), else_=item.c.duration_ms))
    total = 0
    for one in delivered:
        numbers = range(0, one["items"], step)
        where = (item.c.dataset_release_id == one["id"]) & among(tx.conn, item.c.idx, numbers)
        seen = int(tx.scalar(sa.select(sa.func.coalesce(counted, 0)).where(where)))
        total += seen * one["items"] // max(1, len(numbers))
    return total, step > 1


def _used(tx: Tx, agreements: Sequence[str], delivered: Sequence[Row], items: Items) -> tuple[int, int]:
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
    return int(tx.scalar(theirs)), sum(row["frames_seen"] for row in counted) - house


def _sum(tx: Tx, *where: sa.ColumnElement[bool]) -> int:
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(usage.c.frames), 0)).where(*where)))
