"""Evaluation on held-out clips: the VAE beside simple baselines, extension, and what captions are worth.

Everything is paired per clip or window and returned as frozen dataclasses; nothing prints.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.training.flow import Draw, batch_loss, loss_module
from fairframe.training.model import Model
from fairframe.training.sample import sample_windows
from fairframe.training.vae import decode, encode

if TYPE_CHECKING:
    from fairframe.dataset.clip import Clip

Frames = NDArray[np.uint8]


def psnr(a: Frames, b: Frames) -> float:
    """Peak signal-to-noise ratio in dB over all pixels of two uint8 arrays; 100 where they are equal."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return 100.0 if error == 0 else min(100.0, 10 * float(np.log10(255.0**2 / error)))


def ssim(a: Frames, b: Frames) -> float:
    """Mean structural similarity of the luma of (F, H, W, 3) frames; Gaussian window of 1.5 pixels (Wang 2004)."""
    import cv2

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found: list[float] = []
    weights = np.asarray([0.299, 0.587, 0.114])

    def blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(image, (11, 11), 1.5), np.float64)

    for one, two in zip(a.astype(np.float64) @ weights, b.astype(np.float64) @ weights, strict=True):
        mean1, mean2 = blur(one), blur(two)
        var1, var2 = blur(one * one) - mean1**2, blur(two * two) - mean2**2
        covariance = blur(one * two) - mean1 * mean2
        top = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
        found.append(float(np.mean(top / ((mean1**2 + mean2**2 + c1) * (var1 + var2 + c2)))))
    return float(np.mean(found))


