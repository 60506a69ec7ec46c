"""Jobs as rows: kind, arguments, state, lease, heartbeat, progress, result. The command line runs them inline."""

import fcntl
import hashlib
import os
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import sqlalchemy as sa

from fairframe.core.errors import Conflict, FairframeError
from fairframe.core.ids import new_id
from fairframe.platform.tables import run as run_table
from fairframe.platform.workspace import Workspace

LEASE_MS = 60_000
Progress = Callable[[int, int, str], None]


def silent(_done: int, _total: int, _note: str) -> None:
    """Progress that nobody looks at."""


@dataclass
class Run:
    """A job in progress. `progress` renews its lease at most once a second."""

    ws: Workspace
    id: int
    public_id: str
    show: Progress
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    _last_ms: int = 0

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.show(done, total, note)
        now = self.ws.clock()
        if now - self._last_ms < 1000:
            return
        self._last_ms = now
        self._update(heartbeat_ms=now, lease_until_ms=now + LEASE_MS, done=done, total=total, note=note[:200])

    def _update(self, **values: Any) -> None:
        with self.ws.write() as tx:
            tx.execute(run_table.update().where(run_table.c.id == self.id).values(**values))


@contextmanager
def running(ws: Workspace, kind: str, arguments: Mapping[str, Any], show: Progress = silent) -> Generator[Run]:
    """Run a job inline: its row is written first, and says in the end whether it is done or failed.

    A run of the same kind that told no progress for a minute is marked failed: its process died, or its own end will
    say otherwise. Its finished items stay, and what it left unfinished among the objects is swept.
    """
    now = ws.clock()
    ws.objects.sweep()
    with ws.write() as tx:
        tx.execute(
            run_table.update()
            .where(run_table.c.kind == kind, run_table.c.state == "running", run_table.c.lease_until_ms < now)
            .values(state="failed", error="its process ended without a word", finished_at_ms=now)
        )
        public_id = new_id("run")
        run_id = tx.insert(
            run_table,
            public_id=public_id,
            kind=kind,
            arguments=dict(arguments),
            state="running",
            owner=_owner(),
            lease_until_ms=now + LEASE_MS,
            heartbeat_ms=now,
            done=0,
            total=0,
            note="",
            created_at_ms=now,
        )
    run = Run(ws, run_id, public_id, show)
    try:
        yield run
    except BaseException as error:
        text = str(error) if isinstance(error, FairframeError) else type(error).__name__
        run._update(state="failed", error=text[:500], finished_at_ms=ws.clock())  # pyright: ignore[reportPrivateUsage]
        raise
    run._update(state="done", result=run.result, finished_at_ms=ws.clock())  # pyright: ignore[reportPrivateUsage]


@contextmanager
def alone(ws: Workspace, kind: str, name: str) -> Generator[None]:
    """Hold `name` for the runs of one kind, where two at once would write the same files.

    It is a lock of the operating system: it ends with its process, however that ends, so what was killed goes on at
    once. Raises Conflict (run.live) that names the run and the process that hold it.
    """
    folder = ws.root / "locks"
    folder.mkdir(exist_ok=True)
    # the file stays: another process may have opened it already
    with (folder / hashlib.sha256(f"{kind} {name}".encode()).hexdigest()).open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _live(ws, kind, name, stream) from None
        stream.truncate(0)
        stream.write(_owner())
        stream.flush()
        yield


def _live(ws: Workspace, kind: str, name: str, stream: IO[str]) -> Conflict:
    stream.seek(0)
    owner = stream.read(300)
    its = (run_table.c.kind == kind) & (run_table.c.state == "running") & (run_table.c.owner == owner)
    with ws.read() as tx:
        found = tx.scalar(sa.select(run_table.c.public_id).where(its).order_by(run_table.c.id.desc()).limit(1))
    return Conflict(
        f"{kind} {name} runs already" + (f" as {found}" if found else "") + f", in the process {owner}",
        code="run.live",
        remedy="Wait until it has ended; or end that process and call it again: it goes on from what was saved.",
    )


def _owner() -> str:
    """Host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"
