"""Lab: deleting what was taken back, and saying so under signature."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.attestation_body import Attempt, AttestationBody, Kept, Model, Named
from fairframe.core.errors import IntegrityFailure, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import governing
from fairframe.dataset.loader import find_delivery
from fairframe.dataset.obligations import open_obligations, settle
from fairframe.dataset.revocation import last_entry
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry, obligation, obligation_event, received_item
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx

IN = "in"


@dataclass(frozen=True)
class Due:
    """What a lab settles next: `rows` of obligations, the items to delete, those whose bytes another delivery holds."""

    rows: Sequence[Row]
    items: tuple[Named, ...]
    kept: tuple[Kept, ...]


def attest(tx: WriteTx, name: str, models: Sequence[Model] = (), attempts: Sequence[Attempt] = ()) -> bytes:
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
    for one in due.items:
        tx.ws.objects.delete(one.bytes_hash)
    left = [one.item for one in due.items if tx.ws.objects.exists(one.bytes_hash)]
    if left:
        raise IntegrityFailure(f"clips could not be deleted: {', '.join(left[:20])}", code="attest.not_deleted")
    family = delivery["family"]
    entries = last_entry(tx, IN, family)
    body = AttestationBody(
        delivery["public_id"], entries, due.items, tuple(models), tx.now_ms, due.kept, tuple(attempts)
    )
    attestation = new_id("att")
    envelope = bundles.issue(
        tx, "attestation", delivery["party"], body.to_json(), governing(tx, family).ref, id=attestation
    )
    settle(tx, due.rows, attestation)
    told = {"document": attestation, "items": len(body.items), "kept": len(body.kept), "models": len(body.models)}
    told |= {"attempts": len(body.attempts)} if body.attempts else {}
    tx.record("attestation.signed", delivery["public_id"], told)
    return envelope


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
