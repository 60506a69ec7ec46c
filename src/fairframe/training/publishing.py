"""Publishing a checkpoint: its folder, its signed lineage and its rows, in one transaction; or none of them.

A checkpoint is made in models/.NAME.part. What is needed to go on lies in it until the row is committed.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe import __version__
from fairframe.core.ancestors import OF_WEIGHTS, AncestorRef
from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.platform import bundles
from fairframe.platform.objects import write_atomic
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement
from fairframe.training import lineage, registry
from fairframe.training.tables import ancestor, checkpoint, usage
from fairframe.training.usage import UsageCount

SESSION, STATE = "session.json", "state"
"""What a training needs to go on, in its folder until the checkpoint's row is committed."""


@dataclass(frozen=True)
class Place:
    """Where a checkpoint is made, and where it stands once it is published."""

    name: str
    part: Path
    target: Path


@dataclass(frozen=True)
class Made:
    """What is published in a place. delivery: the row of the received delivery that training consumed, None where
    nothing was consumed (a merge). still: raises, in the transaction, where it may no longer be published."""

    checkpoint: str
    recipe: dict[str, Any]
    ancestors: Sequence[AncestorRef]
    still: Callable[[Tx], object]
    delivery: Row | None = None
    usage: Sequence[UsageCount] = ()


def place_for(ws: Workspace, name: str) -> Place:
    """Raises InputError where a name is none for a checkpoint."""
    check_name(name)
    return Place(name, ws.root / "models" / f".{name}.part", ws.root / "models" / name)


