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
from fairframe.media.sandbox import Limits, MediaWorker
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace

PIXELS_PER_SECOND = 20_000_000
"""What the slowest decoder is taken to manage; a film that needs more than the usual seconds gets them."""
WALL_SHARE = 5
"""Wall seconds per processor second: a busy machine gives a process a part of its time."""


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
    count = max(1, ws.settings.workers)
    with _workers(ws, count) as workers, _threads(count) as pool:
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
        if error.code.startswith("missing_extra"):
            raise MissingExtra(error.message, code=error.code, remedy=error.remedy) from error
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
        with MediaWorker(_limits(ws, needed)) as patient:
            return sandboxed.measure(patient, path, target)


@contextmanager
def _workers(ws: Workspace, count: int) -> Generator["SimpleQueue[MediaWorker]"]:
    made = [MediaWorker(_limits(ws, ws.settings.media_seconds)) for _ in range(count)]
    free: SimpleQueue[MediaWorker] = SimpleQueue()
    for worker in made:
        free.put(worker)
    try:
        yield free
    finally:
        for worker in made:
            worker.close()


@contextmanager
def _threads(count: int) -> Generator[ThreadPoolExecutor]:
    """Threads that only wait for children. On failure nothing new is begun."""
    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="measure")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _limits(ws: Workspace, seconds: int) -> Limits:
    return Limits(wall_s=WALL_SHARE * seconds, cpu_s=seconds, memory_bytes=ws.settings.media_memory_bytes)
