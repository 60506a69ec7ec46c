"""High dynamic range to standard, plainly: good enough to judge, caption and train on, not for grading.

The transfer functions are those of ITU-R BT.2100 (PQ is SMPTE ST 2084, HLG is ARIB STD-B67), read through a
256-entry table; 203 nits (reference white, BT.2408) becomes about 0.6 of full light; what is brighter is rolled off by
x (1 + x / w^2) / (1 + x) (Reinhard et al. 2002, equation 4); BT.2020 primaries are turned into BT.709's.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfer characteristics of ITU-T H.273."""
REFERENCE_WHITE_NITS = 203.0
PEAK_NITS = 1000.0
EXPOSURE = 1.5
BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic (H.273 number) is one of high dynamic range."""
    return transfer in (PQ, HLG)


def to_standard(image: NDArray[np.uint8], transfer: int) -> NDArray[np.uint8]:
    """(H, W, 3) PQ or HLG coded BT.2020 RGB, 8 bits, to BT.709 RGB, 8 bits."""
    linear = _linear_table(transfer)[image] @ BT2020_TO_BT709.T
    index = np.clip(linear / _white() * 4095 + 0.5, 0, 4095).astype(np.uint16)
    return _display_table()[index]


def _white() -> float:
    return PEAK_NITS / REFERENCE_WHITE_NITS * EXPOSURE


@lru_cache(maxsize=2)
def _linear_table(transfer: int) -> NDArray[np.float32]:
    """Light relative to reference white for each of the 256 codes."""
    code = np.arange(256, dtype=np.float64) / 255
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        # the system gamma of a 1,000-nit display, per channel instead of on luminance
        nits = PEAK_NITS * scene**1.2
    return (nits / REFERENCE_WHITE_NITS * EXPOSURE).astype(np.float32)


@lru_cache(maxsize=1)
def _display_table() -> NDArray[np.uint8]:
    """8-bit codes for 4,096 even steps of light from 0 to the peak: roll-off, then a gamma of 2.2."""
    light = np.arange(4096) / 4095 * _white()
    rolled = light * (1 + light / _white() ** 2) / (1 + light)
    return np.clip(255 * rolled ** (1 / 2.2) + 0.5, 0, 255).astype(np.uint8)
