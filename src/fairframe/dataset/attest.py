"""Lab: deleting what was taken back, and saying so under signature."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.attestation_body import Attempt, AttestationBody, Model, Settled
from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import IntegrityFailure, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing, held_until_ms
from fairframe.dataset.loader import find_delivery
from fairframe.dataset.obligations import is_open, settle
from fairframe.dataset.papers import Papers, keep_list, kept
from fairframe.dataset.revocation import last_entry
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry, obligation, obligation_event, received_item
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx

IN = "in"


@dataclass(frozen=True)
class Due:
    """What a lab settles next: `rows` of obligations by their ids, and their items, in the same order."""

    rows: Sequence[int]
    settled: tuple[Settled, ...]

    @property
    def items(self) -> tuple[Settled, ...]:
        """Those to delete."""
        return tuple(one for one in self.settled if not one.kept_by)

    @property
    def kept(self) -> tuple[Settled, ...]:
        """Those whose bytes another delivery holds."""
        return tuple(one for one in self.settled if one.kept_by)


def attest(tx: WriteTx, name: str, models: Sequence[Model] = (), attempts: Sequence[Attempt] = ()) -> Papers:
    """Delete the clips of all items of a delivery that are to be deleted, check that they are gone, and sign that.

    Bytes that a delivery holds by right as well stay, and are named as kept: one narrow no does not keep a lab from
    settling the rest. They fall due again with that delivery.

    `models`: those that the caller deletes in the same transaction (flows.deletion knows which). `attempts`: unlearning
    that the lab attempted on others, by its own word. The rows of the items
    stay as tombstones. Where nothing is due since the last attestation, that one is returned again: a lab that lost
    the file can still show it. Raises what find_delivery raises, Refused (attest.nothing where none was ever due),
    IntegrityFailure (attest.not_deleted).
    """
    close_behind(tx)
    delivery = find_delivery(tx, name)
    due = due_of(tx, delivery)
    if not due.rows and not models and not attempts:
        return _last(tx, delivery)
    items = due.items
    for one in items:
        tx.ws.objects.delete(one.bytes_hash)
    left = [one.item for one in items if tx.ws.objects.exists(one.bytes_hash)]
    if left:
        raise IntegrityFailure(f"clips could not be deleted: {', '.join(left[:20])}", code="attest.not_deleted")
    family = delivery["family"]
    entries = last_entry(tx, IN, family)
    beside = keep_list(tx.ws, (one.line() for one in due.settled))
    body = AttestationBody(
        delivery=delivery["public_id"],
        feed_entries=entries,
        items=len(items),
        kept=len(due.settled) - len(items),
        beside=beside,
        models=tuple(models),
        deleted_at_ms=tx.now_ms,
        attempts=tuple(attempts),
    )
    attestation = new_id("att")
    envelope = bundles.issue(
        tx, "attestation", delivery["party"], body.to_json(), governing(tx, family).ref, id=attestation
    )
    settle(tx, due.rows, attestation)
    told = {"document": attestation, "items": body.items, "kept": body.kept, "models": len(body.models)}
    told |= {"attempts": len(body.attempts)} if body.attempts else {}
    tx.record("attestation.signed", delivery["public_id"], told)
    return kept(tx.ws, envelope, beside)


def due_of(tx: Tx, delivery: Row) -> Due:
    """What an attestation about a received delivery would settle now, in the order in which it fell due.

    Raises VerificationError (attest.unknown_item).
    """
    place, over = delivery["public_id"], set[str]()
    theirs = (received_item.c.delivery_id == delivery["id"]) & (received_item.c.item == obligation.c.item)
    while True:
        statement = (
            sa.select(obligation.c.id, obligation.c.item, received_item.c.bytes_hash, _holder(over).label("holder"))
            .join_from(obligation, received_item, theirs, isouter=True)
            .where(is_open(place, IN))
            .order_by(obligation.c.id)
        )
        rows = [(row.id, row.item, row.bytes_hash, row.holder) for row in tx.execute(statement)]
        if not (more := _over(tx, {row[3] for row in rows if row[3]})):
            break
        over |= more
    if unknown := [item for _, item, bytes_hash, _ in rows if bytes_hash is None]:
        raise VerificationError(
            f"the feed takes back {unknown[0]}, which this delivery does not have",
            code="attest.unknown_item",
            where=place,
            remedy="Ask the library what it means.",
        )
    return Due([row[0] for row in rows], tuple(Settled(item, key, by or "") for _, item, key, by in rows))


def _last(tx: Tx, delivery: Row) -> Papers:
    """The newest attestation about a received delivery. Raises Refused where there is none."""
    settled = (
        sa.select(document.c.envelope)
        .join(obligation_event, obligation_event.c.document == document.c.public_id)
        .join(obligation, obligation.c.id == obligation_event.c.obligation_id)
        .where(obligation.c.delivery == delivery["public_id"], obligation.c.direction == IN)
        .order_by(document.c.id.desc())
    )
    envelope = tx.scalar(settled.limit(1))
    if envelope is None:
        raise Refused(
            f"nothing of the delivery {delivery['name']} is to be deleted",
            code="attest.nothing",
            remedy="Take the newest feed first: fairframe rights refresh feed.json",
        )
    data = str(envelope).encode()
    return kept(tx.ws, data, AttestationBody.from_json(read_payload(read_envelope(data).payload).body).beside)


def _over(tx: Tx, holders: set[str]) -> set[str]:
    """Those of some received deliveries whose right is over by now."""
    rows = tx.rows(delivery_table.select().where(delivery_table.c.public_id.in_(holders)))
    now = bundles.trusted_now_ms(tx)
    return {str(row["public_id"]) for row in rows if held_until_ms(tx, row) <= now}


def _holder(over: set[str]) -> "sa.ScalarSelect[str]":
    """A received delivery that holds an item's bytes by right: in an item that its feed has not taken back, and none
    of those whose time is over."""
    other, place = received_item.alias("other"), delivery_table.alias("place")
    back = sa.select(feed_entry.c.id).where(
        feed_entry.c.direction == IN, feed_entry.c.delivery == place.c.public_id, feed_entry.c.item == other.c.item
    )
    statement = (
        sa.select(place.c.public_id)
        .join_from(other, place, other.c.delivery_id == place.c.id)
        .where(place.c.direction == IN, other.c.bytes_hash == received_item.c.bytes_hash, ~back.exists())
        .where(place.c.public_id.not_in(over))
        .order_by(place.c.id)
    )
    return statement.limit(1).correlate(received_item).scalar_subquery()
