"""A clip as training wants it: square, at the model's size and frame rate. Run it in a MediaWorker."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairframe.media.decode import Picture, frames

# stamps are whole milliseconds, so a frame may seem to begin up to one after it does
TOLERANCE_MS = 1


def squares(path: Path, size: int, fps: int, expected: int, duration_ms: int) -> tuple[int, Picture | None]:
    """(frames that the file has, uint8 RGB (T, size, size, 3) at `fps`, T as count_at says).

    Center crop, area resampling, the frame shown at each instant. The pictures are None, and reading stops, where the
    file does not have the `expected` frames. Raises MediaError.
    """
    pictures: list[Picture] = []
    stamps: list[int] = []
    for frame in frames(path):
        if len(stamps) == expected:
            return expected + 1, None
        pictures.append(square(frame.picture, size))
        stamps.append(frame.pts_ms)
    if len(stamps) != expected:
        return len(stamps), None
    return expected, np.stack([pictures[place] for place in shown_at(stamps, duration_ms, fps)])


def square(image: Picture, size: int) -> Picture:
    """The center square of (H, W, 3), scaled to (size, size, 3)."""
    import cv2

    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cropped = image[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cropped, (size, size), interpolation=way), np.uint8)


def count_at(duration_ms: int, fps: int) -> int:
    """Frames of a clip of this length at `fps`, halves up, at least 1."""
    return max(1, (duration_ms * fps + 500) // 1000)


def shown_at(stamps_ms: Sequence[int], duration_ms: int, fps: int) -> list[int]:
    """For every output frame, the place of the source frame that is shown then.

    `stamps_ms` are presentation times of the source frames in order; output frame k stands at k / fps seconds after
    the first of them.
    """
    places: list[int] = []
    place = 0
    for k in range(count_at(duration_ms, fps)):
        until_ms = stamps_ms[0] + k * 1000 // fps + TOLERANCE_MS
        while place + 1 < len(stamps_ms) and stamps_ms[place + 1] <= until_ms:
            place += 1
        places.append(place)
    return places
