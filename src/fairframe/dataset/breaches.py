"""Breaches of the duty to delete: what is overdue follows from the time; a record of it is a signed document.

An item counts once the lab's days are over, counted from the feed that told the lab where that is later than what the
obligation says: nobody breaks what they were not told in time. A record names each item once; it is cured when all of
them are attested. It changes no lease and ends no agreement: that is another act (`rights end`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.attestation_body import AttestationBody
from fairframe.core.breach_body import MAX_FEEDS, BreachBody, OverdueItem, Read, Told
from fairframe.core.errors import BadDocument, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.dataset.governing import governing
from fairframe.dataset.tables import breach, breach_item, feed_entry, obligation, obligation_event
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.telling import Feeds, body_of
from fairframe.platform import audit, bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements

IN, OUT = "in", "out"
DOCUMENT = "breach"
MAX_RECORDED = 50_000
"""Items of one record: a document has 16 MiB at most, and an item with a deadline of its own takes 200 bytes."""


@dataclass(frozen=True)
class Recorded:
    """A record of a breach, sent or received. open: of its items, those not attested yet; cured_ms: when the last was
    attested, None while one is open."""

    breach: str
    direction: str
    family: str
    party: str
    recorded_at_ms: int
    document: str
    items: int
    open: int
    due_ms: int
    cured_ms: int | None


@dataclass(frozen=True)
class Due:
    """What would be recorded about a family now: overdue items that no record names, and the feeds that told them."""

    family: str
    party: str
    items: tuple[OverdueItem, ...]
    feeds: tuple[Told, ...]

    def first(self) -> "Due":
        """The part that one record can hold."""
        some = self.items[:MAX_RECORDED]
        named = frozenset(list(dict.fromkeys(one.feed for one in some))[:MAX_FEEDS])
        feeds = tuple(one for one in self.feeds if one.feed in named)
        return Due(self.family, self.party, tuple(one for one in some if one.feed in named), feeds)


def due(tx: Tx, family: str) -> Due:
    """Overdue deletions of a family of agreements that no record names yet. Times as in bundles.trusted_now_ms."""
    now, feeds = bundles.trusted_now_ms(tx), Feeds(tx, family)
    named = _named(tx, family)
    found: list[OverdueItem] = []
    for row in _open(tx, family):
        told = feeds.telling(row["entry"])
        if told is None or (row["delivery"], row["item"]) in named:
            continue
        due_ms = max(row["due_ms"], told.issued_at_ms + row["due_ms"] - row["effective_ms"])
        if now > due_ms:
            found.append(OverdueItem(row["delivery"], told.feed, due_ms, row["entry"], row["item"]))
    found.sort(key=lambda one: (one.delivery, one.feed, one.due_ms, one.entry))
    used = {one.feed for one in found}
    return Due(
        family, agreements.find(tx, family).lab, tuple(found), tuple(one for one in feeds.used() if one.feed in used)
    )


def record(tx: WriteTx, agreement_id: str) -> bytes:
    """Library: sign what is overdue under an agreement's family to its lab. Returns the envelope.

    Of more than one record can hold, the first part; the next record names the next.
    Raises NotFound, Refused (breach.nothing where nothing is overdue that no record names).
    """
    audit.lock(tx.conn)
    family = agreements.find(tx, agreement_id).family
    found = due(tx, family).first()
    if not found.items:
        raise Refused(
            "nothing is overdue that no record names",
            code="breach.nothing",
            where=family,
            remedy="See: fairframe rights breaches list. The days are counted from the feed that told the lab",
        )
    first = agreements.find(tx, family)
    public_id = new_id("brc")
    remedy = governing(tx, family).terms.opt_out_remedy
    body = BreachBody(public_id, family, remedy, found.feeds, found.items, _read(tx, family))
    envelope = bundles.issue(tx, DOCUMENT, found.party, body.to_json(), first.ref, id=public_id)
    _keep(tx, OUT, found.party, body)
    return envelope


def accept(tx: WriteTx, data: bytes) -> Recorded:
    """Lab: take a library's record of a breach. Taken twice, it changes nothing.

    Raises what bundles.accept raises, BadDocument (breach.family), NotFound (agreement.missing), VerificationError
    (breach.stranger).
    """
    accepted = bundles.accept(tx, data, DOCUMENT)
    body, bundle = BreachBody.from_json(accepted.bundle.body), accepted.bundle
    if (bundle.agreement is None or bundle.agreement.id != body.family) or bundle.id != body.breach:
        raise BadDocument("The record is not issued under its family", code="breach.family", where=bundle.id)
    if agreements.find(tx, body.family).library != bundle.sender:
        raise VerificationError("it is not from the agreement's library", code="breach.stranger", where=bundle.id)
    if accepted.new:
        _keep(tx, IN, bundle.sender, body)
    return next(one for one in listing(tx) if one.breach == body.breach)


def listing(tx: Tx, family: str | None = None) -> list[Recorded]:
    """All records, oldest first, and how they stand."""
    statement = breach.select().order_by(breach.c.id)
    if family is not None:
        statement = statement.where(breach.c.family == family)
    return [_recorded(tx, row) for row in tx.rows(statement)]


def families(tx: Tx) -> list[str]:
    """The families of agreements under which something was delivered from here."""
    where = delivery_table.c.direction == OUT
    return sorted(tx.execute(sa.select(delivery_table.c.family).where(where).distinct()).scalars())


def _keep(tx: WriteTx, direction: str, party: str, body: BreachBody) -> None:
    row_id = tx.insert(
        breach, public_id=body.breach, direction=direction, family=body.family, party=party, document=body.breach
    )
    rows = [
        {"breach_id": row_id, "delivery": one.delivery, "item": one.item, "due_ms": one.due_ms} for one in body.items
    ]
    tx.insert_many(breach_item, rows)
    what = "recorded" if direction == OUT else "received"
    tx.record(f"breach.{what}", body.family, {"breach": body.breach, "items": len(rows)})


def _recorded(tx: Tx, row: Row) -> Recorded:
    theirs = sa.select(breach_item.c.delivery).where(breach_item.c.breach_id == row["id"])
    settled = (
        sa.select(obligation.c.delivery, obligation.c.item, sa.func.min(obligation_event.c.recorded_at_ms).label("ms"))
        .join(obligation_event, obligation_event.c.obligation_id == obligation.c.id)
        .where(obligation.c.direction == row["direction"], obligation.c.delivery.in_(theirs))
        .group_by(obligation.c.delivery, obligation.c.item)
        .subquery("settled")
    )
    same = (settled.c.delivery == breach_item.c.delivery) & (settled.c.item == breach_item.c.item)
    named = sa.select(breach_item.c.due_ms, settled.c.ms.label("settled_ms")).outerjoin(settled, same)
    items = tx.rows(named.where(breach_item.c.breach_id == row["id"]))
    left = sum(one["settled_ms"] is None for one in items)
    return Recorded(
        breach=row["public_id"],
        direction=row["direction"],
        family=row["family"],
        party=row["party"],
        recorded_at_ms=row["recorded_at_ms"],
        document=row["document"],
        items=len(items),
        open=left,
        due_ms=min(one["due_ms"] for one in items),
        cured_ms=None if left else max(one["settled_ms"] for one in items),
    )


def _open(tx: Tx, family: str) -> Sequence[Row]:
    """Obligations of a family that are not attested, each with the first feed entry that told it."""
    settled = sa.select(obligation_event.c.id).where(obligation_event.c.obligation_id == obligation.c.id).exists()
    told = (feed_entry.c.delivery == obligation.c.delivery) & (feed_entry.c.item == obligation.c.item)
    told &= feed_entry.c.direction == OUT

    def first(column: "sa.Column[int]") -> "sa.ScalarSelect[int]":
        return sa.select(sa.func.min(column)).where(told).scalar_subquery()

    statement = (
        sa.select(
            obligation.c.delivery,
            obligation.c.item,
            obligation.c.due_ms,
            first(feed_entry.c.seq).label("entry"),
            first(feed_entry.c.effective_ms).label("effective_ms"),
        )
        .join(delivery_table, delivery_table.c.public_id == obligation.c.delivery)
        .where(delivery_table.c.direction == OUT, delivery_table.c.family == family)
        .where(obligation.c.direction == OUT, ~settled)
    )
    return tx.rows(statement.order_by(obligation.c.id))


def _named(tx: Tx, family: str) -> set[tuple[str, str]]:
    """(delivery, item) of a family that a record names."""
    joined = breach_item.join(breach, breach.c.id == breach_item.c.breach_id)
    statement = sa.select(breach_item.c.delivery, breach_item.c.item).select_from(joined)
    return {(row["delivery"], row["item"]) for row in tx.rows(statement.where(breach.c.family == family))}


def _read(tx: Tx, family: str) -> Read | None:
    """How far the lab had read the family's feed, by its newest attestation."""
    lab = agreements.find(tx, family).lab
    members = [one.public_id for one in agreements.listing(tx, family)]
    where = (document.c.type == "attestation") & (document.c.sender == lab) & document.c.agreement.in_(members)
    row = tx.row(document.select().where(where, document.c.direction == IN).order_by(document.c.id.desc()).limit(1))
    if row is None:
        return None
    return Read(row["public_id"], AttestationBody.from_json(body_of(row)).feed_entries)
