"""Library: taking a lab's attestation, and comparing it with what was due."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.attestation_body import AttestationBody, Settled
from fairframe.core.bundle import Bundle
from fairframe.core.errors import NotFound, VerificationError
from fairframe.core.time import to_rfc3339
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import held_until_ms
from fairframe.dataset.obligations import is_open, overdue, settle
from fairframe.dataset.papers import Papers
from fairframe.dataset.tables import dataset_release, feed_entry, item, obligation, obligation_event
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.telling import Feeds, body_of
from fairframe.platform import bundles
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.verify.beside import signed_lines

BATCH = 500
OUT = "out"


@dataclass(frozen=True)
class Attested:
    """An accepted attestation and its id. `late` counts items that were overdue when it came: the time that the lab
    gives for its deletion is the lab's word. issued_at_ms: when it was signed."""

    document: str
    body: AttestationBody
    late: int
    new: bool
    issued_at_ms: int

    @property
    def items(self) -> int:
        return self.body.items

    @property
    def kept(self) -> int:
        return self.body.kept


def accept(tx: WriteTx, papers: Papers) -> Attested:
    """Take a lab's attestation (library side): it must name exactly what was due when the lab last read the feed.

    Raises what bundles.accept raises, NotFound, BadDocument, VerificationError (list.missing, list.changed,
    attest.stranger, attest.time, attest.not_due, attest.missing, attest.not_kept).
    """
    close_behind(tx)
    accepted = bundles.accept(tx, papers.envelope, "attestation")
    body, where = AttestationBody.from_json(accepted.bundle.body), accepted.bundle.id
    delivery = _delivery(tx, body.delivery)
    if delivery["party"] != accepted.bundle.sender:
        raise VerificationError("the delivery went to another party", code="attest.stranger", where=where)
    if not accepted.new:
        return Attested(where, body, 0, False, accepted.bundle.issued_at_ms)
    with signed_lines(papers.items, body.beside) as lines:
        named = {one.item: one for one in body.read(lines)}
    _check_times(tx, delivery, body, accepted.bundle)
    due = _due_when(tx, delivery, body.feed_entries)
    expected = {row["item"]: row["bytes_hash"] for row in due}
    if extra := [one.item for one in named.values() if expected.get(one.item) != one.bytes_hash]:
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
    _check_kept(tx, delivery, body, named, accepted.bundle)
    late = sum(overdue(tx, row["due_ms"]) for row in due)
    settle(tx, [row["id"] for row in due], where)
    summary = {"document": where, "items": body.items, "kept": body.kept, "models": len(body.models)}
    tx.record("attestation.accepted", body.delivery, {**summary, "list": body.beside.digest, "late": late})
    return Attested(where, body, late, True, accepted.bundle.issued_at_ms)


def _delivery(tx: Tx, public_id: str) -> Row:
    where = (delivery_table.c.public_id == public_id) & (delivery_table.c.direction == OUT)
    row = tx.row(delivery_table.select().where(where))
    if row is None:
        raise NotFound(f"no delivery {public_id} was made here", code="delivery.missing")
    return row


def _check_times(tx: Tx, delivery: Row, body: AttestationBody, bundle: Bundle) -> None:
    """It is signed, and says that it deleted, after the feed that it answers was signed; clocks may differ a day.

    Which models go is asked for the time of signing: a date of the lab's choice would choose the agreements in force.
    """
    feeds = Feeds(tx, delivery["family"])
    told = feeds.telling(body.feed_entries) or feeds.newest()
    since_ms = 0 if told is None else told.issued_at_ms - bundles.CLOCK_SKEW_MS
    if not since_ms <= body.deleted_at_ms <= bundle.issued_at_ms:
        raise VerificationError(
            f"it says that it deleted at {to_rfc3339(body.deleted_at_ms)}, which is after it was signed, or before the"
            " feed that it answers",
            code="attest.time",
            where=bundle.id,
            remedy="Set that machine's clock right, and attest again",
        )


