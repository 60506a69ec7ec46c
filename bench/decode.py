"""What the fused measuring pass costs beside plain decoding, in processor seconds of the same run.

    python bench/decode.py [FOOTAGE]        (or FAIRFRAME_FOOTAGE; without it, clips are rendered)

It also counts the hard cuts that the measures show, on the files of FAIRFRAME_SHOTS with a known truth or on rendered
ones, beside PySceneDetect, which runs in an environment of its own, because it pulls another OpenCV: `make bench` makes
it and names its Python in FAIRFRAME_SCENEDETECT.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from _line import claim

from fairframe.core.errors import MediaError
from fairframe.core.timecode import Rate
from fairframe.curation.cuts import hard_cuts
from fairframe.media.container import open_video
from fairframe.media.encode import write_mp4
from fairframe.media.measure import measure

BAR = 0.85
ROUNDS = 3
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi"}
FRAMES = 96


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        files = footage(Path(scratch))
        rows = [(file, *both(file)) for file in files]
        print(f"{'file':44} {'frames':>7} {'decode s':>9} {'fused s':>9} {'ratio':>6}", file=sys.stderr)
        for file, frames, plain, fused in rows:
            print(f"{file.name[:44]:44} {frames:7d} {plain:9.3f} {fused:9.3f} {plain / fused:6.2f}", file=sys.stderr)
        shots(Path(scratch))
    plain, fused = sum(row[2] for row in rows), sum(row[3] for row in rows)
    ratio = round(plain / fused, 3)
    ok = claim("decode", round(fused, 3), "CPU s", round(plain, 3), ratio, BAR, ratio >= BAR)
    return 0 if ok else 1


def footage(scratch: Path) -> list[Path]:
    """The files to decode: a folder of real ones, or four rendered ones of 1280x720."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FAIRFRAME_FOOTAGE")
    if given:
        return [file for file in sorted(Path(given).rglob("*")) if file.suffix.lower() in SUFFIXES]
    return render(scratch)


def render(folder: Path) -> list[Path]:
    files = [folder / f"rendered-{seed}.mp4" for seed in range(4)]
    for seed, file in enumerate(files):
        if not file.exists():
            write_mp4(file, rendered(seed), Rate(24), crf=20)
    return files


def rendered(seed: int, frames: int = FRAMES) -> Iterator[np.ndarray]:
    """A textured plane panning at 1280x720, with a cut halfway and a little noise."""
    noise = np.random.default_rng(seed)
    for index in range(frames):
        if index % (frames // 2) == 0:
            # a shot has colors of its own: two that share a histogram are no cut to anything that compares histograms
            tone = noise.integers(40, 256, 3)
            coarse = (noise.integers(0, 256, (60, 100, 3)) * tone // 255).astype(np.uint8)
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


def shots(scratch: Path) -> None:
    """Hard cuts found, beside PySceneDetect, on files with a known truth."""
    python = os.environ.get("FAIRFRAME_SCENEDETECT")
    if not python:
        print("PySceneDetect: skipped, FAIRFRAME_SCENEDETECT is not set (make bench sets it)", file=sys.stderr)
    for file, truth in truths(scratch):
        print(file.name, file=sys.stderr)
        begin = time.process_time()
        found = {int(index) for index in hard_cuts(measure(file).frames)}
        report("fused pass", found, truth, time.process_time() - begin)
        if python:
            script = Path(__file__).with_name("_scenedetect.py")
            told = subprocess.run([python, script, file], check=True, capture_output=True).stdout
            for name, one in json.loads(told).items():
                report(f"PySceneDetect {name}", set(one["cuts"]), truth, one["cpu_s"])


def truths(scratch: Path) -> list[tuple[Path, set[int]]]:
    """(file, first frames of its later shots)."""
    given = os.environ.get("FAIRFRAME_SHOTS")
    if not given:
        return [(file, {FRAMES // 2}) for file in render(scratch)]
    lines = (Path(given) / "TRUTH.tsv").read_text("utf-8").splitlines()[1:]
    return [
        (Path(given) / name, {int(cut) for cut in cuts.split(",")})
        for name, _, cuts, *_ in (one.split("\t") for one in lines)
    ]


def report(name: str, found: set[int], truth: set[int], seconds: float) -> None:
    hits = sum(1 for cut in truth if found & {cut - 1, cut, cut + 1})
    extra = sum(1 for cut in found if not truth & {cut - 1, cut, cut + 1})
    text = f"  {name:42} {hits} of {len(truth)} cuts, {extra} false, {seconds:.2f} CPU s (its own decoding included)"
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
