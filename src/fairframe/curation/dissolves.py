"""Dissolves, found by the parabola that mixing two pictures draws in the variance of luma.

A linear dissolve shows (1 - a) A + a B, so its variance is (1 - a)^2 V(A) + a^2 V(B) + 2 a (1 - a) C, and
V(A) + V(B) - 2 C is the variance of A - B (Alattar 1993; Truong, Dorai and Venkatesh 2000). For every length, C is
fitted by least squares at every frame; a dissolve is where the fit is close and A - B is large. Sums are exact
integers, so the same measures give the same answer on every machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SHORTEST_FRAMES = 5
LONGEST_MS = 2500
GROWTH = 1.1
"""Each length that is tried to the next."""
MIN_DEPTH = 600.0
"""A quarter of the variance of A - B, in 10^-6: pictures 0.05 of full scale apart."""
MIN_DEPTH_SHARE = 0.08
"""And as a part of the variances of A and B: half of one minus their correlation."""
FLOOR = 0.02
"""Error that every fit is taken to have, as a part of its depth."""
MIN_SCORE = 15.0
"""Depth over error: mixes of real shots gave 15 to 45, moving objects and cameras mostly below 13."""
MIN_CHANGE_SHARE = 0.7
"""Change at every frame, as a part of what a mix of two still pictures shows: objects that pass pause, mixes don't."""
MAX_BEND_SHARE = 0.35
"""How far mean luma may leave a straight line, as a part of the deviation that belongs to the depth."""
MAX_MOTION = 1.0
"""Sides of the picture per second; a camera that is whipped around draws a parabola too."""
MIN_BITS = 60
"""Differing bits of the hashes before and after; two frames of one still shot differ in a few."""
HULL_SHARE = 0.6
"""Windows around the best that score this part of it belong to the same dissolve."""
CODES = 219.0

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dissolve:
    """Frames [start, end) mix two shots; `score` is the depth of the parabola over the error of its fit."""

    start: int
    end: int
    score: float


@dataclass(frozen=True)
class _Fit:
    """For windows of `steps` + 1 frames from each frame on: depth and error of the parabola, in 10^-6."""

    steps: int
    depth: Floats
    error: Floats


def find(frames: NDArray[Any], hash_frames: Integers, bits: NDArray[np.uint8], cuts: Integers) -> list[Dissolve]:
    """Dissolves among frames of measure.FRAME_TYPE, in order, none over another or over a hard cut.

    `hash_frames`, `bits`: (N,) indices and (N, 32) bits of the hashes that mean something.
    """
    variance = np.round(frames["contrast"].astype(np.float64) ** 2 * 1e6).astype(np.int64)
    found: list[Dissolve] = []
    for steps in lengths(frames["pts_ms"]):
        if steps + 1 > len(frames):
            break
        fit = _fit(variance, steps)
        score = fit.depth / np.maximum(fit.error + FLOOR * fit.depth, 1.0)
        starts = np.flatnonzero(_deep(fit, variance) & (score >= MIN_SCORE))
        starts = starts[_mixes(frames, cuts, starts, fit)]
        starts = starts[_apart(starts, starts + steps, hash_frames, bits) >= MIN_BITS]
        found += [Dissolve(s + 1, s + steps, float(score[s])) for s in starts.tolist()]
    return _best(found)


