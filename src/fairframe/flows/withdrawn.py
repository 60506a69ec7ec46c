"""Whether a model consumed what was taken back since, by what a workspace knows: a flag beside a model's checks.

| why clips that it consumed were taken back  | what it means for a finished checkpoint              |
|---------------------------------------------|------------------------------------------------------|
| their retention ended                       | it stays                                             |
| a no, and the remedy grandfather            | it stays                                             |
| a no, and the remedy stop_at_next_epoch     | it stays; a training that ran then has stopped       |
| a no, and the remedy withdraw               | it is to be deleted (flows/deletion.py says when)    |
| the agreement ended                         | every model of the delivery is to be deleted         |
"""

from pathlib import Path
from typing import Any

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import MAX_ENVELOPE_BYTES, read_envelope
from fairframe.core.finding import Finding
from fairframe.dataset.governing import governing
from fairframe.dataset.revocation import KEPT_LONG, last_entry, told
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.flows.deletion import due_models
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.training import registry
from fairframe.training.happened import deleted
from fairframe.training.tables import checkpoint, checkpoint_event
from fairframe.verify.files import read_limited
from fairframe.verify.kind import Report
from fairframe.verify.lineage import LINEAGE

MODEL, DOCUMENT = "model", "document"
CODE = "model.taken_back"
STAYS = {
    "grandfather": "a finished checkpoint stays",
    "stop_at_next_epoch": "a training that ran then stopped at its next epoch, and a finished checkpoint stays",
    "withdraw": "an agreement in force lets it stay",
}


def with_withdrawn(report: Report, path: Path, ws: Workspace | None) -> Report:
    """The report on a model's folder or lineage, and what of its clips was taken back, where this workspace knows."""
    if ws is None or not report.holds or report.kind not in (MODEL, DOCUMENT):
        return report
    file = path / LINEAGE if path.is_dir() else path
    bundle = read_payload(read_envelope(read_limited(file, MAX_ENVELOPE_BYTES)).payload)
    if bundle.type != "lineage":
        return report
    with ws.read() as tx:
        found = [*_findings(tx, bundle.body), *_inherited(tx, bundle.body)]
    return Report(report.kind, (*report.findings, *found), report.cannot_show)


def _findings(tx: Tx, body: dict[str, Any]) -> list[Finding]:
    row = _delivery(tx, body)
    found = [] if row is None else [_taken_back(tx, row, body)]
    if _deleted(tx, body["weights_hash"]):
        found.append(Finding(False, "model.deleted", "its deletion was attested: this copy should not be here"))
    return found


def _delivery(tx: Tx, body: dict[str, Any]) -> Row | None:
    """The delivery that it was trained on, if that is known here; a merge has none of its own."""
    if body["delivery"] is None:
        return None
    direction = "out" if tx.ws.role == "library" else "in"
    where = (delivery_table.c.public_id == body["delivery"]["id"]) & (delivery_table.c.direction == direction)
    return tx.row(delivery_table.select().where(where))


def _inherited(tx: Tx, body: dict[str, Any]) -> list[Finding]:
    """The same of every ancestor that is a checkpoint known here, each once."""
    found: list[Finding] = []
    waiting, seen = [body], {body["weights_hash"]}
    while waiting:
        for one in waiting.pop(0)["ancestors"]:
            row = _row(tx, one["hash"])
            if one["kind"] != "checkpoint" or one["hash"] in seen or row is None:
                continue
            seen.add(one["hash"])
            known = _from_rows(tx, row)
            waiting.append(known)
            said = _findings(tx, known)
            found += [Finding(check.ok, check.code, f"its ancestor {one['name']}: {check.text}") for check in said]
    return found


def _taken_back(tx: Tx, delivery: Row, body: dict[str, Any]) -> Finding:
    direction, family = delivery["direction"], delivery["family"]
    reasons = {one["item"]: one["reason"] for one in told(tx, direction, delivery["public_id"])}
    frames = {one["item"]: one["frames"] for one in body["usage"]["items"] if one["item"] in reasons}
    entries = last_entry(tx, direction, family)
    known = f"by what this workspace knows ({entries} feed entries)"
    goes = {one["weights_hash"] for one in due_models(tx, delivery, entries, tx.now_ms)}
    if body["weights_hash"] in goes:
        text = f"it consumed {sum(frames.values())} frames of {len(frames)} items that were taken back, {known}"
        return Finding(False, CODE, f"{text}: the model is to be deleted, and that attested")
    if not frames:
        count = len(body["usage"]["items"])
        return Finding(True, CODE, f"none of the {count} items that it consumed was taken back, {known}")
    remedy = governing(tx, family).terms.opt_out_remedy
    by_time = all(reasons[one] == KEPT_LONG for one in frames)
    why = "only their retention ended, and models stay" if by_time else f"remedy {remedy}: {STAYS[remedy]}"
    text = f"it consumed {sum(frames.values())} frames of {len(frames)} items that were taken back, {known}"
    if not by_time and remedy == "withdraw" and _row(tx, body["weights_hash"]) is None:
        return Finding(False, CODE, f"{text}; remedy withdraw, and no report of this model is here")
    return Finding(True, CODE, f"{text}; {why}")


def _row(tx: Tx, weights_hash: str) -> Row | None:
    """The newest row on a checkpoint with these weights, own or reported."""
    same = checkpoint.select().where(checkpoint.c.weights_hash == weights_hash)
    return tx.row(same.order_by(checkpoint.c.id.desc()).limit(1))


def _from_rows(tx: Tx, row: Row) -> dict[str, Any]:
    """What a lineage says that is asked for here, from a checkpoint's rows: of a reported one there is no lineage."""
    return {
        "weights_hash": row["weights_hash"],
        "delivery": None if row["delivery"] is None else {"id": row["delivery"]},
        "usage": {"items": [one for one in registry.usage_of(tx, row["id"]) if one["source"] != "house"]},
        "ancestors": registry.ancestors_of(tx, row["id"]),
    }


def _deleted(tx: Tx, weights_hash: str) -> bool:
    joined = checkpoint_event.join(checkpoint, checkpoint.c.id == checkpoint_event.c.checkpoint_id)
    statement = checkpoint_event.select().select_from(joined).where(checkpoint.c.weights_hash == weights_hash)
    return deleted(tx.rows(statement))