def bicubic_8x(frames: Frames) -> Frames:
    """Every frame shrunk 8 times by area and blown up again bicubically."""
    import cv2

    side = frames.shape[1]
    small = (cv2.resize(f, (side // 8, side // 8), interpolation=cv2.INTER_AREA) for f in frames)
    return np.stack([cv2.resize(s, (side, side), interpolation=cv2.INTER_CUBIC) for s in small])


def constant_color(frames: Frames) -> Frames:
    """The clip's mean color everywhere."""
    mean = frames.reshape(-1, 3).mean(0).round().astype(np.uint8)
    return np.broadcast_to(mean, frames.shape).copy()


@dataclass(frozen=True)
class VaeScore:
    """Means over clips, in dB and 0..1. `wins` counts clips where the VAE's PSNR is above bicubic's."""

    clips: int
    psnr: float
    psnr_bicubic: float
    psnr_constant: float
    ssim: float
    ssim_bicubic: float
    ssim_constant: float
    wins: int

    @property
    def best(self) -> str:
        scores = {"vae": self.psnr, "bicubic": self.psnr_bicubic, "constant": self.psnr_constant}
        return max(scores, key=lambda name: scores[name])


@dataclass(frozen=True)
class ExtensionScore:
    """Extension against repeating the last given frame, over the frames that were not given; dB, paired by window."""

    windows: int
    prefix: int
    psnr: float
    psnr_repeat: float
    wins: int
    gains: tuple[float, ...]

    @property
    def gain(self) -> float:
        return self.psnr - self.psnr_repeat


@dataclass(frozen=True)
class CaptionScore:
    """Loss with right and with shuffled captions under the same noise and timesteps; gain = shuffled - right."""

    windows: int
    right: float
    shuffled: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    vae: VaeScore
    extension: ExtensionScore
    captions: CaptionScore

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON files (floats: not for canonical documents)."""
        return {"vae": {**asdict(self.vae), "best": self.vae.best}} | {
            "extension": {**asdict(self.extension), "gain": self.extension.gain, "gains": list(self.extension.gains)},
            "captions": asdict(self.captions),
        }


def _windows(clips: "Sequence[Clip]", frames: int, limit: int) -> tuple[Frames, list[str]]:
    """The middle window of each clip that is long enough, (N, frames, S, S, 3), and its caption."""
    fitting = [clip for clip in clips if len(clip.frames) >= frames][:limit]
    if not fitting:
        raise InputError(
            f"no held-out clip has {frames} frames", remedy="Hold longer clips out, or ask for a shorter window."
        )
    starts = [(len(clip.frames) - frames) // 2 for clip in fitting]
    stack = np.stack([c.frames[s : s + frames] for c, s in zip(fitting, starts, strict=True)])
    return stack, [clip.caption for clip in fitting]


def evaluate_vae(model: Model, clips: "Sequence[Clip]", *, limit: int = 64) -> VaeScore:
    """PSNR and SSIM of encoding and decoding, beside 8x bicubic and a constant color."""
    real, _ = _windows(clips, model.frames, limit)
    seen = decode(model.vae, encode(model.vae, real))
    rows: list[tuple[float, ...]] = []
    for one, again in zip(real, seen, strict=True):
        tries = (again, bicubic_8x(one), constant_color(one))
        rows.append((*(psnr(one, t) for t in tries), *(ssim(one, t) for t in tries)))
    table = np.asarray(rows)
    mean = [float(v) for v in table.mean(0)]
    wins = int(np.sum(table[:, 0] > table[:, 1]))
    return VaeScore(len(real), mean[0], mean[1], mean[2], mean[3], mean[4], mean[5], wins)


def evaluate_extension(
    model: Model,
    clips: "Sequence[Clip]",
    *,
    prefix: int | None = None,
    steps: int = 16,
    guidance: float = 1.0,
    seed: int = 0,
    limit: int = 32,
) -> ExtensionScore:
    """Extend each held-out window from its first `prefix` frames (odd) and compare with what really followed.

    prefix None is half of the window: 9 of 17 frames.
    """
    prefix = prefix or 2 * (model.latent_shape(model.frames, model.size).frames // 2 + 1) - 1
    real, captions = _windows(clips, model.frames, limit)
    gains: list[float] = []
    ours: list[float] = []
    still: list[float] = []
    for start in range(0, len(real), 8):
        part = real[start : start + 8]
        made = sample_windows(
            model,
            captions[start : start + 8],
            part[:, :prefix],
            frames=model.frames,
            steps=steps,
            guidance=guidance,
            seeds=list(range(seed + start, seed + start + len(part))),
        )
        for truth, film in zip(part, made.frames, strict=True):
            rest = truth[prefix:]
            ours.append(psnr(rest, film[prefix:]))
            still.append(psnr(rest, np.broadcast_to(truth[prefix - 1], rest.shape)))
            gains.append(ours[-1] - still[-1])
    wins = sum(gain > 0 for gain in gains)
    return ExtensionScore(len(real), prefix, float(np.mean(ours)), float(np.mean(still)), wins, tuple(gains))


def bootstrap(values: NDArray[np.float64], seed: int = 0, rounds: int = 4000) -> tuple[float, float]:
    """95 % percentile interval of the mean, by resampling the values."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(rounds, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def derange(captions: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Each caption replaced by another window's, a different text wherever the set has one."""
    found: list[str] = []
    for caption in captions:
        others = [other for other in captions if other != caption]
        found.append(others[int(rng.integers(len(others)))] if others else caption)
    return found


def evaluate_captions(
    model: Model, clips: "Sequence[Clip]", *, draws: int = 6, seed: int = 0, limit: int = 48
) -> CaptionScore:
    """Loss with right against shuffled captions; text alone conditions, over the same noise and levels, paired."""
    import torch

    real, captions = _windows(clips, model.frames, limit)
    latents = encode(model.vae, real)
    module = loss_module(model)
    rng = np.random.default_rng((seed, 3))
    totals = np.zeros((2, len(real)))
    count, frames = len(real), latents.shape[2]
    for turn in range(draws):
        sigma = np.full(count, 0.25 + 0.7 * (turn + 0.5) / draws, np.float32)
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(int(rng.integers(2**62))))
        draw = Draw(np.zeros((count, frames), np.bool_), sigma, noise, np.ones(count, np.bool_))
        for row, said in enumerate((captions, derange(captions, rng))):
            totals[row] += _losses(module, model, latents, said, draw) / draws
    gains = totals[1] - totals[0]
    low, high = bootstrap(gains, seed)
    return CaptionScore(count, float(totals[0].mean()), float(totals[1].mean()), float(gains.mean()), low, high)


def _losses(module: Any, model: Model, latents: Any, said: Sequence[str], draw: Draw) -> NDArray[np.float64]:
    import torch

    parts: list[NDArray[np.float64]] = []
    with torch.no_grad():
        for start in range(0, len(said), 8):
            rows = slice(start, start + 8)
            part = Draw(draw.known[rows], draw.sigma[rows], draw.noise[rows], draw.keep_text[rows])
            parts.append(batch_loss(module, model, latents[rows], said[rows], part).double().cpu().numpy())
    return np.concatenate(parts)


def evaluate(model: Model, clips: "Sequence[Clip]", *, seed: int = 0, limit: int = 32) -> Evaluation:
    """All three on the given held-out clips. Raises InputError where none fits the model's window."""
    return Evaluation(
        vae=evaluate_vae(model, clips, limit=limit),
        extension=evaluate_extension(model, clips, seed=seed, limit=limit),
        captions=evaluate_captions(model, clips, seed=seed, limit=limit),
    )
