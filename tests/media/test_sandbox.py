import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairframe.core.errors import MediaError
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media import measure, probe, sandboxed
from fairframe.media.encode import write_mp4
from fairframe.media.sandbox import Limits, MediaWorker

Texture = Callable[..., list[np.ndarray]]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 1920x1080: seconds of work, and hundreds of megabytes."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    base = cv2.resize(noise, (1920, 1080))
    write_mp4(path, (np.roll(base, 8 * index, axis=1) for index in range(8)), Rate(4), crf=30)
    return path


@pytest.fixture
def worker() -> Iterator[MediaWorker]:
    with MediaWorker() as worker:
        yield worker


def test_one_child_serves_many_requests(worker: MediaWorker, clip: Path, tmp_path: Path) -> None:
    assert sandboxed.probe(worker, clip) == probe.probe(clip)
    child = worker.pid
    sandboxed.poster(worker, clip, tmp_path / "poster.jpg", frame=16)
    assert (tmp_path / "poster.jpg").read_bytes()[:2] == b"\xff\xd8"
    found = sandboxed.measure(worker, clip, tmp_path / "m.npz")
    assert found.frames.tobytes() == measure.measure(clip).frames.tobytes()
    assert sandboxed.cut(worker, clip, tmp_path / "cut.mp4", FrameSpan(3, 9), fps=Rate(24)).frames == 6
    assert sandboxed.signals(worker, clip) == []
    assert worker.pid == child


def test_a_refused_file_leaves_the_child_working(worker: MediaWorker, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("text")
    with pytest.raises(MediaError) as caught:
        sandboxed.probe(worker, tmp_path / "text.mp4")
    assert caught.value.code == "media.not_media" and str(tmp_path) in str(caught.value)
    child = worker.pid
    assert sandboxed.probe(worker, clip).frames == 48
    assert worker.pid == child is not None


def test_no_time_left(large: Path, tmp_path: Path) -> None:
    for limits in (Limits(wall_s=1), Limits(cpu_s=0)):
        with MediaWorker(limits) as worker:
            began = time.monotonic()
            with pytest.raises(MediaError) as caught:
                for _ in range(20):
                    sandboxed.cut(worker, large, tmp_path / "cut.mp4", FrameSpan(0, 8), fps=Rate(4))
            assert caught.value.code == "media.timeout"
            assert time.monotonic() - began < 60
        assert list(tmp_path.iterdir()) == []


def test_no_memory_left(large: Path, clip: Path, tmp_path: Path) -> None:
    with MediaWorker() as worker:
        sandboxed.measure(worker, clip, tmp_path / "m.npz")
        status = Path(f"/proc/{worker.pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmPeak")).split()[1]) * 1024
    # enough to load the libraries and read a small clip, not to hold pictures of the large one
    with MediaWorker(Limits(memory_bytes=peak + 8 * 1024**2)) as worker:
        with pytest.raises(MediaError) as caught:
            sandboxed.measure(worker, large, tmp_path / "m.npz")
        assert caught.value.code in ("media.memory", "media.crashed")
        assert sandboxed.probe(worker, clip).frames == 48


def test_frames_cost_no_threads_and_no_memory_that_stays(clip: Path) -> None:
    # a scaler that starts threads for each frame takes more than this at once, and never gives all of it back
    with MediaWorker(Limits(memory_bytes=1 << 30)) as worker:
        for _ in range(5):
            found, pictures = sandboxed.squares(worker, clip, size=32, fps=24, expected=48, duration_ms=2000)
            assert found == 48 and pictures is not None and pictures.shape == (48, 32, 32, 3)


def test_a_file_larger_than_allowed_is_not_written(large: Path, tmp_path: Path) -> None:
    with MediaWorker(Limits(file_bytes=10_000)) as worker:
        with pytest.raises(MediaError) as caught:
            sandboxed.cut(worker, large, tmp_path / "cut.mp4", FrameSpan(0, 8), fps=Rate(4))
        assert caught.value.code.startswith("media.")
    assert list(tmp_path.iterdir()) == []


def test_a_crashed_child_is_replaced(large: Path, clip: Path, tmp_path: Path) -> None:
    with MediaWorker() as worker:
        sandboxed.probe(worker, clip)
        child = worker.pid
        assert child is not None
        killer = threading.Timer(0.3, os.kill, (child, signal.SIGSEGV))
        killer.start()
        with pytest.raises(MediaError) as caught:
            for _ in range(20):
                sandboxed.cut(worker, large, tmp_path / "cut.mp4", FrameSpan(0, 8), fps=Rate(4))
        killer.join()
        assert caught.value.code == "media.crashed"
        assert sandboxed.probe(worker, clip).frames == 48
        assert worker.pid != child


def test_a_clock_that_runs_out_after_the_answer_hurts_nobody(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(threading.Timer):
        """Fires just when it is canceled, as a clock may that ran out at that moment."""

        def cancel(self) -> None:
            super().cancel()
            self.function()

    monkeypatch.setattr(threading, "Timer", Late)
    with MediaWorker() as worker:
        assert sandboxed.probe(worker, clip).frames == 48
        child = worker.pid
        assert sandboxed.probe(worker, clip).frames == 48
        assert worker.pid == child


def test_a_child_that_dies_while_idle_is_replaced(clip: Path) -> None:
    with MediaWorker() as worker:
        sandboxed.probe(worker, clip)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        time.sleep(0.2)
        assert sandboxed.probe(worker, clip).frames == 48


def test_an_answer_without_end_is_cut_off(clip: Path) -> None:
    with MediaWorker(Limits(output_bytes=50)) as worker:
        with pytest.raises(MediaError) as caught:
            sandboxed.probe(worker, clip)
        assert caught.value.code == "media.bad_answer"


def test_the_child_sees_no_secrets_and_ends_with_its_owner(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRFRAME_DATABASE_URL", "postgresql://secret")
    with MediaWorker() as worker:
        sandboxed.probe(worker, clip)
        child = worker.pid
        assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()
    assert not Path(f"/proc/{child}").exists()


def test_signals_of_a_failing_child_are_unreadable_not_absent(clip: Path) -> None:
    with MediaWorker(Limits(output_bytes=5)) as worker:
        found = sandboxed.signals(worker, clip)
    assert [signal.trust for signal in found] == ["unreadable"]
