"""What a workspace knows of a delivery folder since the feed that lies in it."""

from pathlib import Path

from fairframe.core import dsse
from fairframe.core.bundle import read_payload
from fairframe.core.feed_body import FeedBody
from fairframe.core.finding import Finding
from fairframe.dataset.layout import DELIVERY, FEED, FEED_ITEMS, read_small
from fairframe.dataset.revocation import taken_back
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform.workspace import Workspace
from fairframe.verify.beside import signed_lines
from fairframe.verify.deliveries import DELIVERY as DELIVERY_KIND
from fairframe.verify.kind import Report


def with_newer_feed(report: Report, path: Path, ws: Workspace | None) -> Report:
    """A delivery folder's report, and how many more items were taken back by all that the workspace has seen."""
    if ws is None or report.kind != DELIVERY_KIND.name or not report.holds:
        return report
    delivery, feed = (read_payload(dsse.read_envelope(read_small(path, name)).payload) for name in (DELIVERY, FEED))
    with ws.read() as tx:
        if tx.row(delivery_table.select().where(delivery_table.c.public_id == delivery.id)) is None:
            return report
        known = taken_back(tx, "out" if ws.role == "library" else "in", delivery.id)
    body = FeedBody.from_json(feed.body)
    with signed_lines(path / FEED_ITEMS, body.beside) as lines:
        told = {entry.item for entry in body.read(lines) if entry.delivery == delivery.id}
    more = len(known - told)
    text = f"{more} more items were taken back since feed.json, by what this workspace knows"
    return Report(report.kind, (*report.findings, Finding(True, "delivery.newer_feed", text)), report.cannot_show)
