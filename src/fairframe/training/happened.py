"""What happens to a checkpoint after it was made: grants, blocks, deletion. Rows are only added."""

from collections.abc import Iterable
from typing import Literal

from fairframe.platform.tx import Row, WriteTx
from fairframe.training.tables import checkpoint_event

Kind = Literal["granted", "blocked", "deleted"]


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


def deleted(events: Iterable[Row]) -> bool:
    """Whether a checkpoint was deleted, which is for good."""
    return any(event["kind"] == "deleted" for event in events)