def check_name(name: str) -> None:
    """A checkpoint's name is a folder's name too. Raises InputError."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    if not name or len(name) > 80 or name.startswith(".") or not set(name) <= allowed:
        raise InputError(
            f"{name[:80]!r} is no name for a checkpoint", remedy="Use 1-80 letters, digits, dots, dashes, underscores."
        )


def free(ws: Workspace, place: Place) -> None:
    """Raise Conflict (model.exists) where the name is taken, before anything is trained.

    A folder under the checkpoint's name without a row is a training that was cut off just before its commit: it
    becomes half-done again.
    """
    with ws.read() as tx:
        row = tx.row(checkpoint.select().where(checkpoint.c.name == place.name, checkpoint.c.direction == "own"))
    if row is not None:
        drop_state(registry.folder_of(ws, row))
        raise Conflict(
            f"a checkpoint is called {place.name} already", code="model.exists", remedy="Choose another name."
        )
    if not place.target.exists():
        return
    if place.part.exists() or not (place.target / SESSION).is_file():
        raise Conflict(
            f"{place.target} is in the way, and no checkpoint of this workspace",
            code="model.in_the_way",
            remedy="Move it elsewhere, or choose another name.",
        )
    place.target.rename(place.part)


def drop_state(folder: Path) -> None:
    """Remove what only an unfinished training needs; the file that marks it as one goes last."""
    shutil.rmtree(folder / STATE, ignore_errors=True)
    (folder / SESSION).unlink(missing_ok=True)


def resume(part: Path, arguments: dict[str, Any]) -> str:
    """The id of the half-done checkpoint in `part`, or a new one."""
    session = part / SESSION
    if session.is_file():
        kept = json.loads(session.read_text("utf-8"))
        if kept["arguments"] != json.loads(json.dumps(arguments)):
            raise Conflict(
                f"a half-done training in {part} has other arguments",
                code="model.half_done",
                remedy="Call it as before to go on, or delete that folder.",
            )
        return str(kept["checkpoint"])
    checkpoint_id = new_id("ckp")
    text = json.dumps({"checkpoint": checkpoint_id, "arguments": arguments}, indent=1)
    write_atomic(session, text.encode())
    return checkpoint_id


def drawn_on(recipe: Mapping[str, Any]) -> set[str]:
    """What a recipe says that its weights are made of: ids of checkpoints (upon.py, merging.py)."""
    found = {str(one) for one, _ in recipe.get("merge", ())}
    found |= {str(one) for role, one in recipe.get("ancestors", ()) if role in OF_WEIGHTS}
    return found | ({str(recipe["from"])} if "from" in recipe else set())


def publish(ws: Workspace, place: Place, made: Made) -> dict[str, Any]:
    """Rows and lineage in one transaction; the folder gets its name before the commit, so a row has its folder.

    The state stays in the folder until the commit: where that never comes, the same call goes on from it. Returns the
    lineage's body. Raises Conflict (model.in_the_way), Refused (model.same_weights: nothing was made of an ancestor,
    and what holds of its weights would hold under another name), and what `made.still` raises.
    """
    files = lineage.model_files(place.part)
    weights = lineage.weights_hash(files)
    if (same := next((one for one in made.ancestors if one.hash == weights), None)) is not None:
        raise Refused(
            f"the weights of {place.name} are those of its ancestor {same.name}, to the last bit",
            code="model.same_weights",
            remedy=f"Use {same.name}; or train with a larger learning rate, or merge with more of the other part.",
        )
    with ws.write() as tx:
        made.still(tx)
        # the agreement that the clips were cleared under, not the one that governs the family by now: what a later
        # upgrade allows a checkpoint is said by its grant
        agreement = None if made.delivery is None else agreements.find(tx, made.delivery["agreement"])
        body = lineage.lineage_body(
            checkpoint=made.checkpoint,
            name=place.name,
            files=files,
            delivery=None if made.delivery is None else _delivery(made.delivery),
            family=None if agreement is None else agreement.family,
            recipe=made.recipe,
            code=f"fairframe {__version__}",
            method="measured",
            usage=made.usage,
            ancestors=made.ancestors,
            made_at=to_rfc3339(tx.now_ms),
        )
        envelope = bundles.issue(tx, lineage.TYPE, "", body, None if agreement is None else agreement.ref)
        _rows(tx, ws, place, made, agreement, body, envelope)
        write_atomic(place.part / lineage.FILE, envelope)
        if place.target.exists():
            raise Conflict(
                f"{place.target} has come in the way",
                code="model.in_the_way",
                remedy="Move it elsewhere, and call again.",
            )
        place.part.rename(place.target)
    drop_state(place.target)
    return body


def _delivery(row: Row) -> dict[str, Any]:
    return {"id": row["public_id"], "root": row["root"], "items": row["items"]}


def _rows(
    tx: WriteTx,
    ws: Workspace,
    place: Place,
    made: Made,
    agreement: Agreement | None,
    body: dict[str, Any],
    envelope: bytes,
) -> None:
    delivery = None if made.delivery is None else str(made.delivery["public_id"])
    row_id = tx.insert(
        checkpoint,
        public_id=made.checkpoint,
        direction="own",
        party=ws.party_id,
        name=place.name,
        weights_hash=body["weights_hash"],
        lineage=envelope.decode(),
        family=None if agreement is None else agreement.family,
        agreement=None if agreement is None else agreement.public_id,
        delivery=delivery,
        folder=place.target.relative_to(ws.root).as_posix(),
        frames_seen=body["usage"]["frames"],
    )
    tx.insert_many(ancestor, registry.ancestor_rows(row_id, made.ancestors))
    method = body["usage"]["method"]
    rows = [{"checkpoint_id": row_id, "method": method, **one} for one in body["usage"]["items"]]
    if body["usage"]["house_frames"]:
        house = {"source": "house", "item": "house", "frames": body["usage"]["house_frames"]}
        rows.append({"checkpoint_id": row_id, "method": method, **house})
    tx.insert_many(usage, rows)
    tx.record(
        "checkpoint.published",
        made.checkpoint,
        {
            "weights_hash": body["weights_hash"],
            "delivery": delivery or "",
            "agreement": "" if agreement is None else agreement.public_id,
            "frames": body["usage"]["frames"],
            "ancestors": [one.hash for one in made.ancestors],
        },
    )
