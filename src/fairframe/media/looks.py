"""The perceptual hashes of a file's frames, one by one, to lay them beside those of other files.

A frame is hashed as it is shown, mirrored, and its center square both ways: a model's films come from center squares.
What is hashed is what measure.measure hashes, so that these hashes and stored ones can be compared.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.media import decode
from fairframe.media.container import EXPORT_AGAIN, media_error, open_video
from fairframe.media.hashing import BYTES, hash_picture
from fairframe.media.measure import HASHED_SIDE
from fairframe.media.orientation import of_frame

VIEWS = ("whole", "mirrored", "center square", "center square, mirrored")
MAX_LOOKS = 4_096
"""Frames of one file that are hashed: all of nearly three minutes at 24 a second; of a longer one every 2nd, 4th..."""


@dataclass(frozen=True)
class Looks:
    """`frames` (N,) int32 indices, `pts_ms` (N,) int64, `bits` (4, N, 32) uint8 by VIEWS, `informative` (4, N) bool."""

    frames: NDArray[np.int32]
    pts_ms: NDArray[np.int64]
    bits: NDArray[np.uint8]
    informative: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """One .npz file, without pickled objects."""
        with Path(path).open("wb") as file:
            np.savez(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> "Looks":
        """Raises InputError (input.bad_looks) if the file is not one that `save` writes."""
        try:
            with np.load(path, allow_pickle=False) as found:
                looks = cls(found["frames"], found["pts_ms"], found["bits"], found["informative"])
        except (OSError, ValueError, KeyError) as error:
            raise InputError("not a file of hashes", code="input.bad_looks", where=str(path)) from error
        if not looks._consistent():
            raise InputError("not a file of hashes", code="input.bad_looks", where=str(path))
        return looks

    def _consistent(self) -> bool:
        count, views = len(self.frames), len(VIEWS)
        kinds = (self.frames.dtype, self.pts_ms.dtype, self.bits.dtype, self.informative.dtype)
        shapes = (self.frames.shape, self.pts_ms.shape, self.bits.shape, self.informative.shape)
        return (
            0 < count <= MAX_LOOKS
            and kinds == (np.int32, np.int64, np.uint8, np.bool_)
            and shapes == ((count,), (count,), (views, count, BYTES), (views, count))
            and bool((np.diff(self.frames) > 0).all() and self.frames[0] >= 0)
        )


def looks(path: Path) -> Looks:
    """Decode a file once and hash its frames. Run it in a MediaWorker. Raises MediaError."""
    import cv2

    cv2.setNumThreads(1)
    every, rows = 1, list[tuple[int, int, list[tuple[bytes, bool]]]]()
    with open_video(path) as video:
        for index, frame in enumerate(decode.decoded(video)):
            if index % every:
                continue
            if len(rows) == MAX_LOOKS:
                rows, every = rows[::2], 2 * every
                if index % every:
                    continue
            rows.append((index, decode.pts_ms(frame), _views(frame)))
    if not rows:
        raise media_error("undecodable", Path(path), "has no frame that can be decoded", EXPORT_AGAIN)
    bits = b"".join(views[view][0] for view in range(len(VIEWS)) for _, _, views in rows)
    return Looks(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int64),
        np.frombuffer(bits, np.uint8).reshape(len(VIEWS), len(rows), BYTES),
        np.array([[row[2][view][1] for row in rows] for view in range(len(VIEWS))], np.bool_),
    )


def _views(frame: Any) -> list[tuple[bytes, bool]]:
    """The hashes of one frame, in the order of VIEWS."""
    plane, shift = decode.luma_plane(frame)
    turn = of_frame(frame)
    height, width = plane.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    found: list[tuple[bytes, bool]] = []
    for part in (plane, plane[top : top + side, left : left + side]):
        picture = turn.apply(_shrink(part, shift))
        found += [hash_picture(picture), hash_picture(np.ascontiguousarray(picture[:, ::-1]))]
    return found


def _shrink(plane: NDArray[Any], shift: int) -> NDArray[np.uint8]:
    """As measure.measure shrinks a picture before it is hashed."""
    import cv2

    small: NDArray[Any] = np.asarray(cv2.resize(plane, (HASHED_SIDE, HASHED_SIDE), interpolation=cv2.INTER_LINEAR))
    return (small >> shift if shift else small).astype(np.uint8)
