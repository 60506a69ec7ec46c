"""256-bit perceptual hashes of luma pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 64
LOWEST = 16
BYTES = LOWEST * LOWEST // 8
FLAT = 4.0
"""Standard deviation (of 255) of the 64x64 picture below which a hash tells noise from noise."""


@dataclass(frozen=True)
class Hashes:
    """`frames` (N,) int32 indices, `bits` (N, 32) uint8, `informative` (N,) bool."""

    frames: NDArray[np.int32]
    bits: NDArray[np.uint8]
    informative: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Sequence[tuple[int, bytes, bool]]) -> "Hashes":
        bits = np.frombuffer(b"".join(row[1] for row in rows), np.uint8).reshape(-1, BYTES)
        return cls(np.array([row[0] for row in rows], np.int32), bits, np.array([row[2] for row in rows], np.bool_))

    def consistent(self) -> bool:
        count = len(self.frames)
        return self.bits.shape == (count, BYTES) and self.bits.dtype == np.uint8 and self.informative.shape == (count,)


def hash_picture(picture: NDArray[np.uint8]) -> tuple[bytes, bool]:
    """(32 bytes, whether the picture has enough in it) of an (H, W) luma picture, stretched to a square."""
    import cv2

    square = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(square)[1 : LOWEST + 1, 1 : LOWEST + 1]
    middle = np.sort(low, axis=None)[LOWEST * LOWEST // 2 - 1]
    return np.packbits(low > middle).tobytes(), bool(cv2.meanStdDev(square)[1][0, 0] >= FLAT)


def distance(a: bytes, b: bytes) -> int:
    """Bits in which two hashes differ, 0 to 256."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()
