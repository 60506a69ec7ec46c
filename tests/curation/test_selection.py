"""Selection over stored shots, on both databases."""

from typing import Any

import pytest

from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.curation.filters import Filters
from fairframe.curation.selection import BATCH, Cap, Selection, current_groups, select
from fairframe.curation.tables import duplicate, shot
from fairframe.curation.version import SHOTS
from fairframe.library.tables import asset, contributor
from fairframe.platform import runs
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace


def _asset(tx: WriteTx, number: int, owner: int, **changes: Any) -> int:
    values: dict[str, Any] = {
        "public_id": f"ast_{number:026d}",
        "contributor_id": owner,
        "filename": f"{number}.mp4",
        "kind": "video",
        "quantity": 4000,
        "unit": "ms",
        "title": f"Film {number}",
        "description": "",
        "keywords": ["Dog", "sea"] if number % 2 else ["cat"],
        "source": "",
        "source_license": "",
        "extra": {},
        "content_hash": f"{number:064x}",
        "size_bytes": 1,
        "container": "mp4",
        "codec": "h264",
        "width": 640,
        "height": 360,
        "fps_num": 24,
        "fps_den": 1,
        "vfr": False,
        "frames": 96,
        "duration_ms": 4000,
        "bit_depth": 8,
        "audio": False,
        "probe": {},
    }
    return tx.insert(asset, **(values | changes))


def _shot(tx: WriteTx, number: int, asset_id: int, start: int, version: str = SHOTS, **changes: Any) -> int:
    values: dict[str, Any] = {
        "public_id": new_id("sht"),
        "asset_id": asset_id,
        "version": version,
        "start_frame": start,
        "end_frame": start + 48,
        "start_ms": start * 125 // 3,
        "end_ms": (start + 48) * 125 // 3,
        "motion_milli": 100,
        "sharpness_milli": 100_000,
        "luma_milli": 400,
        "black_milli": 0,
        "frozen_milli": 0,
        "phashes": "",
    }
    return tx.insert(shot, **(values | changes))


def test_clips_are_capped_and_held_ones_count_once(library: Workspace, ids: list[int]) -> None:
    everything = _select(library, ids)
    for clips in (0, 1, 7, 24, 99):
        assert len(_select(library, ids, cap=Cap(clips=clips)).kept) == min(clips, 24)
    assert _length(_select(library, ids, cap=Cap(ms=5000, clips=9))) == 4000, "both bounds hold"
    held = frozenset(one.shot_id for one in everything.kept[20:])
    again = _select(library, ids, cap=Cap(clips=2, held=held))
    assert len(again.kept) == 6 and held <= {one.shot_id for one in again.kept}
    assert again.dropped["over_cap"] == 18


@pytest.fixture
def ids(library: Workspace) -> list[int]:
    """Twelve assets of three contributors with two shots each; a thirteenth has none of this version."""
    with library.write() as tx:
        owners = [tx.insert(contributor, public_id=f"ctr_{n:026d}", name=f"Owner {n}") for n in range(3)]
        made = [_asset(tx, n, owners[n % 3]) for n in range(13)]
        for number, asset_id in enumerate(made):
            for start in (0, 48):
                _shot(tx, number, asset_id, start, SHOTS if number < 12 else "shots-0")
        return made


def _length(found: Selection) -> int:
    return sum(kept.end_ms - kept.start_ms for kept in found.kept)


def _select(ws: Workspace, ids: Any, filters: Filters | None = None, **options: Any) -> Selection:
    with ws.read() as tx:
        return select(tx, ids, filters or Filters(), **options)


def test_everything_passes_no_filter_and_is_in_order(library: Workspace, ids: list[int]) -> None:
    found = _select(library, ids)
    assert [(kept.asset_id, kept.start) for kept in found.kept] == [(one, at) for one in ids[:12] for at in (0, 48)]
    assert found.dropped == {"not_curated": 1}
    assert _length(found) == 24 * 2000
    one = found.kept[0]
    assert (one.end, one.start_ms, one.end_ms, one.caption) == (48, 0, 2000, "Film 0, cat")
    with library.read() as tx:
        first = tx.row(shot.select().where(shot.c.asset_id == ids[0], shot.c.start_frame == 0))
    assert first is not None
    assert one.group == one.shot == first["public_id"]
    assert _select(library, reversed(ids)) == found


def test_the_funnel_counts_shots_by_reason(library: Workspace, ids: list[int]) -> None:
    found = _select(library, ids, Filters(include=("dog",), max_contributor_milli=300), cap=Cap(9000))
    assert found.dropped == {"keyword_missing": 12, "contributor_share": 3, "not_curated": 1, "over_cap": 5}
    assert len(found.kept) + 12 + 3 + 5 == 24


def test_the_cap_is_never_passed(library: Workspace, ids: list[int]) -> None:
    for cap_ms in (0, 1999, 2000, 7000, 48_000):
        found = _select(library, ids, cap=Cap(cap_ms))
        assert _length(found) <= cap_ms
        assert len(found.kept) == cap_ms // 2000
    with pytest.raises(InputError):
        _select(library, ids, cap=Cap(-1))


def test_assets_that_were_not_asked_for_stay_out(library: Workspace, ids: list[int]) -> None:
    assert {kept.asset_id for kept in _select(library, ids[3:5]).kept} == set(ids[3:5])
    assert _select(library, []) == Selection([], {})


def test_more_assets_than_one_statement_takes(library: Workspace, ids: list[int]) -> None:
    found = _select(library, range(-2 * BATCH, 2 * BATCH))
    assert len(found.kept) == 24


def test_the_newest_group_of_a_shot_counts(library: Workspace, ids: list[int]) -> None:
    shots = [kept.shot_id for kept in _select(library, ids).kept]
    with runs.running(library, "curate", {}) as run, library.write() as tx:
        rows = [(shots[0], "sht_a"), (shots[6], "sht_a"), (shots[0], "sht_b"), (shots[8], "sht_b")]
        tx.insert_many(duplicate, [{"shot_id": s, "group_id": g, "distance": 2, "run_id": run.id} for s, g in rows])
    with library.read() as tx:
        assert current_groups(tx, shots) == {shots[0]: "sht_b", shots[6]: "sht_a", shots[8]: "sht_b"}
    found = _select(library, ids, Filters(one_per_group=True))
    assert found.dropped["near_duplicate"] == 1
    assert [kept.group for kept in found.kept].count("sht_b") == 1


def test_the_split_keeps_groups_and_assets_whole(library: Workspace, ids: list[int]) -> None:
    shots = [kept.shot_id for kept in _select(library, ids).kept]
    with runs.running(library, "curate", {}) as run, library.write() as tx:
        for first, second in ((0, 7), (3, 20)):
            for one in (shots[first], shots[second]):
                tx.insert(duplicate, shot_id=one, group_id=f"sht_{first}", distance=2, run_id=run.id)
    kept = _select(library, ids).kept
    assert {one.split for one in kept} == {"train", "heldout"}
    for name in ("asset_id", "group"):
        values = {(getattr(one, name), one.split) for one in kept}
        assert len(values) == len({value for value, _ in values})
