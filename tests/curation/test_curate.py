"""Curation of a real library on both databases: rows, objects, groups, resuming, broken files, replay."""

import io
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from fairframe.core.errors import Conflict, IntegrityFailure
from fairframe.core.ids import check_id
from fairframe.curation import grouping, recorded, selection
from fairframe.curation.curate import CurateReport, curate
from fairframe.curation.filters import Filters
from fairframe.curation.stored import from_parquet, to_parquet
from fairframe.curation.tables import duplicate, measure_ref, shot
from fairframe.flows.ingest import ingest
from fairframe.library.tables import asset
from fairframe.media.measure import measure
from fairframe.platform import runs
from fairframe.platform.tables import audit_entry, run
from fairframe.platform.workspace import Workspace

Stocked = Callable[..., Any]


def _rows(ws: Workspace, table: sa.Table) -> list[dict[str, Any]]:
    with ws.read() as tx:
        return [dict(row) for row in tx.rows(table.select().order_by(table.c.id))]


def _groups_by_file(ws: Workspace) -> dict[str, str]:
    with ws.read() as tx:
        shots = tx.rows(sa.select(shot, asset.c.filename).join(asset, asset.c.id == shot.c.asset_id))
        current = selection.current_groups(tx, [row["id"] for row in shots])
    return {f"{row['filename']}:{row['start_frame']}": current.get(row["id"], row["public_id"]) for row in shots}


def test_measures_survive_parquet_bit_for_bit(film_path: Path) -> None:
    measures = measure(film_path)
    data = to_parquet(measures)
    again = from_parquet(data)
    assert again.version == measures.version
    assert again.frames.tobytes() == measures.frames.tobytes()
    assert (again.hashes.frames == measures.hashes.frames).all()
    assert (again.hashes.bits == measures.hashes.bits).all()
    assert (again.hashes.informative == measures.hashes.informative).all()
    assert to_parquet(again) == data
    assert pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(1).compression == "ZSTD"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no measures at all, though long enough to be read as a footer"])
def test_other_bytes_are_no_measures(data: bytes) -> None:
    with pytest.raises(IntegrityFailure) as caught:
        from_parquet(data)
    assert caught.value.code == "measures.unreadable"


def test_a_library_is_curated_once(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder)
    seen: list[tuple[int, int, str]] = []
    report = curate(library, lambda *step: seen.append(step))
    assert (report.measured, report.shots, report.groups, report.grouped, report.refused) == (4, 8, 1, 2, [])
    assert seen[-1][0] == seen[-1][1]
    refs, shots = _rows(library, measure_ref), _rows(library, shot)
    assert all(library.objects.verify(ref["object_key"]) for ref in refs)
    assert len(refs) == 4 and len({check_id(row["public_id"], "sht") for row in shots}) == 8
    entries = _rows_of(library, "asset.curated")
    assert len(entries) == 4

    again = curate(library)
    assert (again.measured, again.shots, again.groups, again.grouped) == (0, 0, 1, 2)
    assert _rows(library, measure_ref) == refs and _rows(library, shot) == shots
    assert len(_rows(library, duplicate)) == 2
    assert _rows_of(library, "asset.curated") == entries
    assert [row["state"] for row in _rows(library, run) if row["kind"] == "curate"] == ["done", "done"]


def _rows_of(ws: Workspace, kind: str) -> list[dict[str, Any]]:
    with ws.read() as tx:
        return [dict(row) for row in tx.rows(audit_entry.select().where(audit_entry.c.kind == kind))]


def test_a_smaller_copy_is_grouped_and_another_clip_is_not(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder)
    curate(library)
    groups = _groups_by_file(library)
    assert groups["one.mp4:0"] == groups["one-small.mp4:0"]
    assert len(set(groups.values())) == len(groups) - 1
    rows = _rows(library, duplicate)
    members = {row["public_id"] for row in _rows(library, shot) if row["id"] in {r["shot_id"] for r in rows}}
    assert {row["group_id"] for row in rows} == {min(members)}


def test_one_more_file_is_all_that_the_next_run_measures(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder / "one.mp4")
    assert curate(library).groups == 0
    stock(folder)
    report = curate(library)
    assert (report.measured, report.groups) == (3, 1)