def _check_kept(tx: Tx, delivery: Row, body: AttestationBody, named: Mapping[str, Settled], bundle: Bundle) -> None:
    """Bytes stay only under a delivery to the same lab that holds them by right, as far as the lab could know.

    Where the other delivery is of another family it is not known how far the lab had read that feed; what it takes
    back there is owed, and to be attested, under that delivery.
    """
    per_holder: dict[str, list[Settled]] = defaultdict(list)
    for one in named.values():
        if one.kept_by:
            per_holder[one.kept_by].append(one)
    for holder, some in per_holder.items():
        over = _over(tx, holder, bundle.issued_at_ms)
        gone = set[str]() if over else _kept_elsewhere(tx, holder)
        for start in range(0, len(some), BATCH):
            batch = some[start : start + BATCH]
            hashes = [one.bytes_hash for one in batch]
            held = set() if over else _held(tx, delivery, holder, hashes, body.feed_entries, gone)
            if lost := [one.item for one in batch if one.bytes_hash not in held]:
                raise VerificationError(
                    f"the bytes of {lost[0]} may not be kept: {holder} does not hold them by right",
                    code="attest.not_kept",
                    where=bundle.id,
                )


def _over(tx: Tx, holder: str, at_ms: int) -> bool:
    """Whether the right of a delivery from here was over at a time, by what both sides signed."""
    row = tx.row(delivery_table.select().where(delivery_table.c.public_id == holder, delivery_table.c.direction == OUT))
    return row is not None and held_until_ms(tx, row) <= at_ms


def _held(tx: Tx, delivery: Row, holder: str, hashes: Sequence[str], entries: int, elsewhere: set[str]) -> set[str]:
    """Those of some bytes that another delivery to the lab of `delivery` holds in an item that was not taken back, and
    is none of `elsewhere`."""
    back = (
        sa.select(feed_entry.c.id)
        .where(feed_entry.c.direction == OUT, feed_entry.c.item == item.c.public_id)
        .where(feed_entry.c.delivery == holder, delivery_table.c.family == delivery["family"])
        .where(feed_entry.c.seq <= entries)
        .correlate(item, delivery_table)
        .exists()
    )
    statement = (
        sa.select(item.c.public_id, item.c.bytes_hash)
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .join(delivery_table, delivery_table.c.release == dataset_release.c.public_id)
        .where(delivery_table.c.public_id == holder, delivery_table.c.direction == OUT)
        .where(delivery_table.c.party == delivery["party"], item.c.bytes_hash.in_(hashes), ~back)
    )
    return {row["bytes_hash"] for row in tx.rows(statement) if row["public_id"] not in elsewhere}


def _kept_elsewhere(tx: Tx, holder: str) -> set[str]:
    """Items of a delivery that are themselves attested as kept under a third: each would else vouch for the other, and
    nothing would ever go."""
    settled = (
        sa.select(obligation.c.item, obligation_event.c.document)
        .join(obligation_event, obligation_event.c.obligation_id == obligation.c.id)
        .where(obligation.c.delivery == holder, obligation.c.direction == OUT)
    )
    rows = tx.rows(settled)
    keeping = {one for one in {row["document"] for row in rows} if one and _keeps(tx, one)}
    return {row["item"] for row in rows if row["document"] in keeping}


def _keeps(tx: Tx, attestation: str) -> bool:
    """Whether an attestation that was taken keeps bytes. Its list is not held here, so it counts for all its items."""
    row = tx.row(sa.select(document.c.envelope).where(document.c.public_id == attestation))
    return row is not None and AttestationBody.from_json(body_of(row)).kept > 0


def _due_when(tx: Tx, delivery: Row, entries: int) -> Sequence[Row]:
    """The open obligations of a delivery that stood in the feed up to an entry, with the bytes that were sent."""
    place = delivery["public_id"]
    back = sa.select(feed_entry.c.id).where(
        feed_entry.c.direction == OUT,
        feed_entry.c.delivery == place,
        feed_entry.c.item == obligation.c.item,
        feed_entry.c.seq <= entries,
    )
    statement = (
        sa.select(obligation.c.id, obligation.c.item, obligation.c.due_ms, item.c.bytes_hash)
        .join(item, item.c.public_id == obligation.c.item)
        .where(is_open(place, OUT), back.exists())
    )
    return tx.rows(statement.order_by(obligation.c.id))
