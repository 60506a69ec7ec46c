"""Training as a use case: an open delivery in, a checkpoint with signed lineage and usage rows out."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairframe import __version__
from fairframe.core.ancestors import AncestorRef
from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.dataset.loader import OpenDelivery, open_delivery
from fairframe.platform import bundles
from fairframe.platform.objects import write_atomic
from fairframe.platform.runs import Progress, Run, alone, running, silent
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.rights.agreements import Agreement
from fairframe.training import lineage, registry
from fairframe.training.loop import OnStep
from fairframe.training.preset import Preset, load_preset
from fairframe.training.tables import ancestor, checkpoint, usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fairframe.training.trainer import TrainResult

SESSION, STATE = "session.json", "state"
"""What a training needs to go on, in its folder until the checkpoint's row is committed."""


@dataclass(frozen=True)
class Trained:
    """A published checkpoint. frames: consumed from the delivery; house_frames: from rendered footage. windows: how
    many training windows the delivery gave."""

    checkpoint: str
    name: str
    folder: Path
    frames: int
    house_frames: int
    items: int
    windows: int
    steps: dict[str, int]
    stopped: bool


def train(
    ws: Workspace,
    dataset: str,
    preset_name: str,
    name: str,
    *,
    from_scratch: bool = False,
    seed: int = 0,
    show: Progress = silent,
    on_loss: OnStep | None = None,
) -> Trained:
    """Train on a received delivery and publish the checkpoint `name` in ws.root/models/NAME.

    A killed run called again with the same arguments goes on where its last saved state was. The run's row keeps the
    whole recipe and its hash, a failed run's too. Raises Conflict where the name is taken, is being trained (run.live)
    or a half-done run has other arguments, Refused where the delivery may not be opened (at the start or at an epoch),
    InputError, MissingExtra.
    """
    preset = load_preset(preset_name)
    check_name(name)
    part, target = ws.root / "models" / f".{name}.part", ws.root / "models" / name
    with alone(ws, "train", name):
        _free(ws, name, part, target)
        delivery = open_delivery(ws, dataset)
        recipe = {**preset.resolved(), "from_scratch": from_scratch, "seed": seed}
        arguments = {"dataset": delivery.id, "name": name, "recipe": recipe}
        checkpoint_id = _resume(part, arguments)
        told = {**arguments, "preset": preset_name, "recipe_hash": lineage.recipe_hash(recipe)}
        with running(ws, "train", told, show) as run:
            result = _run(delivery, preset, part, from_scratch, seed, run, on_loss)
            ancestors = _ancestors(preset, from_scratch, result)
            trained = _publish(ws, delivery, recipe, name, checkpoint_id, part, target, result, ancestors)
            run.result = {"checkpoint": trained.checkpoint, "frames": trained.frames, "windows": trained.windows}
    return trained