def test_shots_of_a_new_version_are_decided_without_the_files(
    library: Workspace, stock: Stocked, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(folder)
    curate(library)
    old = _rows(library, shot)
    for path in {row["content_hash"] for row in _rows(library, asset)}:
        library.objects.delete(path)
    for module in (recorded, grouping, selection):
        monkeypatch.setattr(module, "SHOTS", "shots-2")
    report = curate(library)
    assert (report.measured, report.redecided, report.shots, report.refused) == (0, 4, len(old), [])
    new = [row for row in _rows(library, shot) if row["version"] == "shots-2"]
    same = ("asset_id", "start_frame", "end_frame", "start_ms", "end_ms", "motion_milli", "sharpness_milli", "phashes")
    assert sorted([row[k] for k in same] for row in new) == sorted([row[k] for k in same] for row in old)
    assert report.groups == 1


def test_a_broken_file_is_a_finding_and_the_batch_goes_on(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder)
    broken = next(row for row in _rows(library, asset) if row["filename"] == "two.mp4")
    path = library.objects.path(broken["content_hash"])
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(data[: len(data) // 2])
    report = curate(library)
    assert report.measured == 3
    (finding,) = report.refused
    assert finding.asset == broken["public_id"] and finding.code.startswith("media.")
    assert "two.mp4" in finding.message and str(library.root) not in finding.message
    path.write_bytes(data)
    assert curate(library).measured == 1


def test_a_lost_or_changed_measures_object_is_a_finding(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder / "one.mp4")
    with library.write() as tx:
        key = library.objects.put_bytes(b"not measures")
        (row,) = tx.rows(asset.select())
        tx.insert(measure_ref, asset_id=row["id"], version="measures-1", object_key=key, frames=40)
    (finding,) = curate(library).refused
    assert (finding.code, finding.filename) == ("measures.unreadable", "one.mp4")
    library.objects.delete(key)
    assert curate(library).refused[0].code == "objects.missing"


def test_a_group_that_falls_apart_leaves_its_members_alone(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder)
    curate(library)
    with runs.running(library, "curate", {}) as job, library.write() as tx:
        assert grouping.append(tx, job, []) == 1  # the other one gave the group its name
        assert grouping.append(tx, job, []) == 0
    groups = _groups_by_file(library)
    assert len(set(groups.values())) == len(groups)
    assert curate(library).groups == 1
    assert len(set(_groups_by_file(library).values())) == len(groups) - 1


def test_two_runs_at_once_do_not_write_twice(library: Workspace, stock: Stocked, folder: Path) -> None:
    stock(folder)
    with ThreadPoolExecutor(2) as pool:
        reports = [one.result() for one in [pool.submit(curate, library) for _ in range(2)]]
    assert sum(report.shots for report in reports) == len(_rows(library, shot)) == 8
    assert len(_rows(library, measure_ref)) == len(_rows_of(library, "asset.curated")) == 4
    assert all(report.groups == 1 and not report.refused for report in reports)


def test_only_a_library_curates(lab: Workspace) -> None:
    with pytest.raises(Conflict):
        curate(lab)


@pytest.mark.footage
@pytest.mark.skipif("FAIRFRAME_FOOTAGE" not in os.environ, reason="needs FAIRFRAME_FOOTAGE")
def test_real_footage(library: Workspace, tmp_path: Path) -> None:
    """One near-duplicate pair, three clips with cuts, all others one shot each."""
    footage = Path(os.environ["FAIRFRAME_FOOTAGE"])
    names = ("uuid540.mp4", "xmp480qt.mov", "MVI_4823.AVI", "milk.mkv", "thanks.mkv", "roadtrip-vp92-10bit.webm")
    taken = tmp_path / "taken"
    taken.mkdir()
    for path in sorted(footage.rglob("*")):
        if path.name in names:
            shutil.copy(path, taken / path.name)
    ingest(library, taken, contributor="Ana Rivera")
    report: CurateReport = curate(library)
    groups = _groups_by_file(library)
    assert (report.measured, report.groups, report.grouped) == (6, 1, 2)
    assert groups["uuid540.mp4:0"] == groups["xmp480qt.mov:0"]
    assert {key for key in groups if key.startswith("roadtrip")} == {f"roadtrip-vp92-10bit.webm:{at}" for at in (0, 42)}
    with library.read() as tx:
        found = selection.select(tx, range(100), Filters(one_per_group=True))
    assert (len(found.kept), found.dropped["near_duplicate"]) == (6, 1)
