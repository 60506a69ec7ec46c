"""Taking delivered items back: a feed entry and an obligation per delivered item. The lease of the rest stays.

An item of a delivery is taken back once, and again only for a graver reason, since a feed's reasons decide whether
models go with the clips (flows/deletion.py): the end of retention, then any other, then the end of the family. The
clip is to be deleted once, when it was first due.

Which items is a query, and all that follows is made of it by the database: tens of thousands of copies take a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.obligations import owe
from fairframe.dataset.tables import dataset_release, feed_entry, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx

ENDED = "the agreement ended"
"""The reason that a feed gives when a family is over: then models fall under the deletion days as well."""
KEPT_LONG = "the time for which it may be kept is over"
"""The reason that a feed gives at the end of retention: clips go, and models stay whatever the remedy for a no is."""
OUT = "out"

Chosen = sa.Select[*tuple[Any, ...]]
Items = Chosen | sa.CompoundSelect[*tuple[Any, ...]]
"""A query for rows of `item`, with the columns of `chosen`."""


@dataclass(frozen=True)
class Revoked:
    """What was taken back from one delivery by one act: `items` clips, by the feed's entries `first` to `last`."""

    delivery: str
    items: int
    duration_ms: int
    first: int
    last: int


@dataclass(frozen=True)
class Delivered:
    """Items where they were delivered: the delivery's row, how many, and how long they last together."""

    delivery: Row
    items: int
    duration_ms: int


def chosen(*where: sa.ColumnElement[bool]) -> Chosen:
    """The items that a condition finds, by what taking them back needs; an index holds just these columns."""
    named = (item.c.id, item.c.public_id, item.c.dataset_release_id, item.c.idx, item.c.duration_ms)
    return sa.select(*named, item.c.asset_id).where(*where)


def chosen_ids(tx: Tx, ids: Sequence[int]) -> Chosen:
    """The items with these ids."""
    return chosen(among(tx.conn, item.c.id, ids))


def revoke(tx: WriteTx, items: Items, reason: str, effective_ms: int | None = None) -> list[Revoked]:
    """Write a feed entry for every delivery of the items that has none as grave, and an obligation where there is none.

    In effect from now on unless said otherwise, and due the deletion days of the agreement that governs the delivery's
    family later. A delivery's entries follow each other in the order of its items.
    """
    since_ms = tx.now_ms if effective_ms is None else effective_ms
    close_behind(tx)
    found = delivered(tx, items, reason)
    if not found:
        return []
    family_of = {one.delivery["family"]: one.delivery["party"] for one in found}
    before = {family: last_entry(tx, OUT, family) for family in family_of}
    tx.insert_from(feed_entry, _entries(items, reason, since_ms, before))
    for family, party in family_of.items():
        owe(tx, OUT, party, family, before[family], governing(tx, family).terms.deletion_ms)
    done: list[Revoked] = []
    for one in found:
        family, place = one.delivery["family"], one.delivery["public_id"]
        first, before[family] = before[family] + 1, before[family] + one.items
        done.append(Revoked(place, one.items, one.duration_ms, first, before[family]))
        body = {"items": one.items, "entries": [first, before[family]], "reason": reason, "effective_ms": since_ms}
        tx.record("delivery.taken_back", place, {"family": family, **body})
    return done


def delivered(tx: Tx, items: Items, reason: str = KEPT_LONG) -> list[Delivered]:
    """The deliveries that hold items not yet taken back for that reason or as grave a one, oldest first.

    KEPT_LONG is the least grave: items that were not taken back at all.
    """
    some, held = _held(items)
    count, length = sa.func.count().label("n"), sa.func.sum(some.c.duration_ms).label("ms")
    grouped = sa.select(delivery_table.c.id, count, length).select_from(held).where(_standing(some, reason))
    sums = {row["id"]: row for row in tx.rows(grouped.group_by(delivery_table.c.id))}
    rows = tx.rows(delivery_table.select().where(among(tx.conn, delivery_table.c.id, sorted(sums))))
    return [
        Delivered(row, int(sums[row["id"]]["n"]), int(sums[row["id"]]["ms"]))
        for row in sorted(rows, key=lambda row: row["id"])
    ]


