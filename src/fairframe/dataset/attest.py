"""Deleting what was taken back, and saying so under signature. The library compares it with what was due."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import BadDocument, IntegrityFailure, NotFound, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.dataset.attestation_body import AttestationBody, Kept, Model, Named
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.revocation import last_entry
from fairframe.dataset.tables import dataset_release, feed_entry, item, obligation, obligation_event, received_item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx

IN, OUT = "in", "out"


@dataclass(frozen=True)
class Attested:
    """An accepted attestation and its id. `late` counts items deleted after they were due."""

    document: str
    body: AttestationBody
    late: int
    new: bool

    @property
    def items(self) -> int:
        return len(self.body.items)

    @property
    def kept(self) -> int:
        return len(self.body.kept)


@dataclass(frozen=True)
class Due:
    """What a lab settles next: `rows` of obligations, the items to delete, those whose bytes another delivery holds."""

    rows: Sequence[Row]
    items: tuple[Named, ...]
    kept: tuple[Kept, ...]


def attest(tx: WriteTx, delivery_id: str, models: Sequence[Model] = ()) -> bytes:
    """Delete the clips of all items of a delivery that are to be deleted, check that they are gone, and sign that.

    Bytes that a delivery holds by right as well stay, and are named as kept: one narrow no does not keep a lab from
    settling the rest. They fall due again with that delivery.

    `models`: those that the caller deletes in the same transaction (flows.deletion knows which). The rows of the items
    stay as tombstones. Where nothing is due since the last attestation, that one is returned again: a lab that lost
    the file can still show it. Raises NotFound, Refused (attest.nothing where none was ever due),
    IntegrityFailure (attest.not_deleted).
    """
    close_behind(tx)
    delivery = _delivery(tx, delivery_id, IN)
    due = due_of(tx, delivery)
    if not due.rows and not models:
        return _last(tx, delivery)
    for one in due.items:
        tx.ws.objects.delete(one.bytes_hash)
    left = [one.item for one in due.items if tx.ws.objects.exists(one.bytes_hash)]
    if left:
        raise IntegrityFailure(f"clips could not be deleted: {', '.join(left[:20])}", code="attest.not_deleted")
    family = delivery["family"]
    entries = last_entry(tx, IN, family)
    body = AttestationBody(delivery["public_id"], entries, due.items, tuple(models), tx.now_ms, due.kept)
    attestation = new_id("att")
    envelope = bundles.issue(
        tx, "attestation", delivery["party"], body.to_json(), governing(tx, family).ref, id=attestation
    )
    _settle(tx, due.rows, attestation)
    told = {"document": attestation, "items": len(body.items), "kept": len(body.kept), "models": len(body.models)}
    tx.record("attestation.signed", delivery["public_id"], told)
    return envelope


def accept(tx: WriteTx, data: bytes) -> Attested:
    """Take a lab's attestation (library side): it must name exactly what was due when the lab last read the feed.

    Raises what bundles.accept raises, NotFound, VerificationError (attest.stranger, attest.not_due, attest.missing,
    attest.not_kept).
    """
    close_behind(tx)
    accepted = bundles.accept(tx, data, "attestation")
    body, where = AttestationBody.from_json(accepted.bundle.body), accepted.bundle.id
    delivery = _delivery(tx, body.delivery, OUT)
    if delivery["party"] != accepted.bundle.sender:
        raise VerificationError("the delivery went to another party", code="attest.stranger", where=where)
    if not accepted.new:
        return Attested(where, body, 0, False)
    due = _due_when(tx, delivery, body.feed_entries)
    expected = _sent_hashes(tx, delivery, [row["item"] for row in due])
    named = {one.item: one.bytes_hash for one in (*body.items, *body.kept)}
    if len(named) != len(body.items) + len(body.kept):
        raise BadDocument("The attestation names an item twice", code="attest.twice", where=where)
    if extra := [name for name, found in named.items() if expected.get(name) != found]:
        raise VerificationError(
            f"{len(extra)} items were not due, or have other bytes: {', '.join(extra[:5])}",
            code="attest.not_due",
            where=where,
        )
    if missing := sorted(set(expected) - set(named)):
        raise VerificationError(
            f"{len(missing)} items that were due are not named: {', '.join(missing[:5])}",
            code="attest.missing",
            where=where,
        )
    _check_kept(tx, delivery, body, where)
    late = sum(body.deleted_at_ms > row["due_ms"] for row in due)
    _settle(tx, due, where)
    told = {"document": where, "items": len(body.items), "kept": len(body.kept), "models": len(body.models)}
    tx.record("attestation.accepted", body.delivery, {**told, "late": late})
    return Attested(where, body, late, True)


def due_of(tx: Tx, delivery: Row) -> Due:
    """What an attestation about a received delivery would settle now."""
    rows = open_obligations(tx, delivery["public_id"], IN)
    gone: list[Named] = []
    kept: list[Kept] = []
    for one in _hashes(tx, delivery, [row["item"] for row in rows]):
        holder = _holder(tx, one.bytes_hash)
        if holder is None:
            gone.append(one)
        else:
            kept.append(Kept(one.item, one.bytes_hash, holder))
    return Due(rows, tuple(gone), tuple(kept))


def open_obligations(tx: Tx, delivery: str, direction: str) -> Sequence[Row]:
    """Obligations of a delivery that are not attested yet, oldest first."""
    settled = (
        sa.select(obligation_event.c.id)
        .where(obligation_event.c.obligation_id == obligation.c.id, obligation_event.c.kind == "attested")
        .exists()
    )
    where = (obligation.c.delivery == delivery) & (obligation.c.direction == direction) & ~settled
    return tx.rows(obligation.select().where(where).order_by(obligation.c.id))


def _last(tx: Tx, delivery: Row) -> bytes:
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
    return str(envelope).encode()


def _delivery(tx: Tx, name: str, direction: str) -> Row:
    where = (delivery_table.c.public_id == name) | (delivery_table.c.name == name)
    statement = delivery_table.select().where(where, delivery_table.c.direction == direction)
    row = tx.row(statement.order_by(delivery_table.c.id.desc()))
    if row is None:
        raise NotFound(f"no delivery is called {name[:80]!r}", code="delivery.missing")
    return row


def _hashes(tx: Tx, delivery: Row, items: Sequence[str]) -> tuple[Named, ...]:
    where = received_item.c.delivery_id == delivery["id"]
    rows = tx.rows(sa.select(received_item.c.item, received_item.c.bytes_hash).where(where))
    known = {row["item"]: row["bytes_hash"] for row in rows}
    if unknown := [name for name in items if name not in known]:
        raise VerificationError(
            f"the feed takes back {unknown[0]}, which this delivery does not have",
            code="attest.unknown_item",
            where=delivery["public_id"],
            remedy="Ask the library what it means.",
        )
    return tuple(Named(name, known[name]) for name in items)


def _holder(tx: Tx, bytes_hash: str) -> str | None:
    """A received delivery that holds these bytes by right: in an item that its feed has not taken back."""
    back = (
        sa.select(feed_entry.c.id)
        .where(feed_entry.c.direction == IN, feed_entry.c.item == received_item.c.item)
        .where(feed_entry.c.delivery == delivery_table.c.public_id)
        .exists()
    )
    statement = (
        sa.select(delivery_table.c.public_id)
        .join(received_item, received_item.c.delivery_id == delivery_table.c.id)
        .where(delivery_table.c.direction == IN, received_item.c.bytes_hash == bytes_hash, ~back)
        .order_by(delivery_table.c.id)
    )
    return tx.scalar(statement.limit(1))


def _check_kept(tx: Tx, delivery: Row, body: AttestationBody, where: str) -> None:
    """Bytes stay only under a delivery to the same lab that holds them by right, as far as the lab could know.

    Where the other delivery is of another family it is not known how far the lab had read that feed; what it takes
    back there is owed, and to be attested, under that delivery.
    """
    for one in body.kept:
        back = (
            sa.select(feed_entry.c.id)
            .where(feed_entry.c.direction == OUT, feed_entry.c.item == item.c.public_id)
            .where(feed_entry.c.delivery == one.delivery, feed_entry.c.family == delivery["family"])
            .where(feed_entry.c.seq <= body.feed_entries)
            .exists()
        )
        statement = (
            sa.select(item.c.id)
            .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
            .join(delivery_table, delivery_table.c.release == dataset_release.c.public_id)
            .where(delivery_table.c.public_id == one.delivery, delivery_table.c.direction == OUT)
            .where(delivery_table.c.party == delivery["party"], item.c.bytes_hash == one.bytes_hash, ~back)
        )
        if tx.scalar(statement.limit(1)) is None:
            raise VerificationError(
                f"the bytes of {one.item} may not be kept: {one.delivery} does not hold them by right",
                code="attest.not_kept",
                where=where,
            )


def _due_when(tx: Tx, delivery: Row, entries: int) -> list[Row]:
    """The open obligations of a delivery that stood in the feed up to an entry."""
    where = (feed_entry.c.delivery == delivery["public_id"]) & (feed_entry.c.direction == OUT)
    rows = tx.rows(sa.select(feed_entry.c.item).where(where, feed_entry.c.seq <= entries))
    told = {row["item"] for row in rows}
    return [row for row in open_obligations(tx, delivery["public_id"], OUT) if row["item"] in told]


def _sent_hashes(tx: Tx, delivery: Row, items: Sequence[str]) -> dict[str, str]:
    statement = (
        sa.select(item.c.public_id, item.c.bytes_hash)
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .where(dataset_release.c.public_id == delivery["release"])
    )
    sent = {row["public_id"]: row["bytes_hash"] for row in tx.rows(statement)}
    return {name: sent[name] for name in items}


def _settle(tx: WriteTx, due: Sequence[Row], attestation: str) -> None:
    for row in due:
        tx.insert(obligation_event, obligation_id=row["id"], kind="attested", document=attestation)
