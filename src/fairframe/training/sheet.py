"""Frame strips: films as rows of frames, for eyes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def strip(frames: Frames, count: int = 6, scale: int = 2, mark: int = 0) -> NDArray[np.uint8]:
    """`count` evenly spaced frames side by side, (S * scale, count * S * scale, 3).

    The first `mark` frames were given to the model, not made by it: those shown get a white line on top.
    """
    index = np.linspace(0, len(frames) - 1, count).round().astype(int)
    shown = frames[index].repeat(scale, 1).repeat(scale, 2)
    for place, i in enumerate(index):
        if i < mark:
            shown[place, : 2 * scale] = 255
    return np.concatenate(list(shown), axis=1)


def contact_sheet(rows: Sequence[Frames], count: int = 6, scale: int = 2, mark: int = 0) -> NDArray[np.uint8]:
    """One strip per film, below each other."""
    return np.concatenate([strip(row, count, scale, mark) for row in rows], axis=0)


def write_png(path: str, image: NDArray[np.uint8]) -> None:
    import cv2

    cv2.imwrite(path, image[..., ::-1])
