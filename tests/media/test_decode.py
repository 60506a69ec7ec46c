import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError, MediaError
from fairframe.media import decode
from fairframe.media.container import open_video
from fairframe.media.decode import frames, luma, read_span
from fairframe.media.orientation import UPRIGHT, from_matrix

Make = Callable[..., Path]
Texture = Callable[..., list[np.ndarray]]
ONE = 1 << 16


def close(a: np.ndarray, b: np.ndarray, within: float) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b).mean()) <= within


def test_every_frame_once_in_order(clip: Path) -> None:
    found = list(frames(clip))
    assert [frame.index for frame in found] == list(range(48))
    assert [frame.pts_ms for frame in found] == [round(index * 1000 / 24) for index in range(48)]
    assert found[0].picture.shape == (90, 160, 3) and found[0].picture.dtype == np.uint8


def test_a_span_is_the_same_frames(clip: Path, texture: Texture) -> None:
    assert close(read_span(clip, 10, 13), np.stack(texture(48)[10:13]), 6)
    assert read_span(clip, 10, 13, size=(64, 36)).shape == (3, 36, 64, 3)
    assert read_span(clip, 10, 13, kind="luma").shape == (3, 90, 160)


def test_a_span_sought_equals_a_span_decoded_to(
    make_video: Make, texture: Texture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("long.mp4", texture(90, 64, 36))
    decoded = read_span(path, 0, 90)
    monkeypatch.setattr(decode, "SEEK_FROM", 1)
    for start in (1, 11, 12, 13, 47, 89):
        assert np.array_equal(read_span(path, start, min(90, start + 5)), decoded[start : start + 5])


def test_spans_that_are_not_there(clip: Path) -> None:
    with pytest.raises(MediaError) as caught:
        read_span(clip, 40, 60)
    assert caught.value.code == "media.too_short"
    with pytest.raises(InputError):
        list(frames(clip, start=5, end=4))


@pytest.mark.parametrize(("degrees", "quarter_turns"), [(90, 1), (180, 2), (270, 3)])
def test_rotation_is_applied(degrees: int, quarter_turns: int, make_video: Make, texture: Texture) -> None:
    pictures = texture(6)
    path = make_video("turned.mp4", pictures, rotation=degrees)
    expected = np.stack([np.rot90(picture, quarter_turns) for picture in pictures])
    assert close(read_span(path, 0, 6), expected, 6)


@given(st.sampled_from([-1, 1]), st.sampled_from([-1, 1]), st.booleans())
def test_a_display_matrix_moves_pixels_as_the_standard_says(sx: int, sy: int, swap: bool) -> None:
    picture = np.arange(12).reshape(3, 4)
    a, b, c, d = (0, sx, sy, 0) if swap else (sx, 0, 0, sy)
    shown = from_matrix(struct.pack("<9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)).apply(picture)
    where = {}
    for y in range(3):
        for x in range(4):
            where[picture[y, x]] = (a * x + c * y, b * x + d * y)
    left, top = min(x for x, _ in where.values()), min(y for _, y in where.values())
    assert all(shown[y - top, x - left] == value for value, (x, y) in where.items())


def test_a_broken_matrix_means_upright() -> None:
    assert from_matrix(bytes(36)) == UPRIGHT == from_matrix(b"short")


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuvj420p", "yuv422p"])
def test_luma_is_the_stored_plane_without_a_copy(pix_fmt: str, make_video: Make, texture: Texture) -> None:
    with open_video(make_video("plane.mp4", texture(3), pix_fmt=pix_fmt)) as video:
        frame = next(decode.decoded(video))
        found = luma(frame)
        planes = frame.to_ndarray(channel_last=True) if pix_fmt == "yuv444p" else frame.to_ndarray()
        stored = planes[..., 0] if pix_fmt == "yuv444p" else planes.reshape(-1)[: 90 * 160].reshape(90, 160)
        assert found.base is not None and np.array_equal(found, stored)


def test_luma_of_ten_bits_and_of_rgb(make_video: Make, texture: Texture) -> None:
    eight = read_span(make_video("eight.mkv", texture(2)), 0, 1, kind="luma")
    ten = read_span(make_video("ten.mkv", texture(2), pix_fmt="yuv420p10le"), 0, 1, kind="luma")
    assert close(eight, ten, 2)
    rgb = make_video("rgb.mkv", texture(2), codec="ffv1", pix_fmt="bgr0")
    assert read_span(rgb, 0, 1, kind="luma").shape == (1, 90, 160)


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_becomes_standard_without_extremes(
    transfer: int, make_video: Make, texture: Texture
) -> None:
    ramp = [np.repeat(np.linspace(0, 255, 160).astype(np.uint8)[None, :, None], 90, 0).repeat(3, 2)] * 2
    found = read_span(make_video("hdr.mkv", ramp, pix_fmt="yuv420p10le", transfer=transfer), 0, 1)[0]
    line = found[45].mean(1)
    assert line[0] < 20 and line[-1] > 235
    assert (np.diff(line) >= -3).all()