def lengths(pts_ms: Integers) -> list[int]:
    """Steps (frames + 1) that are tried, from five frames to two and a half seconds, each a tenth longer."""
    span = int(pts_ms[-1]) - int(pts_ms[0])
    longest = min(LONGEST_MS * (len(pts_ms) - 1) // span if span > 0 else 60, 300)
    found: list[int] = []
    steps = SHORTEST_FRAMES + 1
    while steps <= longest:
        found.append(steps)
        steps = max(steps + 1, round(steps * GROWTH))
    return found


def _fit(variance: Integers, steps: int) -> _Fit:
    i = np.arange(steps + 1, dtype=np.int64)
    before, after, mixed = (steps - i) ** 2, i**2, 2 * i * (steps - i)  # each times 1 / steps^2
    scale = float(steps * steps)
    first, last = variance[: len(variance) - steps].astype(float), variance[steps:].astype(float)

    def dot(values: Integers, weights: Integers) -> Floats:
        return np.correlate(values, weights, mode="valid").astype(np.float64)

    def ends(weights: Integers) -> Floats:
        """The sum, over the window, of what the two pure pictures give, times `weights`."""
        return (first * int(before @ weights) + last * int(after @ weights)) / scale

    projected = dot(variance, mixed) - ends(mixed)
    norm = float(mixed @ mixed)
    covariance = scale * projected / norm
    rest = dot(variance**2, np.ones_like(i)) - 2 * (first * dot(variance, before) + last * dot(variance, after)) / scale
    rest += (first * ends(before) + last * ends(after)) / scale
    error = np.sqrt(np.maximum(rest - projected**2 / norm, 0) / (steps - 1))
    return _Fit(steps, np.maximum((first + last - 2 * covariance) / 4, 0), error)


def _deep(fit: _Fit, variance: Integers) -> NDArray[np.bool_]:
    ends = (variance[: len(variance) - fit.steps] + variance[fit.steps :]).astype(float)
    return (fit.depth >= MIN_DEPTH) & (fit.depth >= MIN_DEPTH_SHARE * ends)


def _mixes(frames: NDArray[Any], cuts: Integers, starts: Integers, fit: _Fit) -> NDArray[np.bool_]:
    """Whether all that is measured in the windows from `starts` on fits a mix of two pictures."""
    if not len(starts):
        return np.zeros(0, np.bool_)
    deviation = np.sqrt(fit.depth[starts]) / 1000
    # a normal distribution's mean absolute deviation is 0.8 of its standard deviation, and that of A - B twice ours
    least = MIN_CHANGE_SHARE * 2 * 0.8 * CODES * deviation / fit.steps
    changes = sliding_window_view(frames["difference"][1:], fit.steps)[starts].min(axis=1)
    luma = sliding_window_view(frames["luma"].astype(np.float64), fit.steps + 1)[starts]
    line = luma[:, :1] + (luma[:, -1:] - luma[:, :1]) * np.arange(fit.steps + 1) / fit.steps
    bend = np.abs(luma - line).max(axis=1)
    motion = sliding_window_view(frames["motion"][1:], fit.steps)[starts].astype(np.float64).mean(axis=1)
    # a hard cut inside explains the windows' ends without a mix
    cut = np.searchsorted(cuts, starts + 1) != np.searchsorted(cuts, starts + fit.steps + 1)
    return (changes >= least) & (bend <= MAX_BEND_SHARE * deviation) & (motion <= MAX_MOTION) & ~cut


def _apart(starts: Integers, ends: Integers, hash_frames: Integers, bits: NDArray[np.uint8]) -> Integers:
    """Differing bits between the last hash up to each start and the first from each end on; 0 where one lacks."""
    if not len(starts) or not len(hash_frames):
        return np.zeros(len(starts), np.int64)
    left = np.searchsorted(hash_frames, starts, side="right") - 1
    right = np.searchsorted(hash_frames, ends, side="left")
    known = (left >= 0) & (right < len(hash_frames))
    words = np.ascontiguousarray(bits).view(np.uint64)
    differing = words[np.maximum(left, 0)] ^ words[np.minimum(right, len(hash_frames) - 1)]
    return np.where(known, np.bitwise_count(differing).sum(axis=1, dtype=np.int64), 0)


def _best(found: list[Dissolve]) -> list[Dissolve]:
    """The best windows, each widened by those around it that are nearly as good, none over another."""
    kept: list[Dissolve] = []
    for one in sorted(found, key=lambda d: (-d.score, d.start, d.end)):
        if any(one.start < other.end and other.start < one.end for other in kept):
            continue
        around = [d for d in found if d.start <= one.start and one.end <= d.end and d.score >= HULL_SHARE * one.score]
        start, end = min(d.start for d in around), max(d.end for d in around)
        kept.append(Dissolve(start, end, one.score))
    return sorted(kept, key=lambda d: d.start)
