"""Near-duplicates at a million hashes: recall of the band sort against planted copies, and its time against a sort.

    python bench/duplicates.py [HASHES]

A copy differs in 0 to 7 bits from its source. `value` is the recall on all planted copies (ground truth by
construction; ok only where all are found, and nothing else), `against` the recall of comparing neighbors in the same
sorted bands only. The table says what one pass over all bands costs beside bare sorts of the same bands.
"""

import sys
import time

import numpy as np
from _line import claim

from fairframe.curation import duplicates

COPIES = 0.02
FLIPS = 8


def planted(count: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(hashes, sources, copies, flipped bits): the last 2 % are copies of others, with 0 to 7 bits flipped."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 256, (count, 32), np.uint8)
    # what a library looks like: one frame in ten shares a plain region with others, so some bands come often
    plain = rng.random(count) < 0.1
    hashes[plain, :: duplicates.BANDS] = rng.integers(0, 3, (int(plain.sum()), 4), np.uint8)
    copies = np.arange(count - int(count * COPIES), count)
    sources = rng.integers(0, copies[0], len(copies))
    flips = np.arange(len(copies)) % FLIPS
    bits = np.argsort(rng.random((len(copies), 256)), axis=1)
    mask = np.zeros((len(copies), 256), np.uint8)
    np.put_along_axis(mask, bits, np.arange(256)[None] < flips[:, None], axis=1)
    hashes[copies] = hashes[sources] ^ np.packbits(mask, axis=1)
    return hashes, sources, copies, flips


def band_of(hashes: np.ndarray, band: int) -> np.ndarray:
    return np.ascontiguousarray(hashes[:, band :: duplicates.BANDS]).view(np.uint32)[:, 0]


def adjacent_recall(hashes: np.ndarray, sources: np.ndarray, copies: np.ndarray) -> float:
    """What comparing only neighbors in each sorted band would find of the planted copies."""
    found = np.zeros(len(copies), bool)
    for band in range(duplicates.BANDS):
        order = np.argsort(
            np.ascontiguousarray(hashes[:, band :: duplicates.BANDS]).view(np.uint32)[:, 0], kind="stable"
        )
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        found |= np.abs(place[sources] - place[copies]) == 1
    return float(found.mean())


def main(count: int) -> None:
    hashes, sources, copies, flips = planted(count)
    begin = time.process_time()
    for band in range(duplicates.BANDS):
        np.argsort(band_of(hashes, band), kind="stable")
    bare_s = time.process_time() - begin
    begin = time.process_time()
    pairs = duplicates.near(hashes, max_distance=FLIPS - 1)
    took_s = time.process_time() - begin
    labels = duplicates.components(count, pairs.left, pairs.right)
    found = labels[sources] == labels[copies]
    wrong = len(set(labels[labels != np.arange(count)].tolist()) - set(labels[sources].tolist()))
    recall = float(found.mean())
    print(f"{'flipped bits':>14} {'copies':>8} {'recall':>8}", file=sys.stderr)
    for bits in range(FLIPS):
        print(f"{bits:>14} {int((flips == bits).sum()):>8} {found[flips == bits].mean():>8.4f}", file=sys.stderr)
    print(f"groups without a planted copy: {wrong}; {took_s:.2f} s, bare sorts {bare_s:.2f} s", file=sys.stderr)
    adjacent = adjacent_recall(hashes, sources, copies)
    unit, ok = f"recall at {count} hashes", recall == 1.0 and wrong == 0
    claim("duplicates", round(recall, 6), unit, round(adjacent, 6), round(recall / adjacent, 4), 1.0, ok)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
