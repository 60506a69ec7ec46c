"""A film of any length out of windows: each goes on from the last frames of the film so far.

A film is a function of (model, prompt, given frames, length, seed, steps, guidance): window n uses seed + n.
The given frames (a picture, or the end of a video) are the film's first frames, and the asked length counts them.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.platform.runs import Progress, silent

if TYPE_CHECKING:
    from fairframe.training.model import Model

Frames = NDArray[np.uint8]

OVERLAP = 9
"""Frames that a window is given of the one before, where the window is long enough."""
LEAST_S, MOST_S = Fraction(1, 10), Fraction(60)


def frame_count(seconds: float | str | Fraction, fps: int) -> int:
    """Frames of a film of `seconds`, halves up. Raises InputError outside 0.1 to 60 s."""
    try:
        exact = Fraction(str(seconds))
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"{str(seconds)[:40]!r} is no length in seconds", code="input.seconds") from error
    if not LEAST_S <= exact <= MOST_S:
        raise InputError(
            f"a film of {float(exact):g} seconds is not made",
            code="input.seconds",
            remedy="Ask for 0.1 to 60 seconds; cut longer films together from several.",
        )
    return int(exact * fps + Fraction(1, 2))


def overlap_of(window: int, wanted: int = OVERLAP) -> int:
    """How many frames a window of `window` frames takes over: odd, at most `wanted`, about half the window at most."""
    return odd_below(min(wanted, window // 2 + 1))


def odd_below(count: int) -> int:
    """The largest odd number up to `count`, at least 1."""
    return max(1, count - 1 + count % 2)


def film_frames(
    model: "Model",
    prompt: str,
    count: int,
    *,
    given: Frames | None = None,
    overlap: int | None = None,
    seed: int = 0,
    steps: int = 20,
    guidance: float = 1.0,
    show: Progress = silent,
) -> Iterator[Frames]:
    """Yield the film in parts, uint8 (n, S, S, 3), `count` frames in all; one window is in memory at a time.

    given: None, or uint8 (k, S, S, 3) of which the last odd number of frames that fits opens the film. overlap: odd,
    less than the model's window. Raises InputError.
    """
    from fairframe.training.sample import continue_windows, sample_window

    window = model.frames
    overlap = overlap_of(window) if overlap is None else overlap
    if not 1 <= overlap < window or overlap % 2 == 0:
        raise InputError(f"an overlap of {overlap} frames", remedy=f"Give an odd number below {window}.")
    prefix = None if given is None else given[-odd_below(min(len(given), overlap, max(1, count - 1))) :]
    total = 1 + max(0, -(-(count - window) // (window - overlap)))
    show(0, total, f"window 1 of {total}")
    made = sample_window(
        model, prompt=prompt, prefix_frames=prefix, frames=window, steps=steps, guidance=guidance, seed=seed
    )
    yield made.frames[0, :count]
    done = window
    for index in range(1, total):
        show(index, total, f"window {index + 1} of {total}")
        made = continue_windows(model, [prompt], made, overlap, steps=steps, guidance=guidance, seeds=[seed + index])
        yield made.frames[0, overlap : overlap + count - done]
        done += window - overlap
    show(total, total, f"{count} frames")
