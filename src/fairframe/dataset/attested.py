"""Library: taking a lab's attestation, and comparing it with what was due."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.attestation_body import AttestationBody
from fairframe.core.errors import BadDocument, NotFound, VerificationError
from fairframe.dataset.gate import close_behind
from fairframe.dataset.obligations import open_obligations, overdue, settle
from fairframe.dataset.revocation import told
from fairframe.dataset.tables import dataset_release, feed_entry, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx

OUT = "out"


@dataclass(frozen=True)
class Attested:
    """An accepted attestation and its id. `late` counts items that were overdue when it came: the time that the lab
    gives for its deletion is the lab's word."""

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


def accept(tx: WriteTx, data: bytes) -> Attested:
    """Take a lab's attestation (library side): it must name exactly what was due when the lab last read the feed.

    Raises what bundles.accept raises, NotFound, VerificationError (attest.stranger, attest.not_due, attest.missing,
    attest.not_kept).
    """
    close_behind(tx)
    accepted = bundles.accept(tx, data, "attestation")
    body, where = AttestationBody.from_json(accepted.bundle.body), accepted.bundle.id
    delivery = _delivery(tx, body.delivery)
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
    late = sum(overdue(tx, row["due_ms"]) for row in due)
    settle(tx, due, where)
    summary = {"document": where, "items": len(body.items), "kept": len(body.kept), "models": len(body.models)}
    tx.record("attestation.accepted", body.delivery, {**summary, "late": late})
    return Attested(where, body, late, True)


def _delivery(tx: Tx, public_id: str) -> Row:
    where = (delivery_table.c.public_id == public_id) & (delivery_table.c.direction == OUT)
    row = tx.row(delivery_table.select().where(where))
    if row is None:
        raise NotFound(f"no delivery {public_id} was made here", code="delivery.missing")
    return row


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
    back = {row["item"] for row in told(tx, OUT, delivery["public_id"], entries)}
    return [row for row in open_obligations(tx, delivery["public_id"], OUT) if row["item"] in back]


def _sent_hashes(tx: Tx, delivery: Row, items: Sequence[str]) -> dict[str, str]:
    statement = (
        sa.select(item.c.public_id, item.c.bytes_hash)
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .where(dataset_release.c.public_id == delivery["release"])
    )
    sent = {row["public_id"]: row["bytes_hash"] for row in tx.rows(statement)}
    return {name: sent[name] for name in items}
