"""Media from other people is opened in a child process with limits on time, memory, files and what it may answer.

The child cannot hurt the parent by crashing, hanging or swelling, and what comes back is checked JSON, never
pickled objects. It runs as the same user: this holds off broken files and parser bugs that crash, not an attacker
who has taken over a decoder; run it in a container for that.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import fairframe
from fairframe.core.canonical import Json, parse
from fairframe.core.errors import FairframeError, MediaError, MissingExtra

CODE = re.compile(r"[a-z_]{1,30}(\.[a-z_]{1,30})?")
LONGER = "Split or shorten it, or allow more with FAIRFRAME_MEDIA_SECONDS"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Environment variables that a child gets; no others, so that no database address or key is within its reach."""


@dataclass(frozen=True)
class Limits:
    """For one request: wall and processor seconds, address space, largest file written, longest answer.

    The processor's seconds are what a file may cost; the wall clock is wide, for machines with much else to do.
    """

    wall_s: int = 600
    cpu_s: int = 120
    memory_bytes: int = 3 * 1024**3
    file_bytes: int = 4 * 1024**3
    output_bytes: int = 8 * 1024**2


class MediaWorker:
    """A child that is started on demand, serves request after request, and is replaced after a failure.

    Use as a context manager. Not for several threads at once: give each its own.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._request = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child, if one is running."""
        return self._child.pid if self._child is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, function: str, path: Path, **arguments: Json) -> Json:
        """Run one of worker.FUNCTIONS on `path`.

        Raises MediaError with the child's code (media...), or media.timeout, media.memory, media.crashed,
        media.bad_answer when the child itself failed.
        """
        self._request += 1
        path = Path(path).absolute()
        request = {"id": self._request, "function": function, "arguments": {"path": str(path), **arguments}}
        line, timed_out = self._exchange(json.dumps(request).encode() + b"\n")
        if not line.endswith(b"\n") or timed_out:
            raise self._failed(path, len(line), timed_out)
        return self._result(path, line)

    def close(self) -> None:
        """End the child and whatever it started."""
        child, self._child = self._child, None
        if child is None:
            return
        _kill(child)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)

    def _exchange(self, line: bytes) -> tuple[bytes, bool]:
        child = self._running()
        stdin, stdout = child.stdin, child.stdout
        assert stdin is not None and stdout is not None
        end = _End(child)
        timer = threading.Timer(self.limits.wall_s, end.expire)
        timer.daemon = True
        timer.start()
        try:
            stdin.write(line)
            stdin.flush()
            answer = stdout.readline(self.limits.output_bytes + 1)
            return answer, end.answered()
        except BrokenPipeError:
            return b"", end.answered()
        except BaseException:
            # interrupted between question and answer: the next answer would be the wrong one
            self.close()
            raise
        finally:
            timer.cancel()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "fairframe.media.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )
        self._child = child
        assert child.stdin is not None
        limits = self.limits
        first = {"cpu_s": limits.cpu_s, "memory_bytes": limits.memory_bytes, "file_bytes": limits.file_bytes}
        child.stdin.write(json.dumps(first).encode() + b"\n")
        return child

    def _result(self, path: Path, line: bytes) -> Json:
        try:
            reply = parse(line, max_bytes=self.limits.output_bytes)
        except FairframeError as error:
            self.close()
            raise _error(path, "media.bad_answer", "the file made its reader answer nonsense") from error
        if not isinstance(reply, dict) or reply.get("id") != self._request:
            self.close()
            raise _error(path, "media.bad_answer", "the file made its reader answer nonsense")
        problem = reply.get("error")
        if not isinstance(problem, dict):
            return reply.get("result")
        code, message = str(problem.get("code")), str(problem.get("message"))[:500]
        code = code if CODE.fullmatch(code) else "media.unreadable"
        if code == "media.memory":
            self.close()
        if code.startswith(MissingExtra.code):
            raise MissingExtra(message, code=code, remedy=str(problem.get("remedy", ""))[:500])
        raise _error(path, code, message, str(problem.get("remedy", ""))[:500])

    def _failed(self, path: Path, answered: int, timed_out: bool) -> MediaError:
        child = self._child
        if answered > self.limits.output_bytes:
            self.close()
            return _error(path, "media.bad_answer", "the file made its reader answer without end")
        status = child.wait() if child is not None else 0
        self.close()
        if timed_out or status == -signal.SIGXCPU:
            allowed = f"{self.limits.cpu_s} s of processor time, {self.limits.wall_s} s in all"
            return _error(path, "media.timeout", f"the file took too long to read ({allowed})", LONGER)
        if status == -signal.SIGKILL:
            return _error(path, "media.memory", "the file needs more memory than there is", "Make a smaller copy")
        return _error(path, "media.crashed", f"the file crashed its reader (status {status})", "Export it again")


class _End:
    """How a request ends, once: by its answer or by the clock. An answered child is not killed any more."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._lock = threading.Lock()
        self._answered = self._expired = False

    def expire(self) -> None:
        with self._lock:
            if not self._answered:
                self._expired = True
                _kill(self._child)

    def answered(self) -> bool:
        """Whether the clock was first."""
        with self._lock:
            self._answered = True
            return self._expired


def _environment() -> dict[str, str]:
    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    source = str(Path(fairframe.__file__).parents[1])
    # one thread: pools would reserve address space per core, and a batch runs one child per core anyway
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**found, **threads, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}


def _error(path: Path, code: str, message: str, remedy: str = "") -> MediaError:
    return MediaError(message, code=code, where=str(path), remedy=remedy or "Leave the file out, or export it again")


def _kill(child: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        child.kill()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return
