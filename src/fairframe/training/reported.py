"""What a library keeps of the checkpoints that labs report: a row per report, and the frames of each item.

A corrected report adds rows and changes none. The first report of a checkpoint takes the lab's own id; a correction
gets an id of its own, and the newest row of (party, weights_hash) is the one that holds. Reports on different
checkpoints may come in any order; on one checkpoint an older report never follows a newer one.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import Conflict, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.usage_report_body import UsageReport
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.training import registry
from fairframe.training.tables import ancestor, checkpoint, usage


def keep(tx: WriteTx, party: str, agreement: str, report: UsageReport, envelope: bytes) -> int:
    """Write a verified report as checkpoint, ancestor and usage rows; returns the checkpoint's BIGINT id.

    Raises Conflict where the checkpoint's id is already known with other weights or from another party,
    VerificationError (usage.stale) where a report on it with a higher number was already taken.
    """
    known = tx.row(checkpoint.select().where(checkpoint.c.public_id == report.checkpoint))
    if known is not None and (known["party"], known["weights_hash"]) != (party, report.weights_hash):
        raise Conflict(
            f"the checkpoint {report.checkpoint} is known with other weights",
            code="usage.other_checkpoint",
            remedy="A changed model is another checkpoint: report it under an id of its own",
        )
    _refuse_older(tx, party, agreement, report, envelope)
    row_id = tx.insert(
        checkpoint,
        public_id=report.checkpoint if known is None else new_id("ckp"),
        direction="reported",
        party=party,
        name=report.name,
        weights_hash=report.weights_hash,
        lineage=envelope.decode(),
        family=report.family,
        agreement=agreement,
        delivery=report.delivery,
        folder=None,
        frames_seen=report.frames,
    )
    tx.insert_many(ancestor, registry.ancestor_rows(row_id, report.ancestors))
    rows = [
        {
            "checkpoint_id": row_id,
            "source": report.delivery,
            "item": use.item,
            "frames": use.frames,
            "method": report.method,
        }
        for use in report.items
    ]
    if report.house_frames:
        rows.append({**dict.fromkeys(("source", "item"), "house"), "frames": report.house_frames})
        rows[-1] |= {"checkpoint_id": row_id, "method": report.method}
    tx.insert_many(usage, rows)
    return row_id


def _refuse_older(tx: Tx, party: str, agreement: str, report: UsageReport, envelope: bytes) -> None:
    of_it = (checkpoint.c.party == party) & (checkpoint.c.weights_hash == report.weights_hash)
    held = checkpoint.select().where(of_it, checkpoint.c.direction == "reported", checkpoint.c.agreement == agreement)
    newest = tx.row(held.order_by(checkpoint.c.id.desc()).limit(1))
    if newest is None:
        return
    # numbers run within an agreement
    last, seq = (read_payload(read_envelope(one).payload).seq for one in (str(newest["lineage"]).encode(), envelope))
    if seq <= last:
        raise VerificationError(
            f"this report on {report.name} has number {seq}, but its report with number {last} was already taken",
            code="usage.stale",
            where=report.checkpoint,
            remedy=f"Ask the lab for a new report: fairframe usage report {report.name}",
        )


def current(tx: Tx, agreements: Iterable[str]) -> list[Row]:
    """The reported checkpoints that hold now under agreements: the newest row of each (party, weights_hash)."""
    newest = (
        sa.select(sa.func.max(checkpoint.c.id))
        .where(checkpoint.c.direction == "reported", checkpoint.c.agreement.in_(list(agreements)))
        .group_by(checkpoint.c.party, checkpoint.c.weights_hash)
    )
    return list(tx.rows(checkpoint.select().where(checkpoint.c.id.in_(newest)).order_by(checkpoint.c.id)))


def find(tx: Tx, checkpoint_id: str) -> Row | None:
    """The first report of the checkpoint that an id names (the lab's own, or that of a correction)."""
    named = tx.row(checkpoint.select().where(checkpoint.c.public_id == checkpoint_id))
    if named is None:
        return None
    same = (checkpoint.c.party == named["party"]) & (checkpoint.c.weights_hash == named["weights_hash"])
    return tx.row(checkpoint.select().where(same, checkpoint.c.direction == "reported").order_by(checkpoint.c.id))
