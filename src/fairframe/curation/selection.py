"""Which shots of a set of assets become clips: filters, near-duplicates, the agreement's hours, train or held out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.curation import filters as rules
from fairframe.curation import split as splitting
from fairframe.curation.captions import caption
from fairframe.curation.filters import Candidate, Filters
from fairframe.curation.filters.words import words
from fairframe.curation.tables import duplicate, shot
from fairframe.curation.version import SHOTS
from fairframe.library.tables import asset
from fairframe.platform.tx import Row, Tx

BATCH = 500
ASSET_COLUMNS = ("public_id", "contributor_id", "content_hash", "width", "height", "title", "description", "keywords")


@dataclass(frozen=True)
class SelectedShot:
    """A shot that stays. `start`, `end` in frames and `start_ms`, `end_ms`, half-open; `group`: near-duplicates."""

    shot_id: int
    asset_id: int
    start: int
    end: int
    start_ms: int
    end_ms: int
    group: str
    shot: str
    caption: str
    split: splitting.Part


@dataclass(frozen=True)
class Selection:
    """`dropped` counts shots by reason code; "not_curated" counts assets that have no shots of this version."""

    kept: list[SelectedShot]
    dropped: dict[str, int]


@dataclass(frozen=True)
class Cap:
    """What the agreement's terms allow: milliseconds and clips, None without a bound.

    `held`: ids of shots that are paid for already, because an earlier release of the agreement holds them. They take
    up nothing again; `ms` and `clips` are then what is left beside them.
    """

    ms: int | None = None
    clips: int | None = None
    held: frozenset[int] = frozenset()


def select(tx: Tx, asset_ids: Iterable[int], filters: Filters, *, cap: Cap | None = None) -> Selection:
    """Decide over all shots of the assets; the same data, filters and cap give the same answer.

    Above the cap shots fall out as "over_cap", in the order of asset id and first frame (asset ids are random, so this
    favors nobody). Raises InputError on a cap below zero.
    """
    cap = cap or Cap()
    if min(cap.ms or 0, cap.clips or 0) < 0:
        raise InputError(
            f"a cap of {cap.ms} ms or {cap.clips} clips is below zero", code="input.bad_cap", remedy="Give 0 or more."
        )
    wanted = sorted(set(asset_ids))
    rows = [row for ids in _batches(wanted) for row in _rows(tx, ids)]
    groups = {k: v for ids in _batches([int(row["id"]) for row in rows]) for k, v in current_groups(tx, ids).items()}
    found = [_candidate(row, groups) for row in rows]
    filtered = rules.apply(filters, found)
    kept, over = _capped(filtered.kept, cap)
    dropped = Counter(filtered.dropped.values())
    dropped["over_cap"] = over
    dropped["not_curated"] = len(wanted) - len({candidate.asset_id for candidate in found})
    return Selection(_selected(kept, rows), {code: n for code, n in sorted(dropped.items()) if n})


def current_groups(tx: Tx, shot_ids: Sequence[int]) -> dict[int, str]:
    """The group of each shot that has one: its newest row counts, for groups only grow by appending."""
    newest = (
        sa.select(sa.func.max(duplicate.c.id)).where(duplicate.c.shot_id.in_(shot_ids)).group_by(duplicate.c.shot_id)
    )
    query = sa.select(duplicate.c.shot_id, duplicate.c.group_id).where(duplicate.c.id.in_(newest))
    return {int(row["shot_id"]): str(row["group_id"]) for row in tx.rows(query)}


def _rows(tx: Tx, asset_ids: Sequence[int]) -> Sequence[Row]:
    columns = [asset.c[name].label(f"asset_{name}") for name in ASSET_COLUMNS]
    query = (
        sa.select(shot, *columns)
        .join(asset, asset.c.id == shot.c.asset_id)
        .where(shot.c.asset_id.in_(asset_ids), shot.c.version == SHOTS)
    )
    return tx.rows(query)


def _candidate(row: Row, groups: dict[int, str]) -> Candidate:
    return Candidate(
        shot_id=row["id"],
        shot=row["public_id"],
        asset_id=row["asset_id"],
        asset=row["asset_public_id"],
        contributor_id=row["asset_contributor_id"],
        start=row["start_frame"],
        end=row["end_frame"],
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        width=row["asset_width"],
        height=row["asset_height"],
        motion_milli=row["motion_milli"],
        sharpness_milli=row["sharpness_milli"],
        luma_milli=row["luma_milli"],
        black_milli=row["black_milli"],
        frozen_milli=row["frozen_milli"],
        words=words(row["asset_keywords"]),
        group=groups.get(int(row["id"]), str(row["public_id"])),
    )


def _capped(shots: Sequence[Candidate], cap: Cap) -> tuple[list[Candidate], int]:
    """What fits, in order; a shot that does not fit is passed over, a shorter one after it may still fit."""
    if cap.ms is None and cap.clips is None:
        return list(shots), 0
    kept: list[Candidate] = []
    left_ms, left = cap.ms, cap.clips
    for candidate in shots:
        if candidate.shot_id in cap.held:
            kept.append(candidate)
        elif (left_ms is None or candidate.duration_ms <= left_ms) and left != 0:
            kept.append(candidate)
            left_ms = None if left_ms is None else left_ms - candidate.duration_ms
            left = None if left is None else left - 1
    return kept, len(shots) - len(kept)


def _selected(kept: Sequence[Candidate], rows: Sequence[Row]) -> list[SelectedShot]:
    by_id = {row["id"]: row for row in rows}
    members = [
        splitting.Member(
            shot=one.shot,
            asset=one.asset,
            group=one.group,
            name=f"{by_id[one.shot_id]['asset_content_hash']} {one.start:09d}",
            duration_ms=one.duration_ms,
        )
        for one in kept
    ]
    parts = splitting.split(members)
    return [_made(one, by_id[one.shot_id], parts[one.shot]) for one in kept]


def _made(one: Candidate, row: Row, part: splitting.Part) -> SelectedShot:
    text = caption(row["asset_title"], row["asset_description"], row["asset_keywords"])
    return SelectedShot(
        one.shot_id, one.asset_id, one.start, one.end, one.start_ms, one.end_ms, one.group, one.shot, text, part
    )


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    # databases limit the parameters of one statement; itertools.batched is not in 3.11
    return (ids[i : i + BATCH] for i in range(0, len(ids), BATCH))
