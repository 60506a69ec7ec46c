"""The house base that the package ships: its autoencoder beside 8x bicubic, its extension beside the last frame.

    python bench/base.py [FOOTAGE]        (or FAIRFRAME_FOOTAGE; without it, real clips are skipped)

On rendered clips that no training seed makes, and on real ones (17 frames of each file from its second second, square,
64 pixels). All values are PSNR in dB, means over clips; so `ratio` is a difference in dB. Nothing is trained.
"""

import os
import sys
from pathlib import Path

import numpy as np
from _line import claim

from fairframe.core.errors import MediaError
from fairframe.dataset.clip import Clip
from fairframe.media.decode import frames
from fairframe.media.squares import square
from fairframe.training.base import heldout_clips
from fairframe.training.evaluate import VaeScore, evaluate_extension, evaluate_vae
from fairframe.training.model import Model, base_folder, load_model
from fairframe.training.preset import load_preset

BAR_VAE, BAR_EXTENSION = 0.0, 4.0
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}
FIRST = 24


def main() -> int:
    import torch

    torch.set_num_threads(1)
    model = load_model(base_folder())
    rendered = heldout_clips(load_preset("base-64"))
    print(f"{'measure':34}{'clips':>6}{'base dB':>9}{'beside dB':>10}{'better in':>10}", file=sys.stderr)
    fine = [vae("rendered", evaluate_vae(model, rendered))]
    film = evaluate_extension(model, rendered)
    told("extension, repeating the last frame", film.windows, film.psnr, film.psnr_repeat, film.wins)
    gain = film.psnr - film.psnr_repeat
    fine.append(line("base.extension", film.psnr, film.psnr_repeat, gain, BAR_EXTENSION, gain >= BAR_EXTENSION))
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FAIRFRAME_FOOTAGE")
    if given:
        fine.append(vae("real", evaluate_vae(model, real_clips(model, Path(given)))))
    else:
        print("real clips: skipped, FAIRFRAME_FOOTAGE is not set", file=sys.stderr)
    return 0 if all(fine) else 1


def vae(what: str, score: VaeScore) -> bool:
    """The autoencoder's table row and line."""
    told(f"autoencoder on {what}, 8x bicubic", score.clips, score.psnr, score.psnr_bicubic, score.wins)
    gain = score.psnr - score.psnr_bicubic
    return line(f"base.vae.{what}", score.psnr, score.psnr_bicubic, gain, BAR_VAE, gain > BAR_VAE)


def told(what: str, clips: int, value: float, beside: float, wins: int) -> None:
    print(f"{what:34}{clips:6}{value:9.2f}{beside:10.2f}{wins:7} of {clips}", file=sys.stderr)


def line(bench: str, value: float, against: float, gain: float, bar: float, ok: bool) -> bool:
    return claim(bench, round(value, 2), "dB", round(against, 2), round(gain, 2), bar, ok)


def real_clips(model: Model, folder: Path) -> list[Clip]:
    """One window of each file that can be read and is long enough; says which are not."""
    found: list[Clip] = []
    for file in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        try:
            pictures = [frame.picture for frame in frames(file, start=FIRST, end=FIRST + model.frames)]
        except MediaError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if len(pictures) < model.frames:
            print(f"left out: {file.name} ends before frame {FIRST + model.frames}", file=sys.stderr)
            continue
        window = np.stack([square(picture, model.size) for picture in pictures])
        found.append(Clip(file.name, "real", window, "", file.name, "heldout"))
    return found


if __name__ == "__main__":
    sys.exit(main())
