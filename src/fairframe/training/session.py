"""Training as a use case: an open delivery in, a checkpoint with signed lineage and usage rows out."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairframe.core.ancestors import AncestorRef
from fairframe.core.errors import InputError, Refused
from fairframe.dataset.loader import OpenDelivery, open_delivery
from fairframe.platform.objects import write_atomic
from fairframe.platform.runs import Progress, Run, alone, running, silent
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement
from fairframe.training import lineage, permissions, registry, upon
from fairframe.training.loop import OnStep
from fairframe.training.preset import Preset, load_preset
from fairframe.training.publishing import Made, Place, free, place_for, publish, resume
from fairframe.training.upon import Upon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fairframe.training.trainer import TrainResult


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
    base: str | None = None,
    declared: Sequence[tuple[str, str]] = (),
    purpose: str | None = None,
    tenant: str | None = None,
    seed: int = 0,
    show: Progress = silent,
    on_loss: OnStep | None = None,
) -> Trained:
    """Train on a received delivery and publish the checkpoint `name` in ws.root/models/NAME.

    base: an own checkpoint to go on from, instead of the house base. declared: other models that had a part, as pairs
    of role and name (upon.py). purpose: what it is trained for, the purpose of the delivery's agreement where None.
    tenant: an agreement of the tenant for whom it is trained; a delivery for one tenant says it itself.

    A killed run called again with the same arguments goes on where its last saved state was. The run's row keeps the
    whole recipe and its hash, a failed run's too. Raises Conflict where the name is taken, is being trained (run.live)
    or a half-done run has other arguments, Refused where the delivery may not be opened or a model that it draws on
    may not be used so (guard.refused: at the start, at an epoch, before it is published; training.action,
    training.tenant), NotFound, InputError, MissingExtra.
    """
    preset = load_preset(preset_name)
    place = place_for(ws, name)
    if from_scratch and base is not None:
        raise InputError("from scratch, or from a checkpoint", code="input.from", remedy="Say only one of them.")
    with alone(ws, "train", name):
        free(ws, place)
        delivery = open_delivery(ws, dataset)
        with ws.read() as tx:
            under = agreements.find(tx, delivery.delivery["agreement"])
            _refuse_action(under, from_scratch)
            drawn = _drawn(tx, under, base, declared, purpose, tenant)
            upon.permit(tx, drawn)
        folder = _folder(ws, preset, drawn, from_scratch)
        asked = {"purpose": purpose} if purpose is not None else {}
        recipe = {**preset.resolved(), "from_scratch": from_scratch, "seed": seed, **asked, **drawn.recipe()}
        arguments = {"dataset": delivery.id, "name": name, "recipe": recipe}
        checkpoint_id = resume(place.part, arguments)
        told = {**arguments, "preset": preset_name, "recipe_hash": lineage.recipe_hash(recipe)}
        with running(ws, "train", told, show) as run:
            result = _run(delivery, preset, place.part, folder, drawn, seed, run, on_loss)
            ancestors = _ancestors(ws, preset, folder, drawn, result)
            made = Made(
                checkpoint=checkpoint_id,
                recipe=recipe,
                ancestors=ancestors,
                still=lambda tx: upon.permit(tx, drawn),
                delivery=delivery.delivery,
                usage=result.usage,
            )
            trained = _trained(place, made, publish(ws, place, made), result)
            run.result = {"checkpoint": trained.checkpoint, "frames": trained.frames, "windows": trained.windows}
    return trained


def _refuse_action(under: Agreement, from_scratch: bool) -> None:
    action = "train" if from_scratch else "fine_tune"
    if action not in under.terms.actions:
        what = "train new models" if from_scratch else "train models further"
        raise Refused(
            f"the agreement {under.public_id} does not let its clips {what}: the action {action} is not granted",
            code="training.action",
            where=under.public_id,
            remedy="Ask the library for an agreement that grants it.",
        )


def _drawn(
    tx: Tx,
    under: Agreement,
    base: str | None,
    declared: Sequence[tuple[str, str]],
    purpose: str | None,
    tenant: str | None,
) -> Upon:
    """What the training draws on, for the purpose and the tenant of its delivery where nothing else is said."""
    if under.terms.model_scope == "tenant":
        if tenant is not None and permissions.tenant_of(tx, tenant) != under.family:
            raise Refused(
                f"the models of {under.public_id} are for another rights holder alone",
                code="training.tenant",
                remedy="Train on deliveries of that tenant, or of no tenant.",
            )
        tenant = under.public_id
    return upon.find(tx, base, declared, purpose or under.purpose, tenant)


def _folder(ws: Workspace, preset: Preset, drawn: Upon, from_scratch: bool) -> Path | None:
    """Where the weights are that training starts from; None from scratch.

    Raises IntegrityFailure (model.changed), InputError (training.other_window) where the preset sees other windows.
    """
    from fairframe.training.trainer import ancestor_folder

    if from_scratch:
        return None
    if drawn.base is None:
        return ancestor_folder(preset)
    folder = registry.check_files(ws, drawn.base)
    window, wanted = json.loads((folder / "window.json").read_text("utf-8")), preset.clip
    if any(window[key] != getattr(wanted, key) for key in ("fps", "size", "frames")):
        raise InputError(
            f"{drawn.base['name']} sees windows of {window['frames']} frames of {window['size']} pixels at"
            f" {window['fps']} a second, the preset of {wanted.frames}, {wanted.size} and {wanted.fps}",
            code="training.other_window",
            remedy="Train with the preset that it was trained with.",
        )
    return folder


def _run(
    delivery: OpenDelivery,
    preset: Preset,
    part: Path,
    folder: Path | None,
    drawn: Upon,
    seed: int,
    run: Run,
    on_loss: OnStep | None,
) -> "TrainResult":
    from fairframe.training import trainer

    clips = list(delivery.clips(preset.clip.size, preset.clip.fps))

    def admit(_epoch: int) -> set[str]:
        # a lease that ends or a feed that grows old stops a training too, whatever the remedy for an opt-out is
        delivery.check()
        with delivery.ws.read() as tx:
            upon.permit(tx, drawn)
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
    if folder is None:
        result = trainer.from_scratch(clips, preset, part, **common)
    else:
        result = trainer.fine_tune(folder, clips, preset, part, **common)
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


def _ancestors(
    ws: Workspace, preset: Preset, folder: Path | None, drawn: Upon, result: "TrainResult"
) -> list[AncestorRef]:
    own = sum(count.frames for count in result.usage)
    house = [] if folder is None or drawn.base is not None else [lineage.base_ancestor(folder, own)]
    with ws.read() as tx:
        return house + upon.ancestors(tx, drawn, own)


def _trained(place: Place, made: Made, body: dict[str, Any], result: "TrainResult") -> Trained:
    delivered = [count for count in result.usage if count.source != "house"]
    return Trained(
        checkpoint=made.checkpoint,
        name=place.name,
        folder=place.target,
        frames=sum(count.frames for count in delivered),
        house_frames=body["usage"]["house_frames"],
        items=len(delivered),
        windows=result.windows,
        steps=result.steps,
        stopped=result.stopped,
    )
