"""What happens to a checkpoint after it was made: grants, blocks, withdrawals, deletion. Rows are only added."""

from collections.abc import Iterable
from typing import Literal

from fairframe.platform.tx import Row, WriteTx
from fairframe.training.tables import checkpoint_event

Kind = Literal["granted", "blocked", "grandfathered", "stopped", "withdrawn", "deleted"]


def happen(
    tx: WriteTx,
    checkpoint: Row,
    kind: Kind,
    *,
    agreement: str | None = None,
    document: str | None = None,
    reason: str = "",
) -> None:
    """Write one event of a checkpoint and its audit entry. `document`: the public id of a bundle that says so."""
    tx.insert(
        checkpoint_event,
        checkpoint_id=checkpoint["id"],
        kind=kind,
        agreement=agreement,
        document=document,
        reason=reason,
    )
    body = {"agreement": agreement or "", "document": document or "", "reason": reason}
    tx.record(f"checkpoint.{kind}", checkpoint["public_id"], body)


def ended(events: Iterable[Row]) -> str | None:
    """The kind of event that ended a checkpoint's use, or None. Deleted is for good; otherwise the latest word holds,
    and a grant or a block is not about that."""
    kinds = [str(event["kind"]) for event in events]
    if "deleted" in kinds:
        return "deleted"
    words = [kind for kind in kinds if kind in ("grandfathered", "stopped", "withdrawn")]
    return words[-1] if words and words[-1] != "grandfathered" else None
