"""Which stored hashes are nearest to those of a film: candidates for a person to look at, never a verdict.

All comparisons are made where they are few enough; among very many hashes only those that share one of 8 bands of 32
bits with a frame of the film (see duplicates.py): every one within 7 bits is found then, one further off by luck.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairframe.curation.duplicates import HASH_BYTES, Hashes, Indices, bands

BITS = 8 * HASH_BYTES
BATCH = 1 << 17
"""Comparisons at a time: a megabyte of differing bits."""
SAMPLE = 2_000
"""Hashes of the library from which random pairs are drawn."""
SHIFTS = 10
THOUSANDTH = 1_000


@dataclass(frozen=True)
class Chance:
    """How far apart two frames of different clips of this library are: Hamming distances of 256 bits.

    pairs: how many random pairs were measured. least: of all of them; thousandth: 1 in 1,000 is at most as far apart;
    middle: half of them are. All 0 where there are no two clips to compare.
    """

    pairs: int
    least: int
    thousandth: int
    middle: int


def closest(film: Hashes, others: Hashes) -> tuple[Indices, Indices]:
    """For each of (N, 32) hashes: the distance in bits to the nearest of a film's (F, 32), and which that is."""
    ours, theirs = _words(film), _words(others)
    distance = np.full(len(theirs), BITS, np.int64)
    which = np.zeros(len(theirs), np.int64)
    if not len(ours):
        return distance, which
    step = max(1, BATCH // len(ours))
    for start in range(0, len(theirs), step):
        apart = _apart(theirs[start : start + step], ours)
        which[start : start + step] = apart.argmin(axis=1)
        distance[start : start + step] = apart.min(axis=1)
    return distance, which


def sharing(film: Hashes, others: Hashes) -> Indices:
    """Places of those of (N, 32) hashes that share a band with any of a film's, in order."""
    shares = np.zeros(len(others), np.bool_)
    for ours, theirs in zip(bands(film), bands(others), strict=True):
        shares |= np.isin(theirs, ours)
    return np.flatnonzero(shares).astype(np.int64)


def chance(hashes: Hashes, owners: Indices) -> Chance:
    """Distances between hashes of different owners, drawn by shifting the sample against itself."""
    words, count = _words(hashes), len(hashes)
    found: list[NDArray[np.int64]] = []
    for turn in range(1, SHIFTS + 1):
        shift = turn * count // (SHIFTS + 1)
        if not 0 < shift < count:
            continue
        apart = np.bitwise_count(words ^ np.roll(words, shift, axis=0)).sum(axis=1).astype(np.int64)
        found.append(apart[owners != np.roll(owners, shift)])
    distances = np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)
    if not len(distances):
        return Chance(0, 0, 0, 0)
    middle, rare = (int(distances[(len(distances) - 1) // share]) for share in (2, THOUSANDTH))
    return Chance(len(distances), int(distances[0]), rare, middle)


def spread(distance: Indices, most: int, apart: int) -> list[int]:
    """Places of the smallest values, at most `most`, no two of them nearer than `apart` places; smallest first."""
    chosen: list[int] = []
    for place in np.argsort(distance, kind="stable").tolist():
        if all(abs(place - other) >= apart for other in chosen):
            chosen.append(int(place))
        if len(chosen) == most:
            break
    return chosen


def _words(hashes: Hashes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(hashes, np.uint8).reshape(-1, HASH_BYTES).view(np.uint64)


def _apart(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """(L, R) distances. Columns in one piece and buffers that are used again make it half as long."""
    total = np.zeros((len(left), len(right)), np.uint16)
    differ, bits = np.empty(total.shape, np.uint64), np.empty(total.shape, np.uint8)
    for column in range(left.shape[1]):
        ours, theirs = (np.ascontiguousarray(side[:, column]) for side in (left, right))
        np.bitwise_xor(ours[:, None], theirs[None, :], out=differ)
        total += np.bitwise_count(differ, out=bits)
    return total
