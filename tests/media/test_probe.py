from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.errors import BadDocument, MediaError
from fairframe.core.timecode import Rate
from fairframe.media import container, probe, rate
from fairframe.media.probe import Probe

Make = Callable[..., Path]
Texture = Callable[..., list[np.ndarray]]


def code(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe.probe(path)
    assert str(path) in str(caught.value) and caught.value.remedy
    return caught.value.code


def test_facts_of_a_plain_clip(clip: Path) -> None:
    found = probe.probe(clip)
    assert found == Probe(
        container="mov",
        codec="h264",
        width=160,
        height=90,
        rotation=0,
        mirrored=False,
        fps=Rate(24),
        vfr=False,
        duration_ms=2000,
        frames=48,
        checked_frames=48,
        bit_depth=8,
        pixel_format="yuv420p",
        transfer="sdr",
        audio=False,
        video_streams=1,
        location_metadata=False,
    )
    assert Probe.from_json(found.to_json()) == found


def test_a_probe_with_a_field_too_many_or_few_is_refused(clip: Path) -> None:
    value = probe.probe(clip).to_json()
    with pytest.raises(BadDocument):
        Probe.from_json({**value, "more": 1})
    del value["frames"]
    with pytest.raises(BadDocument):
        Probe.from_json(value)


def test_rotation_is_applied_to_the_size(make_video: Make, texture: Texture) -> None:
    found = probe.probe(make_video("turned.mp4", texture(12), rotation=90))
    assert (found.width, found.height, found.rotation) == (90, 160, 270)


def test_variable_rate(make_video: Make, texture: Texture) -> None:
    stamps = [0, 40, 80, 200, 240, 400, 440, 480, 700, 740, 780, 1200]
    found = probe.probe(make_video("uneven.mp4", texture(12), stamps=stamps))
    assert found.vfr and found.frames == 12 and 1200 <= found.duration_ms <= 1700


def test_odd_size_ten_bits_and_location(make_video: Make, texture: Texture) -> None:
    odd = probe.probe(make_video("odd.mp4", texture(5, 161, 91), pix_fmt="yuv444p"))
    assert (odd.width, odd.height) == (161, 91)
    deep = probe.probe(make_video("deep.mkv", texture(5), pix_fmt="yuv420p10le", transfer=16))
    assert (deep.bit_depth, deep.transfer) == (10, "pq")
    placed = make_video("placed.mov", texture(5), metadata={"location": "+51.5-000.1/"})
    assert probe.probe(placed).location_metadata


def test_what_is_no_video(tmp_path: Path) -> None:
    empty, text, folder = tmp_path / "empty.mp4", tmp_path / "text.mp4", tmp_path / "folder.mp4"
    empty.touch()
    text.write_text("not a video at all\n")
    folder.mkdir()
    assert code(empty) == "media.empty"
    assert code(text) == "media.not_media"
    assert code(folder) == "media.missing"
    assert code(tmp_path / "nothing.mp4") == "media.missing"


def test_a_playlist_does_not_open_other_files(tmp_path: Path, clip: Path) -> None:
    for text in (
        f"ffconcat version 1.0\nfile '{clip}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n",
    ):
        playlist = tmp_path / "list.mp4"
        playlist.write_text(text)
        assert code(playlist) == "media.not_media"


def test_limits(clip: Path, make_video: Make, texture: Texture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code(make_video("one.mp4", texture(1))) == "media.too_short"
    monkeypatch.setattr(probe, "MAX_DURATION_MS", 1999)
    assert code(clip) == "media.too_long"
    monkeypatch.setattr(container, "MAX_PIXELS", 160 * 90 - 1)
    assert code(clip) == "media.too_large"


def test_an_unsupported_codec(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "CODECS", frozenset({"hevc"}))
    assert code(clip) == "media.unsupported_codec"


def test_marks_of_encryption(clip: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.mp4"
    locked.write_bytes(clip.read_bytes().replace(b"avc1", b"encv"))
    assert code(locked) in ("media.encrypted", "media.unsupported_codec")


@pytest.mark.parametrize("front", [True, False], ids=["index in front", "index at the end"])
def test_cut_short_anywhere_is_refused_in_words(
    front: bool, clip: Path, tmp_path: Path, make_video: Make, texture: Texture
) -> None:
    data = (clip if front else make_video("end.mp4", texture(24))).read_bytes()
    for tenth in range(1, 10):
        short = tmp_path / f"short{tenth}.mp4"
        short.write_bytes(data[: len(data) * tenth // 10])
        assert code(short) in ("media.broken", "media.truncated", "media.damaged", "media.undecodable")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_flipped_bytes_end_in_a_probe_or_a_media_error(clip: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(clip.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
        content[place] ^= data.draw(st.integers(1, 255))
    broken = tmp_path / "flipped.mp4"
    broken.write_bytes(content)
    try:
        found = probe.probe(broken)
    except MediaError as error:
        assert error.code.startswith("media.")
    else:
        assert found.frames >= 2 and found.duration_ms <= probe.MAX_DURATION_MS


@given(
    st.sampled_from([Rate(24), Rate(25), Rate(30000, 1001), Rate(60), Rate(7)]),
    st.sampled_from([Fraction(1, 1000), Fraction(1, 600), Fraction(1, 90000)]),
    st.integers(3, 200),
    st.integers(-1000, 10**6),
)
def test_rounded_stamps_of_a_constant_rate_are_recognized(
    fps: Rate, time_base: Fraction, count: int, start: int
) -> None:
    step = Fraction(fps.den, fps.num) / time_base
    stamps = [start + round(index * step) for index in range(count)]
    found, varies, duration_ms = rate.measure(stamps, stamps[-1], time_base, Fraction(fps.num, fps.den))
    assert not varies
    assert abs(duration_ms - fps.duration_ms(count)) <= 5
    if count > 60 or fps == Rate(7):
        assert abs(Fraction(found.num, found.den) / Fraction(fps.num, fps.den) - 1) < Fraction(1, 50)


def test_a_bogus_end_does_not_make_a_clip_of_hours() -> None:
    stamps = [index * 1000 for index in range(24)]
    _, varies, duration_ms = rate.measure(stamps, 24_000 * 143_165, Fraction(1, 24_000), Fraction(24))
    assert not varies and duration_ms < 2000
