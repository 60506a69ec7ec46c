"""What a model consumed of clips that were taken back since, by what a workspace knows.

| why clips that it consumed were taken back  | what it means for a finished checkpoint              |
|---------------------------------------------|------------------------------------------------------|
| their retention ended                       | it stays                                             |
| a no, and the remedy grandfather            | it stays                                             |
| a no, and the remedy stop_at_next_epoch     | it stays; a training that ran then has stopped       |
| a no, and the remedy withdraw               | it is to be deleted (flows/deletion.py says when)    |
| the agreement ended                         | every model of the delivery is to be deleted         |
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fairframe.core.finding import Finding
from fairframe.dataset.governing import governing
from fairframe.dataset.revocation import KEPT_LONG, last_entry, told
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.flows.deletion import due_models
from fairframe.platform.tx import Row, Tx
from fairframe.training import registry
from fairframe.training.tables import checkpoint, checkpoint_event

CODE = "model.taken_back"
STAYS = {
    "grandfather": "a finished checkpoint stays",
    "stop_at_next_epoch": "a training that ran then stopped at its next epoch, and a finished checkpoint stays",
    "withdraw": "an agreement in force lets it stay",
}
Body = dict[str, Any]
"""A lineage's body, or what of it is asked for here."""


def of_lineage(tx: Tx, body: Body, known: Mapping[str, Body] | None = None) -> list[Finding]:
    """What of a model's clips was taken back, and of its ancestors'. `known`: lineages by weights, for ancestors that
    are not known here."""
    return [*_findings(tx, body), *_inherited(tx, body, known or {})]


def deleted_ms(tx: Tx, weights_hash: str) -> int | None:
    """When the deletion of a model with these weights was attested, as recorded here; None where it was not."""
    joined = checkpoint_event.join(checkpoint, checkpoint.c.id == checkpoint_event.c.checkpoint_id)
    where = (checkpoint.c.weights_hash == weights_hash) & (checkpoint_event.c.kind == "deleted")
    statement = sa.select(sa.func.min(checkpoint_event.c.recorded_at_ms)).select_from(joined).where(where)
    return tx.scalar(statement)


def _findings(tx: Tx, body: Body) -> list[Finding]:
    row = _delivery(tx, body)
    found = [] if row is None else [_taken_back(tx, row, body)]
    if deleted_ms(tx, body["weights_hash"]) is not None:
        found.append(Finding(False, "model.deleted", "its deletion was attested: this copy should not be here"))
    return found


def _delivery(tx: Tx, body: Body) -> Row | None:
    """The delivery that it was trained on, if that is known here; a merge has none of its own."""
    if body["delivery"] is None:
        return None
    direction = "out" if tx.ws.role == "library" else "in"
    where = (delivery_table.c.public_id == body["delivery"]["id"]) & (delivery_table.c.direction == direction)
    return tx.row(delivery_table.select().where(where))


def _inherited(tx: Tx, body: Body, lineages: Mapping[str, Body]) -> list[Finding]:
    """The same of every ancestor that is a checkpoint known here or by its lineage, each once."""
    found: list[Finding] = []
    waiting, seen = [body], {body["weights_hash"]}
    while waiting:
        for one in waiting.pop(0)["ancestors"]:
            row = _row(tx, one["hash"])
            known = lineages.get(one["hash"]) if row is None else _from_rows(tx, row)
            if one["kind"] != "checkpoint" or one["hash"] in seen or known is None:
                continue
            seen.add(one["hash"])
            waiting.append(known)
            said = _findings(tx, known)
            found += [Finding(check.ok, check.code, f"its ancestor {one['name']}: {check.text}") for check in said]
    return found


def _taken_back(tx: Tx, delivery: Row, body: Body) -> Finding:
    direction, family = delivery["direction"], delivery["family"]
    reasons = {one["item"]: one["reason"] for one in told(tx, direction, delivery["public_id"])}
    frames = {one["item"]: one["frames"] for one in body["usage"]["items"] if one["item"] in reasons}
    entries = last_entry(tx, direction, family)
    known = f"by what this workspace knows ({entries} feed entries)"
    text = f"it consumed {sum(frames.values())} frames of {len(frames)} items that were taken back, {known}"
    goes = {one["weights_hash"] for one in due_models(tx, delivery, entries, tx.now_ms)}
    if body["weights_hash"] in goes:
        return Finding(False, CODE, f"{text}: the model is to be deleted, and that attested")
    if not frames:
        count = len(body["usage"]["items"])
        return Finding(True, CODE, f"none of the {count} items that it consumed was taken back, {known}")
    if deleted_ms(tx, body["weights_hash"]) is not None:
        return Finding(True, CODE, f"{text}; its deletion was attested")
    remedy = governing(tx, family).terms.opt_out_remedy
    by_time = all(reasons[one] == KEPT_LONG for one in frames)
    why = "only their retention ended, and models stay" if by_time else f"remedy {remedy}: {STAYS[remedy]}"
    if not by_time and remedy == "withdraw" and _row(tx, body["weights_hash"]) is None:
        return Finding(False, CODE, f"{text}; remedy withdraw, and no report of this model is here")
    return Finding(True, CODE, f"{text}; {why}")


def _row(tx: Tx, weights_hash: str) -> Row | None:
    """The newest row on a checkpoint with these weights, own or reported."""
    same = checkpoint.select().where(checkpoint.c.weights_hash == weights_hash)
    return tx.row(same.order_by(checkpoint.c.id.desc()).limit(1))


def _from_rows(tx: Tx, row: Row) -> Body:
    """What a lineage says that is asked for here, from a checkpoint's rows: of a reported one there is no lineage."""
    return {
        "weights_hash": row["weights_hash"],
        "delivery": None if row["delivery"] is None else {"id": row["delivery"]},
        "usage": {"items": [one for one in registry.usage_of(tx, row["id"]) if one["source"] != "house"]},
        "ancestors": registry.ancestors_of(tx, row["id"]),
    }
