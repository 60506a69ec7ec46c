"""Hard cuts and fades, from two frame-to-frame measures and the contrast of each frame.

A cut is a single frame at which both the histogram and the picture change several times as much as around it, and
after which the old picture does not come back (a photographer's flash does both but comes back).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

AROUND = 6
"""Frames on each side that say how much change is usual here."""
USUAL_DIFFERENCE, USUAL_CUT = 1.5, 0.02
"""What counts as usual at least: compression alone changes that much."""
MIN_DIFFERENCE, MIN_CUT = 6.0, 0.05
MIN_RATIO = 1.8
"""Of the difference to the usual one."""
LOUD_DIFFERENCE = 15.0
"""A difference from which on a change is as loud as it gets."""
MIN_STRENGTH = 6.0
"""Product of both ratios to the usual, less where the difference is small. Cuts gave 7 (between two views of one
scene) to 1300, everything else in 48 real clips up to 4.5."""
STAYS = 0.5
"""Part of the histogram's change that is still there until the old picture is out of sight (12 frames)."""
LOOK_BACK = 12
FLAT = 0.03
"""Contrast of a picture that shows nothing."""
LONGEST_FADE_MS = 2500
FADE_STEP = 0.3
"""A fade goes on while contrast still grows by this part of its mean step so far."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fade:
    """Frames [start, end) that show nothing, or a picture that rises from or sinks into that."""

    start: int
    end: int


def hard_cuts(frames: NDArray[Any]) -> Integers:
    """The first frame of each shot that begins with a hard cut, from (T,) measures; see media.measure.FRAME_TYPE."""
    if len(frames) < 2:
        return np.zeros(0, np.int64)
    difference, cut = frames["difference"].astype(np.float64), frames["cut"].astype(np.float64)
    difference[0] = cut[0] = 0  # nothing came before the first frame
    ratio = difference / _usual(difference, USUAL_DIFFERENCE)
    loudness = np.minimum(difference / LOUD_DIFFERENCE, 1.0)
    strength = ratio * cut / _usual(cut, USUAL_CUT) * loudness
    loud = (difference >= MIN_DIFFERENCE) & (cut >= MIN_CUT) & (ratio >= MIN_RATIO) & (strength >= MIN_STRENGTH)
    drift = frames["drift"].astype(np.float64)
    found = [i for i in np.flatnonzero(loud).tolist() if drift[i : i + LOOK_BACK - 1].min() >= STAYS * cut[i]]
    return np.array(found, np.int64)


def _usual(values: Floats, least: float) -> Floats:
    """The larger of the medians of the frames before and after each frame; beyond the ends nothing changes."""
    windows = sliding_window_view(np.pad(values, AROUND), AROUND)
    before, after = windows[: len(values)], windows[AROUND + 1 :]
    return np.maximum(np.maximum(np.median(before, axis=1), np.median(after, axis=1)), least)


def fades(frames: NDArray[Any]) -> list[Fade]:
    """Runs of frames that show nothing, with the ramps of contrast that lead into and out of them, in order."""
    contrast = frames["contrast"].astype(np.float64)
    span = int(frames["pts_ms"][-1]) - int(frames["pts_ms"][0])
    longest = LONGEST_FADE_MS * (len(frames) - 1) // span if span > 0 else 60
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (contrast <= FLAT).astype(np.int8), [0]])))
    found: list[Fade] = []
    for start, end in edges.reshape(-1, 2).tolist():
        left = start - _ramp(contrast[max(0, start - longest) : start][::-1])
        right = end + _ramp(contrast[end : end + longest])
        if found and left < found[-1].end:
            left = found.pop().start
        found.append(Fade(left, right))
    return found


def _ramp(contrast: Floats) -> int:
    """How many frames, going away from a flat picture, belong to the fade: contrast rises steadily."""
    risen = 0.0
    for count in range(len(contrast)):
        value = float(contrast[count : count + 2].max())  # what moves may hold it back for a frame
        step = value - risen
        if step <= FADE_STEP * risen / max(count, 1) or step <= 0:
            return count if count > 1 else 0
        risen = value
    return len(contrast) if len(contrast) > 1 else 0
