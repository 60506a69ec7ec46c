"""What the fused measuring pass costs beside plain decoding, in processor seconds of the same run.

    python bench/decode.py [FOOTAGE]        (or FAIRFRAME_FOOTAGE; without it, clips are rendered)

Prints a table and one JSON line. With FAIRFRAME_SHOTS it also counts the hard cuts that the measures show.
PySceneDetect is run beside it where it can be imported (an environment of its own: it pulls another OpenCV).
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from fairframe.core.errors import MediaError
from fairframe.core.timecode import Rate
from fairframe.media.container import open_video
from fairframe.media.encode import write_mp4
from fairframe.media.measure import measure

BAR = 0.85
ROUNDS = 3
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}
CUT = 0.15
DETECTORS = ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "ThresholdDetector")


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        files = footage(Path(scratch))
        rows = [(file, *both(file)) for file in files]
    print(f"{'file':44} {'frames':>7} {'decode s':>9} {'fused s':>9} {'ratio':>6}")
    for file, frames, plain, fused in rows:
        print(f"{file.name[:44]:44} {frames:7d} {plain:9.3f} {fused:9.3f} {plain / fused:6.2f}")
    plain, fused = sum(row[2] for row in rows), sum(row[3] for row in rows)
    shots()
    ratio = round(plain / fused, 3)
    line = {"bench": "decode", "value": round(fused, 3), "unit": "cpu_s", "against": round(plain, 3)}
    print(json.dumps({**line, "ratio": ratio, "bar": BAR, "ok": ratio >= BAR}))
    return 0 if ratio >= BAR else 1


def footage(scratch: Path) -> list[Path]:
    """The files to decode: a folder of real ones, or four rendered ones of 1280x720."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FAIRFRAME_FOOTAGE")
    if given:
        return [file for file in sorted(Path(given).rglob("*")) if file.suffix.lower() in SUFFIXES]
    files = [scratch / f"rendered-{seed}.mp4" for seed in range(4)]
    for seed, file in enumerate(files):
        write_mp4(file, rendered(seed), Rate(24), crf=20)
    return files


def rendered(seed: int, frames: int = 96) -> Iterator[np.ndarray]:
    """A textured plane panning at 1280x720, with a cut halfway and a little noise."""
    noise = np.random.default_rng(seed)
    for index in range(frames):
        if index % (frames // 2) == 0:
            coarse = noise.integers(0, 256, (60, 100, 3), np.uint8)
            plane = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
        view = plane[index : index + 720, 2 * index : 2 * index + 1280]
        grain = noise.integers(0, 9, view.shape, np.uint8)
        yield view // 2 + grain + 60


def both(file: Path) -> tuple[int, float, float]:
    """(frames, CPU seconds of plain decoding, of the fused pass): the least of several rounds, taken in turn."""
    plain: list[float] = []
    fused: list[float] = []
    frames = 0
    for _ in range(ROUNDS):
        plain.append(cpu(lambda: decode(file)))
        started = time.process_time()
        try:
            frames = len(measure(file).frames)
        except MediaError as error:
            raise SystemExit(str(error)) from error
        fused.append(time.process_time() - started)
    return frames, min(plain), min(fused)


def decode(file: Path) -> None:
    with open_video(file) as video:
        for _ in video.container.decode(video.stream):
            pass


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def shots() -> None:
    """Hard cuts found, beside PySceneDetect, on the files of FAIRFRAME_SHOTS with a known truth."""
    given = os.environ.get("FAIRFRAME_SHOTS")
    if not given:
        print("shots: FAIRFRAME_SHOTS is not set")
        return
    for line in (Path(given) / "TRUTH.tsv").read_text("utf-8").splitlines()[1:]:
        name, _, cuts, *_ = line.split("\t")
        truth = {int(cut) for cut in cuts.split(",")}
        file = Path(given) / name
        found: set[int] = set()

        def fused(file: Path = file, found: set[int] = found) -> None:
            found.update(int(index) for index in np.flatnonzero(measure(file).frames["cut"] >= CUT))

        seconds = cpu(fused)
        report(f"fused pass, cut >= {CUT}", found, truth, seconds)
        scenedetect(file, truth)


def scenedetect(file: Path, truth: set[int]) -> None:
    if find_spec("scenedetect") is None:
        print("PySceneDetect is not installed here: install it with --no-deps in an environment of its own")
        return
    package = import_module("scenedetect")
    for name in DETECTORS:
        found: set[int] = set()

        def detect(name: str = name, found: set[int] = found) -> None:
            scenes = package.detect(str(file), getattr(package, name)())
            found.update(start.get_frames() for start, _ in scenes[1:])

        report(f"PySceneDetect {name}", found, truth, cpu(detect))


def report(name: str, found: set[int], truth: set[int], seconds: float) -> None:
    hits = sum(1 for cut in truth if found & {cut - 1, cut, cut + 1})
    extra = sum(1 for cut in found if not truth & {cut - 1, cut, cut + 1})
    print(f"{name:44} {hits} of {len(truth)} cuts, {extra} false, {seconds:.2f} CPU s (its own decoding included)")


if __name__ == "__main__":
    sys.exit(main())
