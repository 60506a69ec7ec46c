from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from fairframe.core.timecode import Rate
from fairframe.media.encode import write_mp4
from fairframe.media.poster import poster

Texture = Callable[..., list[np.ndarray]]


def read(data: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_a_poster_is_that_frame_at_most_512_long(tmp_path: Path, texture: Texture) -> None:
    pictures = [cv2.resize(p, (640, 360)) for p in texture(6)]
    write_mp4(tmp_path / "film.mp4", pictures, Rate(24))
    data = poster(tmp_path / "film.mp4", 2)
    assert read(data).shape == (288, 512, 3) and data[:2] == b"\xff\xd8"
    assert data == poster(tmp_path / "film.mp4", 2)
    expected = cv2.resize(pictures[2], (512, 288), interpolation=cv2.INTER_AREA)
    assert np.abs(read(data).astype(int) - expected).mean() < 10


def test_a_frame_after_the_end_is_the_last_one(clip: Path) -> None:
    assert poster(clip, 1000) == poster(clip, 47)
