"""The assets whose stored hashes come nearest to a film's frames, over a library of any size.

One stream over the shots' hashes (up to eight of a shot); memory is bounded by a chunk of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from fairframe.curation.duplicates import HASH_BYTES, Hashes, Indices
from fairframe.curation.nearest import SAMPLE, Chance, chance, closest, sharing, spread
from fairframe.curation.shots import MAX_HASHES, frame_times
from fairframe.curation.stored import from_parquet
from fairframe.curation.tables import shot
from fairframe.curation.version import SHOTS
from fairframe.library.tables import asset, ownership
from fairframe.media.looks import VIEWS, Looks
from fairframe.platform.tx import Tx

if TYPE_CHECKING:
    from fairframe.core.timecode import Rate

CHUNK = 20_000
"""Shots at a time."""
BUDGET = 1_000_000_000
"""Comparisons up to which every hash is compared with every frame of the film: 20 seconds on a slow, busy core."""
MAX_PAIRS = 4
PLAIN = VIEWS[:2]
"""Views of a film's frames: as they are shown, and mirrored."""


@dataclass(frozen=True)
class Pair:
    """Two frames that look alike: index and time in film and clip; `distance` of 256 bits; how they were compared."""

    film_frame: int
    film_ms: int
    clip_frame: int
    clip_ms: int
    distance: int
    view: str


@dataclass(frozen=True)
class Scan:
    """(asset id, least distance) of the nearest, nearest first; hashes compared; whether all were compared fully."""

    nearest: tuple[tuple[int, int], ...]
    hashes: int
    exhaustive: bool


class Sample:
    """Hashes drawn evenly from all that were seen, and whose they are."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)  # the same library gives the same sample
        self._keys = np.empty(0)
        self._hashes = np.empty((0, HASH_BYTES), np.uint8)
        self._owners = np.empty(0, np.int64)

    def add(self, hashes: Hashes, owners: Indices) -> None:
        keys = np.concatenate([self._keys, self._random.random(len(hashes))])
        kept = np.argsort(keys, kind="stable")[:SAMPLE]
        self._keys = keys[kept]
        self._hashes = np.concatenate([self._hashes, hashes])[kept]
        self._owners = np.concatenate([self._owners, owners])[kept]

    def chance(self) -> Chance:
        return chance(self._hashes, self._owners)


def film_hashes(film: Looks) -> Hashes:
    """The hashes of a film, as it is and mirrored, each once; flat frames left out. (F, 32), F may be 0."""
    return np.unique(film.bits[: len(PLAIN)][film.informative[: len(PLAIN)]], axis=0).reshape(-1, HASH_BYTES)


def scan(tx: Tx, film: Hashes, contributor_id: int, *, theirs: bool, most: int, sample: Sample) -> Scan:
    """The `most` nearest assets that a contributor brought or owns a share of, or (theirs=False) of all others."""
    owned = sa.select(ownership.c.asset_id).where(ownership.c.contributor_id == contributor_id)
    whose = (asset.c.contributor_id == contributor_id) | asset.c.id.in_(owned)
    known = (shot.c.version == SHOTS) & (shot.c.phashes != "") & (whose if theirs else ~whose)
    joined = shot.join(asset, asset.c.id == shot.c.asset_id)
    count = int(tx.scalar(sa.select(sa.func.count()).select_from(joined).where(known)))
    exhaustive = count * MAX_HASHES * len(film) <= BUDGET
    best: dict[int, int] = {}
    hashes = 0
    statement = sa.select(shot.c.asset_id, shot.c.phashes).select_from(joined).where(known).order_by(shot.c.id)
    rows = iter(tx.execute(statement.execution_options(yield_per=CHUNK)))
    for bits, owners in _chunks(rows):
        sample.add(bits, owners)
        hashes += len(bits)
        some = slice(None) if exhaustive else sharing(film, bits)
        distance, _ = closest(film, bits[some])
        best = _merged(best, owners[some], distance, most)
    return Scan(tuple(sorted(best.items(), key=lambda one: (one[1], one[0]))), hashes, exhaustive)


def pairs_measured(film: Looks, measures: bytes, fps: "Rate") -> tuple[Pair, ...]:
    """The nearest pairs of a film and an asset, from the asset's stored measures (every 8th frame of it)."""
    kept = from_parquet(measures)
    known = kept.hashes.informative
    times = frame_times(kept.frames["pts_ms"], fps)
    frames = kept.hashes.frames[known].astype(np.int64)
    return _pairs(film, PLAIN, frames, times[frames], kept.hashes.bits[known])


