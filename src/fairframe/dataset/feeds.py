"""The revocation feed of an agreement family: issued by the library, taken by the lab.

One document per issue, numbered within the family (it is issued under the family's first agreement, so an upgrade
does not start the numbers anew). The list beside it has all entries, so the newest feed is all that a lab needs: one
that was lost on the way, or a lab that starts from a backup, asks for nothing. Both sides read and write it as a
stream, and the lab keeps only what is new.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument, Conflict, VerificationError
from fairframe.core.feed_body import FeedBody, FeedEntry, lines_of
from fairframe.core.ids import new_id
from fairframe.dataset import leases, revocation, sweep
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.obligations import owe
from fairframe.dataset.papers import Papers, keep_list, kept
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements
from fairframe.verify.beside import signed_lines

IN, OUT = "in", "out"
MAX_ROWS = 10_000
MAX_NAMED = 500


@dataclass(frozen=True)
class Refreshed:
    """What a feed brought. `entries` and `deliveries` are of this feed alone; all are 0 where it was known."""

    family: str
    seq: int
    new: bool
    entries: int
    leases: int


def issue(tx: WriteTx, agreement_id: str) -> Papers:
    """Sign the family's feed: all revocations, in its list, and renewed leases while an agreement is in force.

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
        entries=revocation.last_entry(tx, OUT, asked.family),
        beside=keep_list(tx.ws, lines_of(entries(tx, OUT, asked.family))),
        max_age_ms=(active or asked).terms.feed_age_ms,
        leases=renewed,
    )
    envelope = bundles.issue(tx, "feed", asked.lab, body.to_json(), first.ref, id=new_id("fed"))
    return kept(tx.ws, envelope, body.beside)


def refresh(tx: WriteTx, papers: Papers) -> Refreshed:
    """Take a library's feed (lab side): its revocations become obligations, its leases take the old ones' place.

    A feed that says that the family has ended ends what is in force of it here: a breach is told in no other way.
    Raises what bundles.accept raises (bundle.stale for a replay), VerificationError (feed.stale, feed.stranger; the
    list is not the signed one: list.missing, list.changed), BadDocument on a list of another form, and Conflict
    (feed.rewritten) where it takes back or changes an entry that an earlier feed had.
    """
    accepted = bundles.accept(tx, papers.envelope, "feed")
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
    _check_theirs(tx, body, bundle)
    known = revocation.last_entry(tx, IN, body.family)
    with signed_lines(papers.items, body.beside) as lines:
        _keep(tx, body, known, body.read(lines))
    owe(tx, IN, bundle.sender, body.family, known, governing(tx, body.family).terms.deletion_ms)
    if _says_ended(tx, body.family, known):
        _end(tx, body.family)
    for lease in body.leases:
        leases.take(tx, lease)
    fresh = body.entries - known
    summary = {"seq": bundle.seq, "entries": fresh, "leases": len(body.leases), "list": body.beside.digest}
    tx.record("feed.taken", body.family, summary)
    return Refreshed(body.family, bundle.seq, True, fresh, len(body.leases))


def latest(tx: Tx, family: str) -> Row | None:
    """The newest feed document of a family that this workspace issued or took: seq, issued_at_ms, envelope."""
    where = (document.c.type == "feed") & (document.c.agreement == family)
    return tx.row(sa.select(document).where(where).order_by(document.c.seq.desc()).limit(1))


def entries(tx: Tx, direction: str, family: str, upto: int | None = None) -> Generator[FeedEntry]:
    """The entries of a family in order, all or those up to a number, as a stream."""
    where = (feed_entry.c.direction == direction) & (feed_entry.c.family == family)
    if upto is not None:
        where &= feed_entry.c.seq <= upto
    names = (feed_entry.c.seq, feed_entry.c.delivery, feed_entry.c.item, feed_entry.c.reason, feed_entry.c.effective_ms)
    statement = sa.select(*names).where(where).order_by(feed_entry.c.seq)
    with tx.execute(statement.execution_options(yield_per=MAX_ROWS)) as rows:
        for row in rows:
            yield FeedEntry(*row)


def deliveries_of(tx: Tx, direction: str, family: str) -> list[Row]:
    where = (delivery_table.c.direction == direction) & (delivery_table.c.family == family)
    return list(tx.rows(sa.select(delivery_table).where(where).order_by(delivery_table.c.id)))


def _check_theirs(tx: Tx, body: FeedBody, bundle: Bundle) -> None:
    """A feed speaks of its library's own deliveries: another's would be taken from the lab by a stranger."""
    others = sa.select(delivery_table.c.public_id).where(
        delivery_table.c.direction == IN, delivery_table.c.public_id.in_(sa.bindparam("named", expanding=True))
    )
    others = others.where((delivery_table.c.party != bundle.sender) | (delivery_table.c.family != body.family))
    for start in range(0, len(body.deliveries), MAX_NAMED):
        named = body.deliveries[start : start + MAX_NAMED]
        if (other := tx.execute(others, {"named": named}).scalar()) is not None:
            raise VerificationError(
                f"the feed speaks of {other}, which is not a delivery of its library under these agreements",
                code="feed.stranger",
                where=bundle.id,
            )


def _keep(tx: WriteTx, body: FeedBody, known: int, listed: Iterator[FeedEntry]) -> None:
    """Compare the entries that were known with the feed's first ones, and write the rest."""
    with closing(entries(tx, IN, body.family, known)) as held:
        rewritten = body.entries < known or any(next(listed, None) != one for one in held)
    if rewritten:
        raise Conflict(
            "the feed takes back or changes an entry that an earlier feed had",
            code="feed.rewritten",
            where=body.family,
            remedy="Keep both feeds and ask the library what happened.",
        )
    deliveries = frozenset(body.deliveries)
    while fresh := list(islice(listed, MAX_ROWS)):
        if unknown := {one.delivery for one in fresh} - deliveries:
            raise BadDocument(
                f"The feed takes back items of {min(unknown)}, which it does not name", code="feed.entries"
            )
        tx.insert_many(feed_entry, [{"direction": IN, "family": body.family, **vars(one)} for one in fresh])


def _says_ended(tx: Tx, family: str, after: int) -> bool:
    where = (feed_entry.c.direction == IN) & (feed_entry.c.family == family) & (feed_entry.c.seq > after)
    ended = sa.select(feed_entry.c.id).where(where, feed_entry.c.reason == revocation.ENDED)
    return tx.scalar(ended.limit(1)) is not None


def _end(tx: WriteTx, family: str) -> None:
    for one in agreements.listing(tx, family):
        if one.state(bundles.trusted_now_ms(tx)) in ("pending", "active"):
            agreements.terminate(tx, one.public_id, "the library's feed says so")
