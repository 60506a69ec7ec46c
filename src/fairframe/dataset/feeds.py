"""The revocation feed of an agreement family: issued by the library, taken by the lab.

One document per issue, numbered within the family (it is issued under the family's first agreement, so an upgrade
does not start the numbers anew). It lists all entries, so the newest feed is all that a lab needs.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import BadDocument, Conflict, VerificationError
from fairframe.core.feed_body import FeedBody, FeedEntry
from fairframe.core.ids import new_id
from fairframe.dataset import leases, revocation, sweep
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.obligations import owe
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements

IN, OUT = "in", "out"


@dataclass(frozen=True)
class Refreshed:
    """What a feed brought. `entries` and `deliveries` are of this feed alone; all are 0 where it was known."""

    family: str
    seq: int
    new: bool
    entries: int
    leases: int


def issue(tx: WriteTx, agreement_id: str) -> bytes:
    """Sign the family's feed: all revocations, and renewed leases while an agreement of the family is in force.

    What may no longer be used is taken back first (see sweep), so that no lease is renewed over it.
    """
    close_behind(tx)
    asked = agreements.find(tx, agreement_id)
    first = agreements.find(tx, asked.family)
    active = agreements.active_in_family(tx, asked.family)
    sweep.sweep(tx, asked.family)
    rows = deliveries_of(tx, OUT, asked.family)
    renewed = tuple(leases.issue_under(tx, row, active) for row in rows) if active is not None else ()
    body = FeedBody(
        family=asked.family,
        deliveries=tuple(row["public_id"] for row in rows),
        entries=entries(tx, OUT, asked.family),
        max_age_ms=(active or asked).terms.feed_age_ms,
        leases=renewed,
    )
    return bundles.issue(tx, "feed", asked.lab, body.to_json(), first.ref, id=new_id("fed"))


def refresh(tx: WriteTx, data: bytes) -> Refreshed:
    """Take a library's feed (lab side): its revocations become obligations, its leases take the old ones' place.

    A feed that says that the family has ended ends what is in force of it here: a breach is told in no other way.
    Raises what bundles.accept raises (bundle.stale for a replay), VerificationError (feed.stale, feed.stranger) and
    Conflict (feed.rewritten) where it takes back or changes an entry that an earlier feed had.
    """
    accepted = bundles.accept(tx, data, "feed")
    body, bundle = FeedBody.from_json(accepted.bundle.body), accepted.bundle
    if bundle.agreement is None or bundle.agreement.id != body.family:
        raise BadDocument("The feed is not issued under its family", code="feed.family", where=bundle.id)
    if agreements.find(tx, body.family).library != bundle.sender:
        raise VerificationError("the feed is not from the agreement's library", code="feed.stranger", where=bundle.id)
    if not accepted.new:
        newest = latest(tx, body.family)
        if newest is not None and newest["seq"] > bundle.seq:
            raise VerificationError(
                f"this feed has number {bundle.seq}, but number {newest['seq']} was already taken",
                code="feed.stale",
                where=bundle.id,
                remedy="Ask the library for the newest feed.",
            )
        return Refreshed(body.family, bundle.seq, False, 0, 0)
    fresh = _after_known(tx, body)
    _keep(tx, body.family, bundle.sender, fresh)
    if any(entry.reason == revocation.ENDED for entry in fresh):
        _end(tx, body.family)
    for lease in body.leases:
        leases.take(tx, lease)
    summary = {"seq": bundle.seq, "entries": len(fresh), "leases": len(body.leases)}
    tx.record("feed.taken", body.family, summary)
    return Refreshed(body.family, bundle.seq, True, len(fresh), len(body.leases))


def latest(tx: Tx, family: str) -> Row | None:
    """The newest feed document of a family that this workspace issued or took: seq, issued_at_ms, envelope."""
    where = (document.c.type == "feed") & (document.c.agreement == family)
    return tx.row(sa.select(document).where(where).order_by(document.c.seq.desc()).limit(1))


def entries(tx: Tx, direction: str, family: str) -> tuple[FeedEntry, ...]:
    """All entries of a family, in order."""
    where = (feed_entry.c.direction == direction) & (feed_entry.c.family == family)
    rows = tx.rows(sa.select(feed_entry).where(where).order_by(feed_entry.c.seq))
    return tuple(FeedEntry(r["seq"], r["delivery"], r["item"], r["reason"], r["effective_ms"]) for r in rows)


def deliveries_of(tx: Tx, direction: str, family: str) -> list[Row]:
    where = (delivery_table.c.direction == direction) & (delivery_table.c.family == family)
    return list(tx.rows(sa.select(delivery_table).where(where).order_by(delivery_table.c.id)))


def _after_known(tx: Tx, body: FeedBody) -> tuple[FeedEntry, ...]:
    known = entries(tx, IN, body.family)
    if body.entries[: len(known)] != known:
        raise Conflict(
            "the feed takes back or changes an entry that an earlier feed had",
            code="feed.rewritten",
            where=body.family,
            remedy="Keep both feeds and ask the library what happened.",
        )
    return body.entries[len(known) :]


def _end(tx: WriteTx, family: str) -> None:
    for one in agreements.listing(tx, family):
        if one.state(bundles.trusted_now_ms(tx)) in ("pending", "active"):
            agreements.terminate(tx, one.public_id, "the library's feed says so")


def _keep(tx: WriteTx, family: str, library: str, fresh: tuple[FeedEntry, ...]) -> None:
    deletion_ms = governing(tx, family).terms.deletion_ms
    for entry in fresh:
        tx.insert(
            feed_entry,
            direction=IN,
            family=family,
            seq=entry.seq,
            delivery=entry.delivery,
            item=entry.item,
            reason=entry.reason,
            effective_ms=entry.effective_ms,
        )
        owe(tx, IN, library, entry.delivery, entry.item, entry.effective_ms + deletion_ms)
        tx.record("item.taken_back", entry.item, entry.to_json())
