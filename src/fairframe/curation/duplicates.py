"""Near-duplicates among perceptual hashes: candidates for one group, never a verdict that two clips are the same.

Band sort: a 256-bit hash is cut into 8 bands of 32 bits. Two hashes that differ in up to 7 bits agree in at least
one whole band (pigeonhole), so sorting once per band and comparing every pair inside a run of equal bands finds all
of them; pairs further apart, up to `MAX_DISTANCE`, are found where a band happens to survive (locality-sensitive
hashing after Indyk and Motwani 1998).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32
BANDS = 8
MAX_DISTANCE = 10
"""Differing bits of 256 up to which two pictures are candidates. A copy at another size and rate of compression differs
in 2 to 8, one signer before one wall in two takes in 12, unrelated pictures in about 128."""
BATCH_PAIRS = 1 << 20

Hashes = NDArray[np.uint8]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Hashes `left[i]` < `right[i]` that differ in `distance[i]` bits; each pair once, in order of (left, right)."""

    left: Indices
    right: Indices
    distance: Indices


@dataclass(frozen=True)
class Group:
    """Shots that look alike: members in order, each with its smallest distance in bits to another member."""

    id: str
    members: tuple[str, ...]
    distances: tuple[int, ...]


def near(hashes: Hashes, max_distance: int = MAX_DISTANCE) -> Pairs:
    """All candidate pairs of (N, 32) hashes. Memory: one batch of about a million pairs beside the hashes.

    Equal hashes are compared once and then linked in a chain, so that a frame that stands in a thousand clips costs
    no million comparisons.
    """
    hashes = np.ascontiguousarray(hashes, np.uint8).reshape(-1, HASH_BYTES)
    order, first, starts = _unique(hashes)
    distinct = hashes[first]
    found = [_chain(order, starts)]
    words = distinct.view(np.uint64)
    for band in bands(distinct):
        found.extend(_same_band(band, words, first, max_distance))
    pairs = np.concatenate(found) if found else np.empty((0, 3), np.int64)
    pairs = np.unique(pairs, axis=0)
    return Pairs(pairs[:, 0], pairs[:, 1], pairs[:, 2])


def groups(ids: Sequence[str], owners: Indices, hashes: Hashes, max_distance: int = MAX_DISTANCE) -> list[Group]:
    """Groups of two or more shots. `owners[i]` is the index in `ids` of the shot that hash i belongs to.

    A group is named by its smallest member and is closed under matching (A like B, B like C: one group), so that a
    split by group can't tear two matches apart. Pure and independent of the order of the hashes.
    """
    pairs = near(hashes, max_distance)
    left, right = owners[pairs.left], owners[pairs.right]
    apart = left != right
    left, right, distance = left[apart], right[apart], pairs.distance[apart]
    closest = np.full(len(ids), 8 * HASH_BYTES, np.int64)
    np.minimum.at(closest, left, distance)
    np.minimum.at(closest, right, distance)
    labels = components(len(ids), left, right)
    members: dict[int, list[int]] = {}
    for index in np.unique(np.concatenate([left, right])).tolist():
        members.setdefault(int(labels[index]), []).append(index)
    made = (sorted(found, key=lambda i: ids[i]) for found in members.values())
    return sorted(
        (Group(ids[found[0]], tuple(ids[i] for i in found), tuple(int(closest[i]) for i in found)) for found in made),
        key=lambda group: group.id,
    )


def components(count: int, left: Indices, right: Indices) -> Indices:
    """A label per node of a graph, equal inside a connected component: the smallest index in it.

    Hooking and pointer jumping (Shiloach and Vishkin 1982): a few passes over all edges instead of a loop over them.
    """
    labels = np.arange(count, dtype=np.int64)
    while True:
        low = np.minimum(labels[left], labels[right])
        before = labels.copy()
        # hook the roots, not the nodes: a chain of n nodes then shrinks by halves instead of one by one
        np.minimum.at(labels, before[left], low)
        np.minimum.at(labels, before[right], low)
        while not np.array_equal(jumped := labels[labels], labels):
            labels = jumped
        if np.array_equal(labels, before):
            return labels


def _unique(hashes: Hashes) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """An order that brings equal hashes together; the first index of each distinct one; where one begins."""
    words = hashes.view(np.uint64)
    # one sort instead of four; different hashes of equal mix stand apart as distinct ones, which only costs time
    mix = words[:, 0] ^ words[:, 1] * np.uint64(3) ^ words[:, 2] * np.uint64(5) ^ words[:, 3] * np.uint64(7)
    order = np.argsort(mix, kind="stable").astype(np.int64)
    ordered = words[order]
    starts = np.ones(len(order), np.bool_)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, order[starts], starts


def _chain(order: Indices, starts: NDArray[np.bool_]) -> Indices:
    again = np.flatnonzero(~starts)
    pairs = np.sort(np.stack([order[again - 1], order[again]], axis=1), axis=1)
    return np.concatenate([pairs, np.zeros((len(pairs), 1), np.int64)], axis=1)


def bands(hashes: Hashes) -> Iterator[NDArray[np.uint32]]:
    """Eight (N,) bands. A band takes its 4 bytes from all over the picture: a plain sky fills none of them."""
    for band in range(BANDS):
        yield np.ascontiguousarray(hashes[:, band::BANDS]).view(np.uint32)[:, 0]


def _same_band(
    band: NDArray[np.uint32], words: NDArray[np.uint64], first: Indices, max_distance: int
) -> Iterator[Indices]:
    """(K, 3) rows of left, right, distance for pairs inside runs of equal `band`; whole runs, all pairs of them."""
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    rest = np.repeat(edges[1:], np.diff(edges)) - np.arange(len(order)) - 1  # partners that follow it in its run
    todo = np.flatnonzero(rest)
    total = np.concatenate([[0], np.cumsum(rest[todo])])
    for low, high in _batches(total):
        rows, counts = todo[low:high], rest[todo[low:high]]
        left = np.repeat(rows, counts)
        right = left + np.arange(1, len(left) + 1) - np.repeat(total[low:high] - total[low], counts)
        left, right, distance = _close(left, right, words, order, max_distance)
        ends = np.sort(np.stack([first[order[left]], first[order[right]]], axis=1), axis=1)
        yield np.concatenate([ends, distance[:, None]], axis=1)


def _close(
    left: Indices, right: Indices, words: NDArray[np.uint64], order: Indices, max_distance: int
) -> tuple[Indices, Indices, Indices]:
    """Those of the pairs (positions in `order`) that differ in few bits, and in how many."""
    distance = np.zeros(len(left), np.int64)
    for column in range(words.shape[1]):
        if not len(left):
            break
        low = left[0]
        word = words[order[low : int(right.max()) + 1], column]
        distance = distance + np.bitwise_count(word[left - low] ^ word[right - low])
        # a quarter of the bits already tells most pairs apart
        close = distance <= max_distance
        left, right, distance = left[close], right[close], distance[close]
    return left, right, distance


def _batches(total: Indices) -> Iterator[tuple[int, int]]:
    low = 0
    while low < len(total) - 1:
        high = int(np.searchsorted(total, total[low] + BATCH_PAIRS, side="right")) - 1
        high = max(high, low + 1)
        yield low, high
        low = high
