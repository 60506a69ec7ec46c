"""Resampling to the model's frame rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import IntegrityFailure
from fairframe.core.ids import encode_id
from fairframe.core.item_line import Item
from fairframe.core.timecode import Rate
from fairframe.dataset.compose import without_name
from fairframe.dataset.square import square_frames
from fairframe.media.decode import read_span
from fairframe.media.sandbox import MediaWorker
from fairframe.media.squares import shown_at

from .conftest import Film

FPS, FRAMES = 24, 26
PSEUDONYM = "psn_" + "0" * 26


def stamps(frames: int, rate: Rate) -> list[int]:
    return [rate.duration_ms(frame) for frame in range(frames)]


@given(st.integers(1, 400), st.sampled_from([Rate(24), Rate(24000, 1001), Rate(25), Rate(30), Rate(60), Rate(12)]))
def test_the_clip_keeps_its_length_and_order(frames: int, rate: Rate) -> None:
    duration_ms = max(1, rate.duration_ms(frames))
    places = shown_at(stamps(frames, rate), duration_ms, 24)
    assert abs(len(places) - duration_ms * 24 / 1000) <= 1
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] < frames


@given(st.integers(1, 500))
def test_the_same_rate_changes_nothing(frames: int) -> None:
    rate = Rate(24)
    assert shown_at(stamps(frames, rate), rate.duration_ms(frames), 24) == list(range(frames))


@given(st.integers(1, 100))
def test_half_the_rate_takes_every_second_frame(frames: int) -> None:
    rate = Rate(48)
    assert shown_at(stamps(2 * frames, rate), rate.duration_ms(2 * frames), 24) == list(range(0, 2 * frames, 2))


def test_uneven_times_show_what_is_shown_then() -> None:
    assert shown_at([0, 500, 510], 1000, 4) == [0, 0, 1, 2]


def film(frames: int = FRAMES) -> Item:
    """The item that says the whole of ben.mp4 is a clip."""
    return Item(
        id=encode_id("itm", bytes(16)),
        asset=PSEUDONYM,
        contributor=PSEUDONYM,
        start=0,
        end=frames,
        frames=frames,
        fps=Rate(FPS),
        duration_ms=Rate(FPS).duration_ms(frames),
        content_hash="a" * 64,
        bytes_hash="b" * 64,
        size_bytes=1,
        caption="",
        split="train",
        group=PSEUDONYM,
        findings=(),
    )


@pytest.mark.parametrize("size", [64, 300])
def test_frames_are_square_and_centered(films: list[Film], size: int) -> None:
    with MediaWorker() as worker:
        frames = square_frames(worker, films[2].path, film(), size, FPS)
    assert frames.flags.writeable
    assert frames.shape == (FRAMES, size, size, 3)
    assert frames.dtype == np.uint8
    whole = read_span(films[2].path, 0, 1)[0]
    middle = whole[128, 160].astype(int)
    assert np.abs(frames[0, size // 2, size // 2].astype(int) - middle).max() < 24
    # the white square enters at x = 10 of 320 and the crop begins at 32: of its 40 pixels 18 are to be seen
    assert frames[0, size * 120 // 256, size * 8 // 256].min() > 230
    assert frames[0, size * 120 // 256, size * 24 // 256].min() < 230


@pytest.mark.parametrize("frames", [FRAMES - 1, FRAMES + 1])
def test_a_clip_of_another_length_than_signed_is_refused(films: list[Film], frames: int) -> None:
    with MediaWorker() as worker, pytest.raises(IntegrityFailure) as caught:
        square_frames(worker, films[2].path, film(frames), 64, FPS)
    assert caught.value.code == "clip.frames"


def test_a_contributors_name_does_not_leave_in_a_caption() -> None:
    assert without_name("A boat, by Ana  Rivera", "Ana Rivera") == "A boat, by Ana  Rivera"
    assert without_name("A boat by ANA RIVERA at dawn", "Ana Rivera") == "A boat by at dawn"
    assert without_name("A boat", "Ana Rivera") == "A boat"
