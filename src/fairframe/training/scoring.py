"""Evaluating a checkpoint: on the held-out clips of its delivery, beside the base and plain baselines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.errors import Refused
from fairframe.dataset.loader import open_delivery
from fairframe.platform.runs import Progress, running, silent
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.training import registry
from fairframe.training.evaluate import Evaluation
from fairframe.training.happened import deleted


@dataclass(frozen=True)
class Score:
    """How a checkpoint does on held-out clips. `base`: the same for what it was trained from; None from scratch."""

    checkpoint: str
    name: str
    clips: int
    model: Evaluation
    base: Evaluation | None

    def to_json(self) -> dict[str, Any]:
        return {
            "checkpoint": self.checkpoint,
            "name": self.name,
            "heldout_clips": self.clips,
            "model": self.model.to_dict(),
            "base": None if self.base is None else self.base.to_dict(),
        }

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """(measure, this, against what, its value, verdict), as people read it."""
        vae, film, text = self.model.vae, self.model.extension, self.model.captions
        bicubic, constant = "8x bicubic", "constant color"
        closer = f", closer in {vae.wins} of {vae.clips} clips"
        rows = [
            _row("autoencoder, PSNR", vae.psnr, bicubic, vae.psnr_bicubic, ".1f", " dB", closer),
            _row("autoencoder, PSNR", vae.psnr, constant, vae.psnr_constant, ".1f", " dB"),
            _row("autoencoder, SSIM", vae.ssim, bicubic, vae.ssim_bicubic, ".3f"),
            _row("autoencoder, SSIM", vae.ssim, constant, vae.ssim_constant, ".3f"),
        ]
        closer = f", closer in {film.wins} of {film.windows} windows"
        rows.append(
            _row("extension, PSNR", film.psnr, "repeating the last frame", film.psnr_repeat, ".1f", " dB", closer)
        )
        if self.base is not None:
            rows.append(_row("extension, PSNR", film.psnr, "the base", self.base.extension.psnr, ".1f", " dB"))
        interval = f"gain {text.gain:.4f}, 95 % {text.low:.4f} to {text.high:.4f}"
        rows.append(("caption loss", f"{text.right:.4f}", "shuffled captions", f"{text.shuffled:.4f}", interval))
        return rows


def _row(
    measure: str, value: float, against: str, other: float, digits: str, unit: str = "", more: str = ""
) -> tuple[str, str, str, str, str]:
    """A line of a measure that is better where it is greater; the verdict names which of the two wins."""
    wins = "this wins" if value > other else f"{against} wins" if other > value else "even"
    return measure, f"{value:{digits}}{unit}", against, f"{other:{digits}}{unit}", wins + more


def score(ws: Workspace, name_or_id: str, show: Progress = silent) -> Score:
    """Evaluate on the held-out split. The delivery must be open: looking at its clips is use too.

    Raises NotFound, Refused (delivery closed; nothing held out; a merge), IntegrityFailure (files changed).
    """
    from fairframe.training.evaluate import evaluate
    from fairframe.training.model import load_model

    with ws.read() as tx:
        row = registry.find(tx, name_or_id)
        below = _base(tx, row)
    with running(ws, "evaluate", {"checkpoint": row["public_id"]}, show) as run:
        model = load_model(registry.check_files(ws, row))
        delivery = open_delivery(ws, registry.delivery_of(row))
        clips = list(delivery.clips(model.size, model.fps, "heldout"))
        if not clips:
            raise Refused(
                "the delivery holds no clips out",
                code="evaluate.nothing",
                remedy="Deliver four groups of clips or more.",
            )
        run.progress(1, 3, "the checkpoint")
        mine = evaluate(model, clips)
        run.progress(2, 3, "its base")
        base = None if below is None else evaluate(load_model(below), clips)
        found = Score(str(row["public_id"]), str(row["name"]), len(clips), mine, base)
        run.result = found.to_json()
    return found


def _base(tx: Tx, row: Row) -> Path | None:
    """The weights that a checkpoint was trained from, where they are still here."""
    from fairframe.training.model import base_folder

    for one in registry.ancestors_of(tx, row["id"]):
        if one["kind"] == "house":
            return base_folder()
        known = registry.named_by(tx, one, row) if one["role"] is None else None
        if known is not None and not deleted(registry.events(tx, known["id"])):
            return registry.check_files(tx.ws, known)
    return None
