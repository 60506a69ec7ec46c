"""Small real films, and metadata about them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COLUMNS = (
    "filename",
    "contributor",
    "title",
    "description",
    "keywords",
    "people",
    "model_release",
    "property_release",
    "editorial",
    "source",
    "source_license",
    "collection",
)

Film = Callable[..., Path]


def render(path: Path, *, seed: int = 0, frames: int = 12, width: int = 96, height: int = 64, fps: int = 24) -> Path:
    """A film of moving bands; another seed gives other bytes."""
    import av
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "30", "preset": "ultrafast"}
        y, x = np.mgrid[0:height, 0:width]
        for n in range(frames):
            red = (x * 3 + n * 7 + seed * 31) % 256
            picture = np.stack([red, (y * 4 + seed * 17) % 256, (x + y + seed) % 256], axis=2).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def write_metadata(path: Path, *rows: dict[str, str]) -> Path:
    """A metadata CSV; cells that are not given say that nothing stands in the way."""
    import csv

    calm = {"people": "no", "model_release": "not needed", "property_release": "not needed", "editorial": "no"}
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow({**calm, **row})
    return path


@pytest.fixture
def film() -> Film:
    """film(path, seed=..., frames=..., width=..., height=..., fps=...) -> path"""
    return render


@pytest.fixture
def metadata_csv() -> Callable[..., Path]:
    """metadata_csv(path, {column: cell}, ...) -> path"""
    return write_metadata
