"""Taking a lab's signed usage report: who reports, about which delivery, and only items that were delivered.

The body's fields are defined by core.usage_report_body.UsageReport. The bundle names the agreement that the delivery
was made under, and its seq grows with each report under that agreement. A corrected report is a new one about the
same checkpoint: it adds rows, and the newest report of a checkpoint is the one that counts. Reports on different
checkpoints are taken in any order.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.bundle import Bundle
from fairframe.core.errors import Refused
from fairframe.core.ids import new_id
from fairframe.core.usage_report_body import TYPE, UsageReport
from fairframe.dataset.tables import dataset_release, delivery, item
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties.tables import usage_report
from fairframe.training import reported

SHOWN = 5


@dataclass(frozen=True)
class AcceptedUsage:
    """id: usg_... new: False where this very report was taken before."""

    id: str
    report: UsageReport
    agreement: str
    new: bool


def accept(tx: WriteTx, data: bytes) -> AcceptedUsage:
    """Take a report. The same bytes again change nothing.

    Raises VerificationError and BadDocument (form, signature, stale number), Conflict (the checkpoint is known with
    other weights), Refused with every reason (unknown delivery, another party's, items that were not delivered).
    """
    taken = bundles.accept(tx, data, TYPE)
    report = UsageReport.from_body(taken.bundle.body)
    agreement = taken.bundle.agreement.id if taken.bundle.agreement is not None else ""
    if not taken.new:
        known = tx.row(usage_report.select().where(usage_report.c.document == taken.bundle.id))
        if known is not None:
            return AcceptedUsage(known["public_id"], report, agreement, False)
    reasons = _judge(tx, taken.bundle, agreement, report)
    if reasons:
        raise Refused(
            f"the usage report about {report.name} is refused: {reasons[0]}",
            reasons=reasons,
            code="usage.refused",
            where=taken.bundle.id,
            remedy="Ask the lab for a corrected report",
        )
    public_id = new_id("usg")
    reported.keep(tx, taken.bundle.sender, agreement, report, data)
    tx.insert(
        usage_report,
        public_id=public_id,
        agreement=agreement,
        checkpoint=report.checkpoint,
        document=taken.bundle.id,
        envelope=data.decode(),
    )
    body = {
        "report": public_id,
        "document": taken.bundle.id,
        "checkpoint": report.checkpoint,
        "weights_hash": report.weights_hash,
        "delivery": report.delivery,
        "method": report.method,
        "items": len(report.items),
        "frames": report.delivered_frames,
        "house_frames": report.house_frames,
    }
    tx.record("usage.reported", agreement, body)
    return AcceptedUsage(public_id, report, agreement, True)


def _judge(tx: Tx, bundle: Bundle, agreement: str, report: UsageReport) -> list[str]:
    """Every reason against a report, as findings."""
    row = tx.row(delivery.select().where(delivery.c.public_id == report.delivery, delivery.c.direction == "out"))
    if row is None:
        return [f"the delivery {report.delivery} was not made here"]
    reasons = _wrong_fields(row, bundle, agreement, report)
    unknown = _unknown(tx, row, [use.item for use in report.items])
    if unknown:
        shown = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        reasons.append(f"{len(unknown)} items were not delivered in {report.delivery}: {shown}")
    return reasons


def _wrong_fields(row: Row, bundle: Bundle, agreement: str, report: UsageReport) -> list[str]:
    checks = (
        (row["party"] == bundle.sender, f"the delivery {report.delivery} went to another party"),
        (row["agreement"] == agreement, f"the delivery was made under {row['agreement']}, not under the report's"),
        (row["family"] == report.family, f"the delivery belongs to the family {row['family']}"),
    )
    return [reason for holds, reason in checks if not holds]


def _unknown(tx: Tx, row: Row, items: list[str]) -> list[str]:
    """Those of `items` that the delivery's release does not hold, in order."""
    release = sa.select(dataset_release.c.id).where(dataset_release.c.public_id == row["release"])
    unknown: list[str] = []
    for start in range(0, len(items), 500):
        chunk = items[start : start + 500]
        held = sa.select(item.c.public_id).where(item.c.public_id.in_(chunk), item.c.dataset_release_id.in_(release))
        known = set(tx.execute(held).scalars())
        unknown += [one for one in chunk if one not in known]
    return unknown