def back_before(tx: Tx, items: Items) -> dict[str, int]:
    """How many of some items were taken back before, by the delivery's public id; deliveries with none are left out."""
    some, held = _held(items)
    count = sa.select(delivery_table.c.public_id, sa.func.count().label("items")).select_from(held)
    grouped = count.where(~_standing(some, KEPT_LONG)).group_by(delivery_table.c.public_id)
    return {row["public_id"]: int(row["items"]) for row in tx.rows(grouped)}


def last_entry(tx: Tx, direction: str, family: str) -> int:
    """The number of the newest feed entry of a family; 0 where there is none."""
    statement = sa.select(sa.func.coalesce(sa.func.max(feed_entry.c.seq), 0)).where(
        feed_entry.c.direction == direction, feed_entry.c.family == family
    )
    return int(tx.scalar(statement))


def taken_back(tx: Tx, direction: str, delivery: str) -> set[str]:
    """Ids of a delivery's items that may no longer be used."""
    return {row["item"] for row in told(tx, direction, delivery)}


def count_taken_back(tx: Tx, direction: str, delivery: str) -> int:
    """How many items of a delivery may no longer be used."""
    where = (feed_entry.c.direction == direction) & (feed_entry.c.delivery == delivery)
    return int(tx.scalar(sa.select(sa.func.count(feed_entry.c.item.distinct())).where(where)))


def withdrawn(tx: Tx, direction: str, delivery: str, upto: int | None = None) -> set[str]:
    """Ids of a delivery's items that the remedy withdraw asks a model to forget: all but those merely kept too long."""
    return {row["item"] for row in told(tx, direction, delivery, upto) if row["reason"] != KEPT_LONG}


def told(tx: Tx, direction: str, delivery: str, upto: int | None = None) -> Sequence[Row]:
    """Item and reason of the feed's entries about a delivery, up to the number `upto` (all where None)."""
    where = (feed_entry.c.direction == direction) & (feed_entry.c.delivery == delivery)
    if upto is not None:
        where &= feed_entry.c.seq <= upto
    return tx.rows(sa.select(feed_entry.c.item, feed_entry.c.reason).where(where).order_by(feed_entry.c.seq))


def _held(items: Items) -> tuple[sa.Subquery, sa.FromClause]:
    """The items as a subquery, and it joined with the deliveries that hold them."""
    some = items.subquery("some")
    releases = some.join(dataset_release, dataset_release.c.id == some.c.dataset_release_id)
    to = (delivery_table.c.release == dataset_release.c.public_id) & (delivery_table.c.direction == OUT)
    return some, releases.join(delivery_table, to)


def _standing(some: sa.Subquery, reason: str) -> sa.ColumnElement[bool]:
    """Whether an item was not yet taken back from a delivery for that reason or as grave a one."""
    as_grave = {ENDED: feed_entry.c.reason == ENDED, KEPT_LONG: sa.true()}
    back = sa.select(feed_entry.c.id).where(
        feed_entry.c.direction == OUT,
        feed_entry.c.delivery == delivery_table.c.public_id,
        feed_entry.c.item == some.c.public_id,
        as_grave.get(reason, feed_entry.c.reason != KEPT_LONG),
    )
    return ~back.exists()


def _entries(items: Items, reason: str, since_ms: int, before: dict[str, int]) -> Chosen:
    """The rows of feed_entry, numbered on from the newest entry of each family."""
    some, held = _held(items)
    place = sa.func.row_number().over(partition_by=delivery_table.c.family, order_by=(delivery_table.c.id, some.c.idx))
    base = sa.case(before, value=delivery_table.c.family)
    return (
        sa.select(
            sa.literal(OUT).label("direction"),
            delivery_table.c.family,
            (base + place).label("seq"),
            delivery_table.c.public_id.label("delivery"),
            some.c.public_id.label("item"),
            sa.literal(reason).label("reason"),
            sa.literal(since_ms, sa.BigInteger).label("effective_ms"),
        )
        .select_from(held)
        .where(_standing(some, reason))
    )
