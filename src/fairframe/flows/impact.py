"""What a contributor's work is part of, and what their opt-out would do. Changes nothing."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.governing import governing
from fairframe.dataset.revocation import Items
from fairframe.dataset.tables import dataset_release, feed_entry, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.library.tables import asset, ownership
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx
from fairframe.rights.tables import consent_event
from fairframe.royalties.earnings import earnings
from fairframe.training.tables import checkpoint, usage

OPTED_OUT = "the contributor opted out"


@dataclass(frozen=True)
class ReleaseImpact:
    """The contributor's part of a release, which never changes."""

    release: str
    name: str
    items: int
    duration_ms: int


@dataclass(frozen=True)
class DeliveryImpact:
    """What an opt-out takes back from a delivery (`items`), and what was taken back before.

    due_ms: when the lab has to have deleted it. remedy: what it means for a training that runs or has ended.
    """

    delivery: str
    name: str
    party: str
    items: int
    duration_ms: int
    taken_back: int
    due_ms: int
    remedy: str


@dataclass(frozen=True)
class CheckpointImpact:
    """Frames of the contributor's clips that a checkpoint consumed, of all its frames.

    before, after: published before or after the opt-out in force (or now, where there is none).
    """

    checkpoint: str
    name: str
    party: str
    before: int
    after: int
    of_all: int
    method: str


@dataclass(frozen=True)
class MoneyImpact:
    """In one currency: earned so far (10^-6 minor units) and paid out (minor units). Earned stays earned.

    What a receipt that was taken back had brought is not in it, as it is not in the ledger's balance.
    """

    currency: str
    earned_micro: int
    paid_minor: int


