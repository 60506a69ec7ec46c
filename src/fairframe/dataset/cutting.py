"""Cutting clips: exact frames of the source, re-encoded without sound or metadata, each in the media sandbox."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.errors import FairframeError, IntegrityFailure, MissingExtra
from fairframe.core.item_line import Item, read_line
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.curation.selection import SelectedShot
from fairframe.dataset.tables import dataset_release, item
from fairframe.library.tables import asset
from fairframe.media import sandboxed
from fairframe.media.sandbox import MediaWorker
from fairframe.media.workers import worker_pool
from fairframe.platform.runs import Run
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace

CLIP_VERSION = "clip-1"
"""How clips are encoded (media.encode.cut). A change raises it; clips of another version are cut again."""
BATCH = 500


@dataclass(frozen=True)
class Cut:
    """A clip in the object store. `fps` is the source's rate.

    A source of variable rate keeps its own times; then `fps` is the mean over the clip.
    """

    bytes_hash: str
    size_bytes: int
    frames: int
    fps: Rate
    duration_ms: int


@dataclass(frozen=True)
class Uncut:
    """A shot that could not be cut, and why."""

    shot: SelectedShot
    code: str
    message: str


def cut_all(ws: Workspace, run: Run, shots: Sequence[SelectedShot], assets: dict[int, Row]) -> dict[int, Cut | Uncut]:
    """Cut every shot into an object, `settings.workers` at a time; by shot id. Clips cut before are taken again.

    A damaged source costs its own shots only.
    """
    with ws.read() as tx:
        done: dict[int, Cut | Uncut] = {**_cut_before(tx, shots)}
    done = {shot: cut for shot, cut in done.items() if isinstance(cut, Cut) and ws.objects.exists(cut.bytes_hash)}
    rest = [shot for shot in shots if shot.shot_id not in done]
    run.progress(len(done), len(shots), "cutting clips")
    with worker_pool(ws.settings) as workers, ThreadPoolExecutor(max_workers=ws.settings.workers) as pool:

        def work(shot: SelectedShot) -> tuple[int, Cut | Uncut]:
            worker = workers.get()
            try:
                return shot.shot_id, _cut(ws, worker, shot, assets[shot.asset_id])
            except MissingExtra:  # no file is at fault
                raise
            except FairframeError as error:
                return shot.shot_id, Uncut(shot, error.code, str(error))
            finally:
                workers.put(worker)

        for shot_id, found in pool.map(work, rest):
            done[shot_id] = found
            run.progress(len(done), len(shots), "cutting clips")
    return done


def _cut(ws: Workspace, worker: MediaWorker, shot: SelectedShot, source: Row) -> Cut:
    fps = Rate(source["fps_num"], source["fps_den"])
    with tempfile.TemporaryDirectory(prefix="fairframe-cut-") as folder:
        target = Path(folder) / "clip.mp4"
        original = ws.objects.path(source["content_hash"])
        span = FrameSpan(shot.start, shot.end)
        made = sandboxed.cut(worker, original, target, span, fps=None if source["vfr"] else fps)
        if made.frames != span.frames:
            raise IntegrityFailure(f"the cut has {made.frames} frames instead of {span.frames}", code="cut.frames")
        size = target.stat().st_size
        key = ws.objects.put_file(target)
    duration_ms = max(1, made.duration_ms)
    mean = Rate(made.frames * 1000, duration_ms)
    return Cut(key, size, made.frames, mean if source["vfr"] else fps, duration_ms)


def _cut_before(tx: Tx, shots: Sequence[SelectedShot]) -> dict[int, Cut]:
    """Clips of earlier releases over the same frames of the same bytes: what was encoded once stays as it is."""
    wanted = {(shot.asset_id, shot.start, shot.end): shot.shot_id for shot in shots}
    ids = sorted({shot.asset_id for shot in shots})
    found: dict[int, Cut] = {}
    for at in range(0, len(ids), BATCH):
        statement = (
            sa.select(item.c.asset_id, item.c.line, dataset_release.c.recipe)
            .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
            .join(asset, (asset.c.id == item.c.asset_id) & (asset.c.content_hash == item.c.content_hash))
            .where(item.c.asset_id.in_(ids[at : at + BATCH]))
        )
        for row in tx.rows(statement):
            line = read_line(row["line"].encode())
            shot_id = wanted.get((row["asset_id"], line.start, line.end))
            if shot_id is not None and row["recipe"]["versions"]["clip"] == CLIP_VERSION:
                found[shot_id] = _from_item(line)
    return found


def _from_item(line: Item) -> Cut:
    return Cut(line.bytes_hash, line.size_bytes, line.frames, line.fps, line.duration_ms)
