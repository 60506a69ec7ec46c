"""The lab's usage report on a checkpoint: what its lineage says, as a bundle for the library."""

from fairframe.core.ancestors import AncestorRef
from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Refused
from fairframe.core.usage_report_body import TYPE, ItemUse, UsageReport
from fairframe.platform import bundles
from fairframe.platform.tx import WriteTx
from fairframe.rights import agreements
from fairframe.training import registry


def report(tx: WriteTx, name_or_id: str) -> bytes:
    """Sign a usage report on an own checkpoint for the library whose delivery it was trained on."""
    row = registry.find(tx, name_or_id)
    if row["delivery"] is None:
        raise Refused(f"the checkpoint {row['name']} was not trained on a delivery", code="usage.no_delivery")
    body = registry.lineage_of(row).body
    agreement = agreements.find(tx, row["agreement"])
    found = UsageReport(
        checkpoint=row["public_id"],
        name=row["name"],
        weights_hash=row["weights_hash"],
        lineage_digest=sha256_hex(str(row["lineage"]).encode()),
        family=row["family"],
        delivery=row["delivery"],
        method=body["usage"]["method"],
        house_frames=body["usage"]["house_frames"],
        items=tuple(sorted(ItemUse(one["item"], one["frames"]) for one in body["usage"]["items"])),
        ancestors=tuple(AncestorRef.from_json(one) for one in body["ancestors"]),
    )
    return bundles.issue(tx, TYPE, agreement.library, found.to_body(), agreement.ref)