def check_name(name: str) -> None:
    """A checkpoint's name is a folder's name too. Raises InputError."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    if not name or len(name) > 80 or name.startswith(".") or not set(name) <= allowed:
        raise InputError(
            f"{name[:80]!r} is no name for a checkpoint", remedy="Use 1-80 letters, digits, dots, dashes, underscores."
        )


def _free(ws: Workspace, name: str, part: Path, target: Path) -> None:
    """Raise Conflict (model.exists) where the name is taken, before anything is trained.

    A folder under the checkpoint's name without a row is a training that was cut off just before its commit: it
    becomes half-done again.
    """
    with ws.read() as tx:
        row = tx.row(checkpoint.select().where(checkpoint.c.name == name, checkpoint.c.direction == "own"))
    if row is not None:
        _drop_state(registry.folder_of(ws, row))
        raise Conflict(f"a checkpoint is called {name} already", code="model.exists", remedy="Choose another name.")
    if not target.exists():
        return
    if part.exists() or not (target / SESSION).is_file():
        raise Conflict(
            f"{target} is in the way, and no checkpoint of this workspace",
            code="model.in_the_way",
            remedy="Move it elsewhere, or choose another name.",
        )
    target.rename(part)


def _drop_state(folder: Path) -> None:
    """Remove what only an unfinished training needs; the file that marks it as one goes last."""
    shutil.rmtree(folder / STATE, ignore_errors=True)
    (folder / SESSION).unlink(missing_ok=True)


def _resume(part: Path, arguments: dict[str, Any]) -> str:
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


def _run(
    delivery: OpenDelivery,
    preset: Preset,
    part: Path,
    from_scratch: bool,
    seed: int,
    run: Run,
    on_loss: OnStep | None,
) -> "TrainResult":
    from fairframe.training import trainer

    clips = list(delivery.clips(preset.clip.size, preset.clip.fps))

    def admit(_epoch: int) -> set[str]:
        # a lease that ends or a feed that grows old stops a training too, whatever the remedy for an opt-out is
        delivery.check()
        return delivery.admitted()

    def on_step(stage: str, done: int, total: int, loss: float) -> None:
        run.progress(done, total, f"{stage} loss {loss:.4f}")
        if on_loss is not None:
            on_loss(stage, done, total, loss)

    def on_validation(step: int, films: "NDArray[np.uint8]") -> None:
        save_films(part / "validation" / f"step-{step:06d}.png", films)

    # "withdraw" asks before every step; the others are served by asking at each epoch
    gone = (lambda: bool({c.item for c in clips} - delivery.admitted())) if delivery.remedy == "withdraw" else None
    common: dict[str, Any] = {
        "seed": seed,
        "on_step": on_step,
        "admit": admit,
        "should_stop": gone,
        "on_validation": on_validation,
        "validate_every": max(1, preset.train_flow.steps // 4),
    }
    if from_scratch:
        result = trainer.from_scratch(clips, preset, part, **common)
    else:
        result = trainer.fine_tune(trainer.ancestor_folder(preset), clips, preset, part, **common)
    if gone is not None and gone():
        shutil.rmtree(part)
        raise Refused(
            "a contributor withdrew while this training ran, and the agreement's remedy is withdraw",
            code="training.withdrawn",
            remedy="Train again: the withdrawn items are left out",
        )
    if not any(count.source != "house" for count in result.usage):
        shutil.rmtree(part)
        why = "nothing of it is admitted any more" if result.stopped else "the preset has no steps"
        raise Refused(f"no frame of the delivery was consumed: {why}", code="training.empty")
    return result


def save_films(path: Path, films: "NDArray[np.uint8]", shown: int = 6) -> None:
    """Rows of frames, one row per film: uint8 (n, F, S, S, 3)."""
    from fairframe.media.poster import encode_image

    picks = np.linspace(0, films.shape[1] - 1, shown).round().astype(int)
    rows = [np.concatenate(list(film[picks]), axis=1) for film in films]
    write_atomic(path, encode_image(np.concatenate(rows, axis=0), "png"))


def _ancestors(preset: Preset, from_scratch: bool, result: "TrainResult") -> list[AncestorRef]:
    from fairframe.training.trainer import ancestor_folder

    own = sum(count.frames for count in result.usage)
    return [] if from_scratch else [lineage.base_ancestor(ancestor_folder(preset), own)]


def _publish(
    ws: Workspace,
    delivery: OpenDelivery,
    recipe: dict[str, Any],
    name: str,
    checkpoint_id: str,
    part: Path,
    target: Path,
    result: "TrainResult",
    ancestors: list[AncestorRef],
) -> Trained:
    """Rows and lineage in one transaction; the folder gets its name before the commit, so a row has its folder.

    The state stays in the folder until the commit: where that never comes, the same call goes on from it.
    """
    files = lineage.model_files(part)
    relative = target.relative_to(ws.root)
    with ws.write() as tx:
        # the agreement that the clips were cleared under, not the one that governs the family by now: what a later
        # upgrade allows a checkpoint is said by its grant
        agreement = agreements.find(tx, delivery.delivery["agreement"])
        body = lineage.lineage_body(
            checkpoint=checkpoint_id,
            name=name,
            files=files,
            delivery={"id": delivery.id, "root": delivery.delivery["root"], "items": delivery.delivery["items"]},
            family=agreement.family,
            recipe=recipe,
            code=f"fairframe {__version__}",
            method="measured",
            usage=result.usage,
            ancestors=ancestors,
            made_at=to_rfc3339(tx.now_ms),
        )
        envelope = bundles.issue(tx, lineage.TYPE, "", body, agreement.ref)
        _rows(tx, delivery, agreement, body, checkpoint_id, name, envelope, relative)
        write_atomic(part / lineage.FILE, envelope)
        if target.exists():
            raise Conflict(
                f"{target} has come in the way", code="model.in_the_way", remedy="Move it elsewhere, and call again."
            )
        part.rename(target)
    _drop_state(target)
    delivered = [count for count in result.usage if count.source != "house"]
    frames, house = sum(count.frames for count in delivered), body["usage"]["house_frames"]
    return Trained(
        checkpoint_id, name, target, frames, house, len(delivered), result.windows, result.steps, result.stopped
    )


def _rows(
    tx: WriteTx,
    delivery: OpenDelivery,
    agreement: Agreement,
    body: dict[str, Any],
    checkpoint_id: str,
    name: str,
    envelope: bytes,
    folder: Path,
) -> None:
    row_id = tx.insert(
        checkpoint,
        public_id=checkpoint_id,
        direction="own",
        party=tx.ws.party_id,
        name=name,
        weights_hash=body["weights_hash"],
        lineage=envelope.decode(),
        family=agreement.family,
        agreement=agreement.public_id,
        delivery=delivery.id,
        folder=folder.as_posix(),
        frames_seen=body["usage"]["frames"],
    )
    tx.insert_many(ancestor, registry.ancestor_rows(row_id, map(AncestorRef.from_json, body["ancestors"])))
    method = body["usage"]["method"]
    rows = [{"checkpoint_id": row_id, "method": method, **one} for one in body["usage"]["items"]]
    if body["usage"]["house_frames"]:
        house = {"source": "house", "item": "house", "frames": body["usage"]["house_frames"]}
        rows.append({"checkpoint_id": row_id, "method": method, **house})
    tx.insert_many(usage, rows)
    tx.record(
        "checkpoint.published",
        checkpoint_id,
        {
            "weights_hash": body["weights_hash"],
            "delivery": delivery.id,
            "agreement": agreement.public_id,
            "frames": body["usage"]["frames"],
        },
    )
