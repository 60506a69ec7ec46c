"""Who earned what, and what an opt-out did: from a library's database."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.rational import Share
from fairframe.dataset.tables import dataset_release, delivery, feed_entry, item, obligation, obligation_event
from fairframe.flows.impact import Impact, impact
from fairframe.flows.report_words import clean
from fairframe.library.tables import contributor
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.consent import opted_out_since
from fairframe.royalties import balance, events
from fairframe.royalties.balance import Position
from fairframe.royalties.deal_terms import deal_terms, find_agreement
from fairframe.royalties.earnings import earnings
from fairframe.royalties.events import CORRECTION, TAKEN
from fairframe.royalties.pools import has_pool
from fairframe.royalties.tables import allocation, allocation_line, ledger_txn, revenue_event
from fairframe.training.tables import checkpoint, usage

SHOWN = 20


@dataclass(frozen=True)
class Earner:
    """One contributor in one currency. micro: earned by the ledger, so less what was taken back."""

    name: str
    currency: str
    micro: int
    clips: int
    frames: int
    paid_minor: int
    opted_out: bool


@dataclass(frozen=True)
class Event:
    """Money received under an agreement, and what of it went to contributors (None: not allocated).

    kind: one of royalties.events; what a refund or chargeback took is below zero. counts: whether it is recognized,
    so shared: else an invoice that waits for its money, or the payment of one that was recognized.
    taken_back_ms: when a correction took the receipt back, whole, with what contributors had got from it; else None.
    """

    id: str
    kind: str
    counts: bool
    reference: str
    offer: str
    share: Share
    method: str
    currency: str
    gross_minor: int
    net_minor: int
    pool_micro: int | None
    lines: int
    sums_to_pool: bool
    taken_back_ms: int | None

    @property
    def stays_micro(self) -> int:
        """What contributors have of it."""
        return 0 if self.taken_back_ms is not None else self.pool_micro or 0


@dataclass(frozen=True)
class Money:
    """The position of a library's royalties. earners: most first; others: how many are not shown."""

    events: tuple[Event, ...]
    earners: tuple[Earner, ...]
    others: int
    position: Position


@dataclass(frozen=True)
class OptOut:
    """An opt-out and what it did. attested: items whose deletion the lab has signed for; entries: in the feed."""

    name: str
    at_ms: int
    entries: int
    due: int
    attested: int
    impact: Impact


def money_of(tx: Tx) -> Money:
    """Revenue, allocations and contributors' earnings."""
    rows = tx.rows(events.select().order_by(revenue_event.c.id.desc()).limit(SHOWN))
    shown = [_event(tx, row) for row in reversed(rows)]
    earners = _earners(tx)
    return Money(tuple(shown), tuple(earners[:SHOWN]), max(0, len(earners) - SHOWN), balance.balance(tx))


def _event(tx: Tx, row: Row) -> Event:
    made = tx.row(allocation.select().where(allocation.c.revenue_event_id == row["id"]))
    lines, total = 0, 0
    if made is not None:
        sums = sa.select(sa.func.count(), sa.func.sum(allocation_line.c.amount_micro))
        found = tx.row(sums.where(allocation_line.c.allocation_id == made["id"]))
        lines, total = (int(v or 0) for v in found.values()) if found is not None else (0, 0)
    known = [one for one in agreements.listing(tx) if one.public_id == row["agreement"]]
    sign = -1 if row["kind"] in TAKEN else 1
    return Event(
        id=row["public_id"],
        kind=row["kind"],
        counts=has_pool(row, deal_terms(find_agreement(tx, row["agreement"]))),
        reference=clean(row["reference"], 60),
        offer=clean(known[0].offer, 40) if known else "other",
        share=known[0].share if known else Share(0),
        method=made["method"] if made is not None else "",
        currency=row["currency"],
        gross_minor=sign * row["gross_minor"],
        net_minor=sign * row["net_minor"],
        pool_micro=int(made["pool_micro"]) if made is not None else None,
        lines=lines,
        sums_to_pool=made is not None and total == int(made["pool_micro"]),
        taken_back_ms=_taken_back_ms(tx, row["public_id"]),
    )


def _taken_back_ms(tx: Tx, event: str) -> int | None:
    where = (ledger_txn.c.kind == CORRECTION) & (ledger_txn.c.subject == event)
    found = tx.scalar(sa.select(ledger_txn.c.recorded_at_ms).where(where))
    return None if found is None else int(found)


def _earners(tx: Tx) -> list[Earner]:
    people = {row["public_id"]: row for row in tx.rows(contributor.select())}
    clips, frames, out = _clips(tx), _frames(tx), opted_out_since(tx)
    found = [
        Earner(
            clean(who["name"], 60),
            one.currency,
            one.earned_micro,
            clips.get(who["id"], 0),
            frames.get(who["id"], 0),
            one.paid_minor,
            who["id"] in out,
        )
        for one in earnings(tx)
        if one.earned_micro and (who := people[one.contributor])
    ]
    return sorted(found, key=lambda one: (-one.micro, one.name))


def _clips(tx: Tx) -> dict[int, int]:
    """Contributor -> items ever delivered."""
    delivered = sa.select(delivery.c.release).where(delivery.c.direction == "out")
    statement = (
        sa.select(item.c.contributor_id, sa.func.count().label("n"))
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .where(dataset_release.c.public_id.in_(delivered))
        .group_by(item.c.contributor_id)
    )
    return {row["contributor_id"]: int(row["n"]) for row in tx.rows(statement)}


def _frames(tx: Tx) -> dict[int, int]:
    """Contributor -> frames that reported checkpoints consumed; of several reports of one checkpoint, the newest."""
    newest = sa.select(sa.func.max(checkpoint.c.id)).where(checkpoint.c.direction == "reported")
    newest = newest.group_by(checkpoint.c.party, checkpoint.c.weights_hash)
    statement = (
        sa.select(item.c.contributor_id, sa.func.sum(usage.c.frames).label("n"))
        .join(usage, usage.c.item == item.c.public_id)
        .where(usage.c.checkpoint_id.in_(newest))
        .group_by(item.c.contributor_id)
    )
    return {row["contributor_id"]: int(row["n"]) for row in tx.rows(statement)}


def opt_outs_of(tx: Tx) -> tuple[OptOut, ...]:
    """The newest opt-outs, and what they did so far."""
    found = sorted(opted_out_since(tx).items(), key=lambda pair: -pair[1])[:5]
    return tuple(_opt_out(tx, key, at_ms) for key, at_ms in found)


def _opt_out(tx: Tx, key: int, at_ms: int) -> OptOut:
    who = tx.row(contributor.select().where(contributor.c.id == key))
    assert who is not None
    theirs = sa.select(item.c.public_id).where(item.c.contributor_id == key)
    mine = (feed_entry.c.direction == "out") & feed_entry.c.item.in_(theirs)
    owed = (obligation.c.direction == "out") & obligation.c.item.in_(theirs)
    done = sa.select(sa.func.count()).select_from(obligation_event.join(obligation)).where(owed)
    return OptOut(
        name=clean(who["name"], 60),
        at_ms=at_ms,
        entries=int(tx.scalar(sa.select(sa.func.count()).select_from(feed_entry).where(mine)) or 0),
        due=int(tx.scalar(sa.select(sa.func.count()).select_from(obligation).where(owed)) or 0),
        attested=int(tx.scalar(done.where(obligation_event.c.kind == "attested")) or 0),
        impact=impact(tx, who),
    )