def pairs_looked(film: Looks, clip: Looks) -> tuple[Pair, ...]:
    """The nearest pairs of a film and a clip of which every frame was hashed, whole or as its center square."""
    found: list[Pair] = []
    for square in (False, True):
        known = clip.informative[2 * square]
        names = VIEWS[2 * square : 2 * square + 2]
        frames, times = clip.frames[known].astype(np.int64), clip.pts_ms[known]
        found += _pairs(film, names, frames, times, clip.bits[2 * square][known])
    return tuple(sorted(found, key=lambda one: one.distance)[:MAX_PAIRS])


def alike(film: Looks, clips: Hashes, upto: int) -> int:
    """Frames of a film, as they are or mirrored, that are at most `upto` bits from one of the hashes (N, 32)."""
    near = np.zeros(len(film.frames), np.bool_)
    for view in range(len(PLAIN)):
        known = film.informative[view]
        near[known] |= closest(clips, film.bits[view][known])[0] <= upto
    return int(near.sum())


def measured_hashes(measures: bytes) -> Hashes:
    """The informative hashes of an asset's stored measures."""
    kept = from_parquet(measures).hashes
    return kept.bits[kept.informative]


def _pairs(
    film: Looks, names: tuple[str, ...], frames: Indices, times: NDArray[np.int64], bits: Hashes
) -> tuple[Pair, ...]:
    """names: what a film's frame is called as it is, and mirrored, beside these hashes of a clip."""
    if not len(frames):
        return ()
    distance, view, place = _best(film, bits)
    apart = max(1, len(frames) // (2 * MAX_PAIRS))
    return tuple(
        Pair(
            film_frame=int(film.frames[place[at]]),
            film_ms=int(film.pts_ms[place[at]]),
            clip_frame=int(frames[at]),
            clip_ms=int(times[at]),
            distance=int(distance[at]),
            view=names[int(view[at])],
        )
        for at in spread(distance, MAX_PAIRS, apart)
        if distance[at] < 8 * HASH_BYTES
    )


def _best(film: Looks, bits: Hashes) -> tuple[Indices, Indices, Indices]:
    """For each hash of a clip: distance, view and place of the film's nearest frame."""
    distance = np.full(len(bits), 8 * HASH_BYTES, np.int64)
    view, place = np.zeros(len(bits), np.int64), np.zeros(len(bits), np.int64)
    for number in range(len(PLAIN)):
        known = np.flatnonzero(film.informative[number])
        found, which = closest(film.bits[number][known], bits)
        better = found < distance
        distance[better], view[better] = found[better], number
        place[better] = known[which[better]]
    return distance, view, place


def _chunks(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[Hashes, Indices]]:
    while some := list(islice(rows, CHUNK)):
        owners = np.repeat([row[0] for row in some], [row[1].count(",") + 1 for row in some])
        data = bytes.fromhex("".join(row[1].replace(",", "") for row in some))
        yield np.frombuffer(data, np.uint8).reshape(-1, HASH_BYTES), owners.astype(np.int64)


def _merged(best: dict[int, int], owners: Indices, distance: Indices, most: int) -> dict[int, int]:
    order = np.lexsort((owners, distance))
    # an asset's nearest comes first: of the rest only as many are looked at as can matter
    merged = dict(best)
    added = 0
    for place in order.tolist():
        owner, value = int(owners[place]), int(distance[place])
        if owner not in merged:
            added += 1
            merged[owner] = value
        merged[owner] = min(merged[owner], value)
        if added >= most:
            break
    return dict(sorted(merged.items(), key=lambda one: (one[1], one[0]))[:most])
