"""Measures of a film, each beside the range over real clips. No number alone says that a film is good.

Warp error rewards blur and stillness: a gray, frozen film scores best. So it is read together with flow (does it
move), sharpness (is there anything to see) and the drifts (does it stay what it was). All on uint8 RGB (F, S, S, 3).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError

Frames = NDArray[np.uint8]

LEAST_FRAMES = 3
DISTANCES = (1, 4, 8, 16)
"""Frame distances at which similarity is measured."""
BINS = 16


@dataclass(frozen=True)
class Measure:
    """A film's value, and the least, middle and greatest over real clips (None where there are none)."""

    value: float
    low: float | None
    median: float | None
    high: float | None

    @property
    def inside(self) -> bool | None:
        """Whether the value lies within the real clips' range."""
        return None if self.low is None or self.high is None else self.low <= self.value <= self.high

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "inside": self.inside}


@dataclass(frozen=True)
class Nearest:
    """The training clip that a film is closest to. distance: RMS pixel difference at 16x16, 0 to 255, of the closest
    pair of frames, beside that of real clips that are no training clips to their own nearest one."""

    clip: str
    distance: Measure


def film_measures(film: Frames, real_clips: Sequence[Frames]) -> dict[str, Measure]:
    """The measures by name, in the order told here. Raises InputError for fewer than three frames.

    warp_error: mean absolute luma difference, 0 to 255, after moving each frame along its flow to the next (Lai et
    al. 2018, without occlusion masks). flow: mean length in pixels per frame. sharpness: mean absolute Laplacian of
    luma. sharpness_drift: sharpness of the last third over that of the first. histogram_drift: half the L1 distance,
    0 to 1, of color histograms of the first and the last third. similarity_N: mean correlation of frames N apart.
    """
    values = _all(film)
    real = [_all(clip) for clip in real_clips if len(clip) >= LEAST_FRAMES]
    return {name: _beside(value, [one[name] for one in real if name in one]) for name, value in values.items()}


def nearest(film: Frames, clips: Sequence[tuple[str, Frames]], real_clips: Sequence[Frames] = ()) -> Nearest | None:
    """The closest of named training clips, frame by frame; None without clips. A copied frame has a distance near 0,
    below that of any of `real_clips`, which are none of `clips`."""
    if not clips:
        return None
    tiles = [_tiles(frames) for _, frames in clips]
    distances = _distances(film, tiles)
    best = int(np.argmin(distances))
    return Nearest(clips[best][0], _beside(distances[best], [min(_distances(one, tiles)) for one in real_clips]))


def _beside(value: float, others: Sequence[float]) -> Measure:
    middle = float(np.median(others)) if others else None
    return Measure(value, min(others, default=None), middle, max(others, default=None))


def _all(film: Frames) -> dict[str, float]:
    if film.ndim != 4 or film.shape[-1] != 3 or len(film) < LEAST_FRAMES:
        raise InputError(f"a film of shape {film.shape} cannot be measured", remedy="Give three frames or more.")
    luma = _luma(film)
    warp, moved = _motion(luma)
    third = max(1, len(film) // 3)
    sharp = _sharpness(luma)
    first, last = float(np.mean(sharp[:third])), float(np.mean(sharp[-third:]))
    found = {
        "warp_error": warp,
        "flow": moved,
        "sharpness": float(np.mean(sharp)),
        # one gray level of slack: two flat thirds are alike
        "sharpness_drift": (last + 1.0) / (first + 1.0),
        "histogram_drift": float(np.abs(_histogram(film[:third]) - _histogram(film[-third:])).sum() / 2),
    }
    for distance in DISTANCES:
        if distance < len(film):
            found[f"similarity_{distance}"] = _similarity(luma, distance)
    return found


def _luma(film: Frames) -> NDArray[np.uint8]:
    import cv2

    return np.stack([np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in film])


def _motion(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """(warp error, mean flow in pixels per frame) by dense inverse search flow."""
    import cv2

    height, width = luma.shape[1:]
    flow_of: Callable[..., Any] = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    errors: list[float] = []
    lengths: list[float] = []
    for before, after in pairwise(luma):
        flow = np.asarray(flow_of(before, after, None), np.float32)
        x, y = columns + flow[..., 0], rows + flow[..., 1]
        warped = np.asarray(cv2.remap(after, x, y, cv2.INTER_LINEAR), np.float32)
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        if inside.any():
            errors.append(float(np.abs(warped - before)[inside].mean()))
        lengths.append(float(np.hypot(flow[..., 0], flow[..., 1]).mean()))
    return float(np.mean(errors)) if errors else 0.0, float(np.mean(lengths))


def _sharpness(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    import cv2

    return np.asarray([np.abs(np.asarray(cv2.Laplacian(frame, cv2.CV_32F))).mean() for frame in luma], np.float64)


def _histogram(frames: Frames) -> NDArray[np.float64]:
    """Color histogram, BINS per channel, three channels that sum to 1 together."""
    parts = [np.bincount(frames[..., c].ravel() // (256 // BINS), minlength=BINS) for c in range(3)]
    return np.concatenate(parts) / (3 * frames[..., 0].size)


def _similarity(luma: NDArray[np.uint8], distance: int) -> float:
    """Mean correlation of the frames `distance` apart; two flat frames are alike."""
    flat = luma.reshape(len(luma), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.sqrt((flat**2).sum(axis=1))
    one, other = flat[:-distance], flat[distance:]
    scale = norm[:-distance] * norm[distance:]
    product = (one * other).sum(axis=1)
    return float(np.mean(np.where(scale > 0, product / np.where(scale > 0, scale, 1), 1.0)))


def _tiles(frames: Frames) -> NDArray[np.float32]:
    """(F, 768): every frame at 16x16."""
    import cv2

    small = [cv2.resize(frame, (16, 16), interpolation=cv2.INTER_AREA) for frame in frames]
    return np.asarray(small, np.float32).reshape(len(frames), -1)


def _distances(film: Frames, tiles: Sequence[NDArray[np.float32]]) -> list[float]:
    own = _tiles(film)
    return [_closest(own, other) for other in tiles]


def _closest(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """RMS difference of the closest pair of rows."""
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return float(np.sqrt(max(0.0, float(squared.min())) / one.shape[1]))
