"""Videos that the tests make themselves, seeded."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fairframe.core.timecode import Rate
from fairframe.media.encode import write_mp4

Pictures = list[np.ndarray]
MakeVideo = Callable[..., Path]


def moving(count: int, width: int = 160, height: int = 90, seed: int = 1) -> Pictures:
    """A coarse random texture sliding two pixels a frame to the right."""
    noise = np.random.default_rng(seed)
    cells = noise.integers(0, 256, (height // 10 + 2, width // 10 + 2, 3), np.uint8)
    base = np.kron(cells, np.ones((10, 10, 1), np.uint8))[:height, :width]
    return [np.ascontiguousarray(np.roll(base, 2 * index, axis=1)) for index in range(count)]


@pytest.fixture(scope="session")
def texture() -> Callable[..., Pictures]:
    return moving


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 frames of 160x90 at 24 frames per second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_mp4(path, moving(48), Rate(24))
    return path


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """make_video(name, pictures, pix_fmt=..., codec=..., rotation=..., stamps=..., metadata=...) -> Path.

    Made with PyAV directly, so that what our own encoder never writes can be read.
    """

    def make(
        name: str,
        pictures: Sequence[np.ndarray],
        *,
        pix_fmt: str = "yuv420p",
        codec: str = "libx264",
        rotation: int | None = None,
        stamps: Sequence[int] | None = None,
        metadata: dict[str, str] | None = None,
        transfer: int | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=options or {}) as container:
            container.metadata.update(metadata or {})
            stream = container.add_stream(codec, rate=24)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pix_fmt
            context = stream.codec_context
            context.time_base = Fraction(1, 1000) if stamps else Fraction(1, 24)
            if codec == "libx264":
                context.options = {"preset": "ultrafast", "crf": "10", "x264-params": "threads=1:keyint=12:bframes=2"}
            if transfer is not None:
                context.color_trc = transfer
            if rotation is not None:
                stream.set_display_rotation(rotation)
            for index, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
                frame.pts = stamps[index] if stamps else index
                frame.time_base = context.time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
