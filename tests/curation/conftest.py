"""Films with known cuts, rendered here: textured scenes that drift, joined by cuts, dissolves and fades."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairframe.core.timecode import Rate
from fairframe.flows.ingest import IngestReport, ingest
from fairframe.media.encode import write_mp4
from fairframe.platform.workspace import Workspace

FPS = 24
SIZE = (192, 128)


def make_scene(seed: int, frames: int, speed: float = 1.0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(T, H, W, 3): rectangles of many sizes over each other (dead leaves), under a camera that pans."""
    rng = np.random.default_rng(seed)
    width, height = 320, 256
    picture = np.full((height, width, 3), rng.integers(0, 255, 3), np.float32)
    for _ in range(120):
        w, h = rng.integers(8, 90, 2)
        x, y = rng.integers(-20, width), rng.integers(-20, height)
        picture[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = rng.integers(10, 245, 3)
    picture = picture[: height // 2 * 2].astype(np.uint8)
    found = [
        picture[10 : 10 + SIZE[1], round(t * speed) % 120 : round(t * speed) % 120 + SIZE[0]] for t in range(frames)
    ]
    if size != SIZE:
        import cv2

        found = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in found]
    return np.stack(found)


@dataclass(frozen=True)
class Film:
    """Frames (T, H, W, 3) and what joins its shots: (kind, first frame, end)."""

    frames: np.ndarray
    joins: tuple[tuple[str, int, int], ...]


def make_join(shots: Sequence[np.ndarray], kinds: Sequence[str], length: int = 12, hold: int = 3) -> Film:
    """Shots joined by "cut", "dissolve" or "fade" (to black, `hold` frames, and back)."""
    frames = list(shots[0])
    joins: list[tuple[str, int, int]] = []
    for kind, after in zip(kinds, shots[1:], strict=True):
        start = len(frames) - length
        weights = [(i + 1) / (length + 1) for i in range(length)]
        if kind == "cut":
            joins.append((kind, len(frames), len(frames)))
            frames += list(after)
        elif kind == "dissolve":
            joins.append((kind, start, start + length))
            mixed = [(1 - w) * a + w * b for w, a, b in zip(weights, frames[start:], after[:length], strict=True)]
            frames[start:] = [one.round().astype(np.uint8) for one in mixed]
            frames += list(after[length:])
        else:
            joins.append((kind, start, start + 2 * length + hold))
            out = [((1 - w) * a).astype(np.uint8) for w, a in zip(weights, frames[start:], strict=True)]
            into = [(w * a).astype(np.uint8) for w, a in zip(weights, after[:length], strict=True)]
            frames[start:] = [*out, *[np.zeros_like(after[0])] * hold, *into]
            frames += list(after[length:])
    return Film(np.stack(frames), tuple(joins))


@pytest.fixture(scope="session")
def scene() -> Any:
    """scene(seed, frames, speed, size) -> (T, H, W, 3)."""
    return make_scene


@pytest.fixture(scope="session")
def join() -> Any:
    """join(shots, kinds, length, hold) -> Film."""
    return make_join


@pytest.fixture(scope="session")
def film() -> Film:
    """Five shots: a cut, a dissolve, a fade through black, a cut."""
    shots = [make_scene(1, 40), make_scene(2, 50, 0.5), make_scene(3, 60, 2), make_scene(4, 50), make_scene(5, 30, 3)]
    return make_join(shots, ["cut", "dissolve", "fade", "cut"])


@pytest.fixture(scope="session")
def film_path(film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_mp4(path, film.frames, Rate(FPS))
    return path


@pytest.fixture(scope="session")
def folder(film_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film; a clip; the same clip smaller and more compressed; another clip; one that breaks midway."""
    folder = tmp_path_factory.mktemp("footage")
    (folder / "film.mp4").write_bytes(film_path.read_bytes())
    write_mp4(folder / "one.mp4", make_scene(11, 40), Rate(FPS))
    write_mp4(folder / "one-small.mp4", make_scene(11, 40, size=(144, 96)), Rate(FPS), crf=30)
    write_mp4(folder / "two.mp4", make_scene(12, 40), Rate(FPS))
    return folder


Stocked = Callable[[Path], IngestReport]


@pytest.fixture
def stock(library: Workspace) -> Stocked:
    """Takes a folder into the library, as one contributor's."""

    def take(path: Path, **options: Any) -> IngestReport:
        report = ingest(library, path, contributor="Ana Rivera", **options)
        assert not report.refused
        return report

    return take
