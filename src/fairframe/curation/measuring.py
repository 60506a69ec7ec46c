"""Files measured several at a time, each in a limited child process of its own."""

import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from fairframe.core.errors import FairframeError, MissingExtra
from fairframe.core.timecode import Rate
from fairframe.curation.shots import Shot, decide
from fairframe.curation.stored import to_parquet
from fairframe.media import sandboxed
from fairframe.media.measure import Measures
from fairframe.media.sandbox import MediaWorker
from fairframe.media.workers import make_worker, worker_pool
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace

PIXELS_PER_SECOND = 20_000_000
"""What the slowest decoder is taken to manage; a film that needs more than the usual seconds gets them."""


@dataclass(frozen=True)
class Measured:
    """An asset's measures in the object store and the shots decided from them."""

    source: Row
    key: str
    frames: int
    shots: list[Shot]


@dataclass(frozen=True)
class Unmeasured:
    """An asset that could not be measured, and why."""

    source: Row
    error: FairframeError


def measure_all(ws: Workspace, sources: Iterable[Row]) -> Iterator[Measured | Unmeasured]:
    """Measure every source, `settings.workers` at a time, and yield in order as they get done.

    The objects are stored; the rows are the caller's. A file that breaks its child costs that file only.
    Raises MissingExtra where the decoder is not installed.
    """
    count = ws.settings.workers
    with worker_pool(ws.settings) as workers, _threads(count) as pool:
        waiting: deque[Future[Measured | Unmeasured]] = deque()
        for source in sources:
            waiting.append(pool.submit(_measure, ws, workers, source))
            # a library has millions of files: only a few are ever in line
            if len(waiting) > 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _measure(ws: Workspace, workers: "SimpleQueue[MediaWorker]", source: Row) -> Measured | Unmeasured:
    worker = workers.get()
    try:
        measures = _run(ws, worker, source)
        shots = decide(measures, Rate(source["fps_num"], source["fps_den"]))
        return Measured(source, ws.objects.put_bytes(to_parquet(measures)), len(measures.frames), shots)
    except MissingExtra:
        raise
    except FairframeError as error:
        return Unmeasured(source, error)
    finally:
        workers.put(worker)


def _run(ws: Workspace, worker: MediaWorker, source: Row) -> Measures:
    path = ws.objects.path(source["content_hash"])
    needed = source["frames"] * source["width"] * source["height"] // PIXELS_PER_SECOND
    with tempfile.TemporaryDirectory(prefix="fairframe-measure-") as folder:
        target = Path(folder) / "measures.npz"
        if needed <= ws.settings.media_seconds:
            return sandboxed.measure(worker, path, target)
        with make_worker(ws.settings, cpu_s=needed) as patient:
            return sandboxed.measure(patient, path, target)


@contextmanager
def _threads(count: int) -> Generator[ThreadPoolExecutor]:
    """Threads that only wait for children. On failure nothing new is begun."""
    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="measure")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