@dataclass(frozen=True)
class Impact:
    """The preview of an opt-out. `items`, `duration_ms` and `deliveries` are what it takes back.

    opted_out_ms: when the contributor's overall no came into force; None where there is none.
    """

    contributor: str
    opted_out_ms: int | None
    items: int
    duration_ms: int
    releases: tuple[ReleaseImpact, ...]
    deliveries: tuple[DeliveryImpact, ...]
    checkpoints: tuple[CheckpointImpact, ...]
    money: tuple[MoneyImpact, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def impact(tx: Tx, contributor: Row) -> Impact:
    """Ask everything that the contributor's work is in. The same queries decide what flows.opt_out takes back."""
    items = items_of(tx, contributor["id"])
    deliveries = _deliveries(tx, items)
    opted_out_ms = _opted_out_ms(tx, contributor["id"])
    return Impact(
        contributor=contributor["public_id"],
        opted_out_ms=opted_out_ms,
        items=sum(one.items for one in deliveries),
        duration_ms=sum(one.duration_ms for one in deliveries),
        releases=_releases(tx, items),
        deliveries=deliveries,
        checkpoints=_checkpoints(tx, items, tx.now_ms if opted_out_ms is None else opted_out_ms),
        money=_money(tx, contributor),
    )


def items_of(tx: Tx, contributor_id: int) -> Items:
    """All items of a contributor in all releases: of assets that they brought or own a share of. As a query."""
    theirs = revocation.chosen(item.c.contributor_id == contributor_id)
    shared = _shared(tx, contributor_id)
    if not shared:
        return theirs
    # two ways to find items, each by an index of its own: put together with "or" neither would be used
    others = among(tx.conn, item.c.asset_id, shared) & (item.c.contributor_id != contributor_id)
    return sa.union_all(theirs, revocation.chosen(others))


def _shared(tx: Tx, contributor_id: int) -> list[int]:
    """Assets of others that a contributor owns a share of now. Every owner must permit, so a co-owner's no takes an
    asset back as well."""
    newer = ownership.alias("newer")
    later = (newer.c.valid_from_ms > ownership.c.valid_from_ms) | (
        (newer.c.valid_from_ms == ownership.c.valid_from_ms) & (newer.c.recorded_at_ms > ownership.c.recorded_at_ms)
    )
    replaced = sa.select(newer.c.id).where(
        newer.c.asset_id == ownership.c.asset_id, newer.c.valid_from_ms <= tx.now_ms, later
    )
    statement = (
        sa.select(ownership.c.asset_id)
        .join(asset, asset.c.id == ownership.c.asset_id)
        .where(ownership.c.contributor_id == contributor_id, asset.c.contributor_id != contributor_id)
        .where(ownership.c.valid_from_ms <= tx.now_ms, ~replaced.exists())
    )
    return sorted(set(tx.execute(statement).scalars()))


def _releases(tx: Tx, items: Items) -> tuple[ReleaseImpact, ...]:
    some = items.subquery("some")
    count, length = sa.func.count().label("items"), sa.func.sum(some.c.duration_ms).label("duration_ms")
    summed = sa.select(some.c.dataset_release_id, count, length).group_by(some.c.dataset_release_id).subquery("summed")
    statement = (
        sa.select(dataset_release.c.public_id, dataset_release.c.name, summed.c["items"], summed.c.duration_ms)
        .join(summed, summed.c.dataset_release_id == dataset_release.c.id)
        .order_by(dataset_release.c.id)
    )
    return tuple(
        ReleaseImpact(row["public_id"], row["name"], int(row["items"]), int(row["duration_ms"]))
        for row in tx.rows(statement)
    )


def _deliveries(tx: Tx, items: Items) -> tuple[DeliveryImpact, ...]:
    taking = {one.delivery["public_id"]: one for one in revocation.delivered(tx, items, OPTED_OUT)}
    back = _taken_back(tx, items)
    where = delivery_table.c.public_id.in_([*taking, *back]) & (delivery_table.c.direction == "out")
    rows = tx.rows(delivery_table.select().where(where).order_by(delivery_table.c.id))
    terms_of = {family: governing(tx, family).terms for family in {row["family"] for row in rows}}
    found: list[DeliveryImpact] = []
    for row in rows:
        terms = terms_of[row["family"]]
        taken = taking.get(row["public_id"])
        found.append(
            DeliveryImpact(
                delivery=row["public_id"],
                name=row["name"],
                party=row["party"],
                items=0 if taken is None else taken.items,
                duration_ms=0 if taken is None else taken.duration_ms,
                taken_back=back.get(row["public_id"], 0),
                due_ms=tx.now_ms + terms.deletion_ms,
                remedy=terms.opt_out_remedy,
            )
        )
    return tuple(found)


def _taken_back(tx: Tx, items: Items) -> dict[str, int]:
    some = items.subquery("some")
    statement = (
        sa.select(feed_entry.c.delivery, sa.func.count(feed_entry.c.item.distinct()).label("items"))
        .join(some, some.c.public_id == feed_entry.c.item)
        .where(feed_entry.c.direction == "out")
        .group_by(feed_entry.c.delivery)
    )
    return {row["delivery"]: int(row["items"]) for row in tx.rows(statement)}


def _opted_out_ms(tx: Tx, contributor_id: int) -> int | None:
    statement = (
        consent_event.select()
        .where(consent_event.c.contributor_id == contributor_id, consent_event.c.scope == "contributor")
        .where(consent_event.c.purpose == "*", consent_event.c.action == "*")
        .where(consent_event.c.valid_from_ms <= tx.now_ms)
        .order_by(consent_event.c.valid_from_ms.desc(), consent_event.c.recorded_at_ms.desc())
        .order_by(consent_event.c.id.desc())
        .limit(1)
    )
    row = tx.row(statement)
    return int(row["valid_from_ms"]) if row is not None and row["effect"] == "deny" else None


def _checkpoints(tx: Tx, items: Items, turn_ms: int) -> tuple[CheckpointImpact, ...]:
    some = items.subquery("some")
    statement = (
        sa.select(usage.c.checkpoint_id, usage.c.method, sa.func.sum(usage.c.frames).label("frames"))
        .join(some, some.c.public_id == usage.c.item)
        .group_by(usage.c.checkpoint_id, usage.c.method)
    )
    frames: dict[int, Counter[str]] = defaultdict(Counter)
    for row in tx.rows(statement):
        frames[row["checkpoint_id"]][row["method"]] += int(row["frames"])
    named = sa.select(checkpoint.c.party, checkpoint.c.weights_hash).where(among(tx.conn, checkpoint.c.id, [*frames]))
    found: list[CheckpointImpact] = []
    for party, weights in sorted({(row["party"], row["weights_hash"]) for row in tx.rows(named)}):
        where = (checkpoint.c.party == party) & (checkpoint.c.weights_hash == weights)
        reports = tx.rows(checkpoint.select().where(where).order_by(checkpoint.c.id))
        # a corrected report is a new row: the newest counts, under the id and time of the first
        first, newest = reports[0], reports[-1]
        used = frames[newest["id"]]
        early = first["recorded_at_ms"] <= turn_ms
        found.append(
            CheckpointImpact(
                checkpoint=first["public_id"],
                name=newest["name"],
                party=party,
                before=used.total() if early else 0,
                after=0 if early else used.total(),
                of_all=newest["frames_seen"],
                method=", ".join(sorted(used)),
            )
        )
    return tuple(sorted(found, key=lambda one: one.name))


def _money(tx: Tx, contributor: Row) -> tuple[MoneyImpact, ...]:
    return tuple(MoneyImpact(one.currency, one.earned_micro, one.paid_minor) for one in earnings(tx, contributor))
