"""How stored pixels are turned and mirrored before they are shown (the container's display matrix)."""

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Orientation:
    """One of the eight right-angled placements: transpose first, then flip."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def rotation(self) -> int:
        """Clockwise degrees: 0, 90, 180 or 270 (of the mirrored picture, where it is mirrored)."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        return self.transpose == (self.flip_x == self.flip_y)

    @property
    def identity(self) -> bool:
        return not (self.transpose or self.flip_x or self.flip_y)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) as shown."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, image: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """An (H, W[, C]) picture as it is meant to be shown: (H', W'[, C]), contiguous."""
        if self.identity:
            return image
        import numpy as np

        if self.transpose:
            image = image.swapaxes(0, 1)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        return np.ascontiguousarray(image)


UPRIGHT = Orientation()


def from_matrix(data: bytes) -> Orientation:
    """Read a display matrix (nine 32-bit integers, ISO 14496-12 8.2.2); a degenerate one means upright.

    (x, y) goes to (a x + c y, b x + d y). An angle between the axes is taken to the nearer of them.
    """
    if len(data) != 36:
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("<9i", data)
    if abs(a * d - b * c) == 0:
        return UPRIGHT
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, flip_x=c < 0, flip_y=b < 0)
    return Orientation(False, flip_x=a < 0, flip_y=d < 0)


def of_frame(frame: Any) -> Orientation:
    """The orientation that a decoded av.VideoFrame carries."""
    for side in frame.side_data:
        if side.type.name == "DISPLAYMATRIX":
            return from_matrix(bytes(side))
    return UPRIGHT
