from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from fairframe.core.errors import MediaError
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media.decode import frames, read_span
from fairframe.media.encode import Encoded, cut, write_mp4
from fairframe.media.probe import probe

Make = Callable[..., Path]
Texture = Callable[..., list[np.ndarray]]


def test_exact_frames_and_the_same_bytes_each_time(tmp_path: Path, texture: Texture) -> None:
    pictures = texture(37)
    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    assert write_mp4(one, pictures, Rate(30000, 1001)) == Encoded(37, 1235, 160, 90)
    write_mp4(two, iter(pictures), Rate(30000, 1001))
    assert one.read_bytes() == two.read_bytes()
    found = probe(one)
    assert (found.frames, found.fps, found.duration_ms) == (37, Rate(30000, 1001), 1235)
    assert one.read_bytes().find(b"moov") < one.read_bytes().find(b"mdat")


def test_nothing_half_written_stays(tmp_path: Path, texture: Texture, clip: Path) -> None:
    path = tmp_path / "film.mp4"
    with pytest.raises(MediaError) as caught:
        write_mp4(path, [], Rate(24))
    assert caught.value.code == "media.no_frames"
    with pytest.raises(MediaError) as caught:
        write_mp4(path, [*texture(2), *texture(1, 80, 60)], Rate(24))
    assert caught.value.code == "media.size_changes"
    with pytest.raises(MediaError) as caught:
        cut(clip, path, FrameSpan(40, 60), fps=Rate(24))
    assert caught.value.code == "media.too_short"
    with pytest.raises(MediaError) as caught:
        write_mp4(tmp_path / "no" / "folder.mp4", texture(2), Rate(24))
    assert caught.value.code == "media.encode_failed"
    assert list(tmp_path.iterdir()) == []


def test_a_cut_is_those_frames(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    assert cut(clip, path, FrameSpan(11, 31), fps=Rate(24)) == Encoded(20, 833, 160, 90)
    source, found = read_span(clip, 11, 31).astype(int), read_span(path, 0, 20)
    assert len(list(frames(path))) == 20
    assert np.abs(source - found).mean() < 2
    again = tmp_path / "again.mp4"
    cut(clip, again, FrameSpan(11, 31), fps=Rate(24))
    assert again.read_bytes() == path.read_bytes()


def test_a_cut_is_upright_even_and_without_metadata(make_video: Make, texture: Texture, tmp_path: Path) -> None:
    tags = {"location": "+51.5000-000.1000/", "title": "secret title"}
    src = make_video("src.mov", texture(12, 161, 91), pix_fmt="yuv444p", rotation=90, metadata=tags)
    path = tmp_path / "cut.mp4"
    assert cut(src, path, FrameSpan(2, 8), fps=Rate(24)) == Encoded(6, 250, 90, 160)
    found = probe(path)
    assert (found.width, found.height, found.rotation, found.location_metadata) == (90, 160, 0, False)
    data = path.read_bytes()
    assert b"secret title" not in data and b"+51.5" not in data
    with av.open(str(path)) as container:
        assert "creation_time" not in container.metadata and "encoder" not in container.metadata
    # 4:2:0 blurs the texture's colors; another orientation would be off by 60
    assert np.abs(read_span(src, 2, 8)[:, :160, :90].astype(int) - read_span(path, 0, 6)).mean() < 12


def test_a_variable_rate_keeps_its_times(make_video: Make, texture: Texture, tmp_path: Path) -> None:
    stamps = [0, 40, 80, 200, 240, 400, 440, 480, 700, 740, 780, 1200]
    src, path = make_video("uneven.mp4", texture(12), stamps=stamps), tmp_path / "cut.mp4"
    encoded = cut(src, path, FrameSpan(3, 11), fps=None)
    times = [frame.pts_ms for frame in frames(path)]
    assert times == [stamp - 200 for stamp in stamps[3:11]]
    assert encoded.frames == 8 and encoded.duration_ms >= 580


def test_full_range_is_not_mistaken_for_limited(make_video: Make, texture: Texture, tmp_path: Path) -> None:
    src, path = make_video("full.mp4", texture(4), pix_fmt="yuvj420p"), tmp_path / "cut.mp4"
    cut(src, path, FrameSpan(0, 4), fps=Rate(24))
    assert np.abs(read_span(src, 0, 4).astype(int) - read_span(path, 0, 4)).mean() < 4
