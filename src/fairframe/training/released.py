"""Which weights left the lab for good. Rows are only added: a release cannot be undone."""

from fairframe.core.model_release_body import ModelRelease
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.training.tables import weight_release


def record(tx: WriteTx, checkpoint: Row, document: str, release: ModelRelease) -> None:
    """Write a release of an own checkpoint and its audit entry. `document`: the id of the bundle that says so."""
    tx.insert(
        weight_release,
        checkpoint_id=checkpoint["id"],
        document=document,
        purpose=release.purpose,
        license=release.license,
        ends_ms=release.ends_ms,
    )
    told = {"document": document, "weights_hash": release.weights_hash, "purpose": release.purpose}
    tx.record("checkpoint.released", checkpoint["public_id"], {**told, "license": release.license})


def of_all(tx: Tx) -> dict[int, list[Row]]:
    """The releases of all checkpoints (BIGINT ids) that have some, oldest first."""
    found: dict[int, list[Row]] = {}
    for row in tx.rows(weight_release.select().order_by(weight_release.c.id)):
        found.setdefault(row["checkpoint_id"], []).append(row)
    return found
