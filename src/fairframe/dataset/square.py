"""A delivered clip as training wants it, decoded in the media sandbox and held against what was signed."""

from pathlib import Path
from typing import TYPE_CHECKING

from fairframe.core.errors import IntegrityFailure
from fairframe.core.item_line import Item
from fairframe.media import sandboxed
from fairframe.media.sandbox import MediaWorker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def square_frames(worker: MediaWorker, path: Path, one: Item, size: int, fps: int) -> "NDArray[np.uint8]":
    """uint8 RGB (T, size, size, 3) at `fps`: center crop, area resampling, the frame shown at each instant.

    Raises MediaError, and IntegrityFailure (clip.frames) where the file does not have the frames that were signed.
    """
    found, pictures = sandboxed.squares(
        worker, path, size=size, fps=fps, expected=one.frames, duration_ms=one.duration_ms
    )
    if pictures is None:
        how = "more" if found > one.frames else "fewer"
        raise IntegrityFailure(
            f"the clip of {one.id} has {how} than {one.frames} frames", code="clip.frames", where=one.path
        )
    return pictures
