"""What a contributor's work is part of, and what their opt-out would do. Changes nothing."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.dataset import revocation
from fairframe.dataset.governing import governing
from fairframe.dataset.revocation import Items
from fairframe.dataset.tables import dataset_release, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.library.tables import asset, ownership
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.consent import opted_out_since
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.earnings import earnings
from fairframe.royalties.parts import part_of
from fairframe.training.tables import checkpoint, usage

OPTED_OUT = "the contributor opted out"


@dataclass(frozen=True)
class ReleaseImpact:
    """The contributor's part of a release, which never changes.

    delivered: False for an open draft: with a clip of theirs it is refused when somebody delivers it after their no.
    """

    release: str
    name: str
    items: int
    duration_ms: int
    delivered: bool


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
    """In one currency: earned so far (10^-6 minor units), paid out (minor units), pending: earned, and neither paid nor
    withheld.

    Earned stays earned.

    What a receipt that was taken back had brought is not in it, as it is not in the ledger's balance.
    """

    currency: str
    earned_micro: int
    paid_minor: int
    pending_micro: int


@dataclass(frozen=True)
class PoolImpact:
    """Their part of the pools of one agreement under which clips of theirs were delivered.

    It weighs `weight` of `of_all` (in `unit`), before co-owners' shares, and an opt-out does not lessen that: what was
    delivered counts. waiting_micro: their part of receipts that wait for an allocation. What they would lose is what a
    release like the newest (`release`) pays when it is built anew: next_ms of its next_of_ms are theirs.
    sampled: of_all is told from every nth of many items, a few percent off at most.
    """

    agreement: str
    offer: str
    state: str
    currency: str
    unit: str
    weight: int
    of_all: int
    waiting_micro: int
    release: str
    next_ms: int
    next_of_ms: int
    sampled: bool


@dataclass(frozen=True)
class Impact:
    """The preview of an opt-out. `items`, `duration_ms` and `deliveries` are what it takes back.

    Each item that it takes back is an obligation of that delivery's lab to delete it by `due_ms`.

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
    pools: tuple[PoolImpact, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def impact(tx: Tx, contributor: Row) -> Impact:
    """Ask everything that the contributor's work is in. The same queries decide what flows.opt_out takes back."""
    items = items_of(tx, contributor["id"])
    deliveries = _deliveries(tx, items)
    opted_out_ms = opted_out_since(tx, contributor["id"]).get(contributor["id"])
    return Impact(
        contributor=contributor["public_id"],
        opted_out_ms=opted_out_ms,
        items=sum(one.items for one in deliveries),
        duration_ms=sum(one.duration_ms for one in deliveries),
        releases=_releases(tx, items),
        deliveries=deliveries,
        checkpoints=_checkpoints(tx, items, tx.now_ms if opted_out_ms is None else opted_out_ms),
        money=money_of(tx, contributor),
        pools=_pools(tx, items),
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


def among_them(items: Items) -> sa.ColumnElement[bool]:
    """The condition on `item` that it is one of a query's."""
    return item.c.id.in_(sa.select(items.subquery("theirs").c.id))


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
    sent = sa.select(delivery_table.c.release).where(delivery_table.c.direction == "out").distinct()
    delivered = set(tx.execute(sent).scalars())
    return tuple(
        ReleaseImpact(
            release=row["public_id"],
            name=row["name"],
            items=int(row["items"]),
            duration_ms=int(row["duration_ms"]),
            delivered=row["public_id"] in delivered,
        )
        for row in tx.rows(statement)
    )


def _deliveries(tx: Tx, items: Items) -> tuple[DeliveryImpact, ...]:
    taking = {one.delivery["public_id"]: one for one in revocation.delivered(tx, items, OPTED_OUT)}
    back = revocation.back_before(tx, items)
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


def money_of(tx: Tx, contributor: Row) -> tuple[MoneyImpact, ...]:
    """What a contributor earned, by currency."""
    return tuple(
        MoneyImpact(
            one.currency,
            one.earned_micro,
            one.paid_minor,
            one.earned_micro - (one.paid_minor + one.withheld_minor) * MICRO,
        )
        for one in earnings(tx, contributor)
    )


def _pools(tx: Tx, items: Items) -> tuple[PoolImpact, ...]:
    some = items.subquery("some")
    within = tx.execute(sa.select(some.c.dataset_release_id).distinct()).scalars().all()
    under = (
        sa.select(delivery_table.c.family)
        .join(dataset_release, dataset_release.c.public_id == delivery_table.c.release)
        .where(delivery_table.c.direction == "out", among(tx.conn, dataset_release.c.id, within))
        .distinct()
    )
    found: list[PoolImpact] = []
    for family in sorted(tx.execute(under).scalars()):
        for one in agreements.listing(tx, family):
            state = one.state(tx.now_ms)
            if one.signed is None:
                continue
            part = part_of(tx, find_agreement(tx, one.public_id), items)
            if part.weight or part.next_ms:
                code = one.fee.currency.code
                found.append(PoolImpact(one.public_id, one.offer, state, code, **vars(part)))
    return tuple(found)
