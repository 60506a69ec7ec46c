"""Taking delivered items back: a feed entry and an obligation per delivered item. The lease of the rest stays.

An item of a delivery is taken back once, and again only for a graver reason, since a feed's reasons decide whether
models go with the clips (flows/deletion.py): the end of retention, then any other, then the end of the family. The
clip is to be deleted once, when it was first due.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.obligations import owe
from fairframe.dataset.tables import dataset_release, feed_entry, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.library.tables import asset
from fairframe.platform.tx import Row, Tx, WriteTx

BATCH = 500
ENDED = "the agreement ended"
"""The reason that a feed gives when a family is over: then models fall under the deletion days as well."""
KEPT_LONG = "the time for which it may be kept is over"
"""The reason that a feed gives at the end of retention: clips go, and models stay whatever the remedy for a no is."""
OUT = "out"


@dataclass(frozen=True)
class Revoked:
    """One item of one delivery that was taken back by this act."""

    item: str
    delivery: str
    asset: str
    duration_ms: int


@dataclass(frozen=True)
class Delivered:
    """An item where it was delivered: the item's row, the delivery's row, the asset's public id."""

    item: Row
    delivery: Row
    asset: str


def revoke(tx: WriteTx, items: Sequence[Row], reason: str, effective_ms: int | None = None) -> list[Revoked]:
    """Write a feed entry for every delivery of the items that has none as grave, and an obligation where there is none.

    `items`: rows of `item`. In effect from now on unless said otherwise, and due the deletion days of the agreement
    that governs the delivery's family later.
    """
    since_ms = tx.now_ms if effective_ms is None else effective_ms
    close_behind(tx)
    done: list[Revoked] = []
    numbers: dict[str, int] = {}
    left_ms: dict[str, int] = {}
    for one in delivered(tx, [int(row["id"]) for row in items], reason):
        family = one.delivery["family"]
        if family not in numbers:
            numbers[family] = last_entry(tx, OUT, family)
            left_ms[family] = governing(tx, family).terms.deletion_ms
        numbers[family] += 1
        _take_back(tx, one, numbers[family], reason, since_ms, since_ms + left_ms[family])
        done.append(Revoked(one.item["public_id"], one.delivery["public_id"], one.asset, int(one.item["duration_ms"])))
    return done


def delivered(tx: Tx, item_ids: Sequence[int], reason: str = KEPT_LONG) -> Iterator[Delivered]:
    """Every (item, delivery) of the items not yet taken back for that reason or as grave a one, in order of delivery
    and place. KEPT_LONG is the least grave: those that were not taken back at all."""
    for start in range(0, len(item_ids), BATCH):
        ids = item_ids[start : start + BATCH]
        statement = (
            sa.select(item.c.id, delivery_table.c.id.label("delivery_id"), asset.c.public_id.label("asset"))
            .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
            .join(delivery_table, delivery_table.c.release == dataset_release.c.public_id)
            .join(asset, asset.c.id == item.c.asset_id)
            .where(item.c.id.in_(ids), delivery_table.c.direction == OUT, ~_taken_back(reason))
            .order_by(delivery_table.c.id, item.c.idx)
        )
        pairs = tx.rows(statement)
        rows = {row["id"]: row for row in tx.rows(item.select().where(item.c.id.in_(ids)))}
        places = {row["delivery_id"] for row in pairs}
        places_by_id = {r["id"]: r for r in tx.rows(delivery_table.select().where(delivery_table.c.id.in_(places)))}
        for pair in pairs:
            yield Delivered(rows[pair["id"]], places_by_id[pair["delivery_id"]], pair["asset"])


def last_entry(tx: Tx, direction: str, family: str) -> int:
    """The number of the newest feed entry of a family; 0 where there is none."""
    statement = sa.select(sa.func.coalesce(sa.func.max(feed_entry.c.seq), 0)).where(
        feed_entry.c.direction == direction, feed_entry.c.family == family
    )
    return int(tx.scalar(statement))


def taken_back(tx: Tx, direction: str, delivery: str) -> set[str]:
    """Ids of a delivery's items that may no longer be used."""
    return {row["item"] for row in told(tx, direction, delivery)}


def withdrawn(tx: Tx, direction: str, delivery: str, upto: int | None = None) -> set[str]:
    """Ids of a delivery's items that the remedy withdraw asks a model to forget: all but those merely kept too long."""
    return {row["item"] for row in told(tx, direction, delivery, upto) if row["reason"] != KEPT_LONG}


def told(tx: Tx, direction: str, delivery: str, upto: int | None = None) -> Sequence[Row]:
    """Item and reason of the feed's entries about a delivery, up to the number `upto` (all where None)."""
    where = (feed_entry.c.direction == direction) & (feed_entry.c.delivery == delivery)
    if upto is not None:
        where &= feed_entry.c.seq <= upto
    return tx.rows(sa.select(feed_entry.c.item, feed_entry.c.reason).where(where).order_by(feed_entry.c.seq))


def _taken_back(reason: str) -> sa.ColumnElement[bool]:
    as_grave = {ENDED: feed_entry.c.reason == ENDED, KEPT_LONG: sa.true()}
    return (
        sa.select(feed_entry.c.id)
        .where(
            feed_entry.c.direction == OUT,
            feed_entry.c.item == item.c.public_id,
            feed_entry.c.delivery == delivery_table.c.public_id,
            as_grave.get(reason, feed_entry.c.reason != KEPT_LONG),
        )
        .exists()
    )


def _take_back(tx: WriteTx, one: Delivered, seq: int, reason: str, since_ms: int, due_ms: int) -> None:
    where, what = one.delivery["public_id"], one.item["public_id"]
    tx.insert(
        feed_entry,
        direction=OUT,
        family=one.delivery["family"],
        seq=seq,
        delivery=where,
        item=what,
        reason=reason,
        effective_ms=since_ms,
    )
    owe(tx, OUT, one.delivery["party"], where, what, due_ms)
    body = {"item": what, "delivery": where, "entry": seq, "reason": reason, "due_ms": due_ms}
    tx.record("item.revoked", one.asset, body)
