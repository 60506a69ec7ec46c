"""A delivered clip as training wants it: square, at the model's size and frame rate."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairframe.core.errors import IntegrityFailure
from fairframe.core.item_line import Item

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# stamps are whole milliseconds, so a frame may seem to begin up to one after it does
TOLERANCE_MS = 1


def square_frames(path: Path, one: Item, size: int, fps: int) -> "NDArray[np.uint8]":
    """uint8 RGB (T, size, size, 3) at `fps`: center crop, area resampling, the frame shown at each instant.

    Raises MediaError, and IntegrityFailure (clip.frames) where the file does not have the frames that were signed.
    """
    import cv2
    import numpy as np

    from fairframe.media.decode import frames

    pictures: list[NDArray[np.uint8]] = []
    stamps: list[int] = []
    for frame in frames(path):
        if len(stamps) == one.frames:
            raise _other_length(one, "more")
        height, width = frame.picture.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        cropped = frame.picture[top : top + side, left : left + side]
        shrinks = side > size
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        pictures.append(np.asarray(cv2.resize(cropped, (size, size), interpolation=way), np.uint8))
        stamps.append(frame.pts_ms)
    if len(stamps) != one.frames:
        raise _other_length(one, "fewer")
    return np.stack([pictures[place] for place in shown_at(stamps, one.duration_ms, fps)])


def shown_at(stamps_ms: Sequence[int], duration_ms: int, fps: int) -> list[int]:
    """For every output frame, the place of the source frame that is shown then. At least one.

    `stamps_ms` are presentation times of the source frames in order; output frame k stands at k / fps seconds after
    the first of them.
    """
    count = max(1, (duration_ms * fps + 500) // 1000)
    places: list[int] = []
    place = 0
    for k in range(count):
        until_ms = stamps_ms[0] + k * 1000 // fps + TOLERANCE_MS
        while place + 1 < len(stamps_ms) and stamps_ms[place + 1] <= until_ms:
            place += 1
        places.append(place)
    return places


def _other_length(one: Item, how: str) -> IntegrityFailure:
    return IntegrityFailure(
        f"the clip of {one.id} has {how} than {one.frames} frames", code="clip.frames", where=one.path
    )
