"""The children that open media from other people, all with the limits that the settings give."""

from collections.abc import Generator
from contextlib import contextmanager
from queue import SimpleQueue

from fairframe.media.sandbox import Limits, MediaWorker
from fairframe.platform.settings import Settings

WALL_SHARE = 5
"""Wall seconds per processor second: a busy machine gives a process a part of its time."""


def make_worker(settings: Settings, *, cpu_s: int | None = None) -> MediaWorker:
    """One child. cpu_s: processor seconds for each request, where a file needs more than `media_seconds`."""
    seconds = settings.media_seconds if cpu_s is None else cpu_s
    return MediaWorker(
        Limits(wall_s=WALL_SHARE * seconds, cpu_s=seconds, memory_bytes=settings.media_memory_bytes),
    )


@contextmanager
def worker_pool(settings: Settings) -> Generator["SimpleQueue[MediaWorker]"]:
    """`settings.workers` children for as many threads: each takes one and puts it back. All are ended in any case."""
    made = [make_worker(settings) for _ in range(settings.workers)]
    free: SimpleQueue[MediaWorker] = SimpleQueue()
    for worker in made:
        free.put(worker)
    try:
        yield free
    finally:
        for worker in made:
            worker.close()
