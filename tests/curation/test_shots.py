"""Shots: rendered films, real films with known cuts where they are given, and what must hold for any measures."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.timecode import Rate
from fairframe.curation import shots
from fairframe.curation.cuts import fades, hard_cuts
from fairframe.curation.version import SHOTS
from fairframe.media import measure as measuring
from fairframe.media.encode import write_mp4
from fairframe.media.hashing import BYTES, Hashes
from fairframe.media.measure import FRAME_TYPE, Measures, measure


def _spans(path: Path) -> list[tuple[int, int]]:
    return shots.spans(measure(path))


def _write(path: Path, frames: Any) -> Path:
    write_mp4(path, frames, Rate(24))
    return path


def test_cuts_dissolve_and_fade_of_a_rendered_film_are_found(film: Any, film_path: Path) -> None:
    found = _spans(film_path)
    edges = [edge for _, start, end in film.joins for edge in (start, end)]
    want = list(zip([0, *edges[1::2]], [*edges[0::2], len(film.frames)], strict=True))
    assert len(found) == len(want)
    for (start, end), (true_start, true_end) in zip(found, want, strict=True):
        assert abs(start - true_start) <= 2 and abs(end - true_end) <= 2


def test_hard_cuts_are_exact(film: Any, film_path: Path) -> None:
    assert hard_cuts(measure(film_path).frames).tolist() == [s for kind, s, _ in film.joins if kind == "cut"]


@pytest.mark.parametrize("length", [6, 10, 16, 24, 36])
def test_dissolves_of_any_length(length: int, tmp_path: Path, scene: Any, join: Any) -> None:
    film = join([scene(21, 30 + length), scene(22, 30 + length, 0.5)], ["dissolve"], length)
    found = _spans(_write(tmp_path / "a.mp4", film.frames))
    (_, start, end) = film.joins[0]
    assert len(found) == 2
    assert abs(found[0][1] - start) <= 2 and abs(found[1][0] - end) <= 2


def test_a_flash_is_no_cut(tmp_path: Path, scene: Any) -> None:
    frames = scene(31, 60).copy()
    frames[30] = 255 - (255 - frames[30]) // 4
    assert _spans(_write(tmp_path / "flash.mp4", frames)) == [(0, 60)]


@pytest.mark.parametrize("speed", [0, 1, 6, 14])
def test_one_scene_is_one_shot_however_fast_the_camera_pans(speed: int, tmp_path: Path, scene: Any) -> None:
    frames = scene(41, min(60, 119 // max(speed, 2)), speed)
    assert _spans(_write(tmp_path / "pan.mp4", frames)) == [(0, len(frames))]


def test_a_cut_to_a_closer_view_of_the_same_scene_is_found(tmp_path: Path, scene: Any) -> None:
    """The histogram hardly changes there."""
    import cv2

    wide = scene(61, 80, 0.5)
    close = np.stack([cv2.resize(one[12:117, 14:172], (192, 128), interpolation=cv2.INTER_CUBIC) for one in wide[40:]])
    measures = measure(_write(tmp_path / "closer.mp4", np.concatenate([wide[:40], close])))
    assert shots.spans(measures) == [(0, 40), (40, 80)]
    assert measures.frames["cut"][40] < 0.25


def test_a_black_film_and_a_very_short_one_are_one_shot(tmp_path: Path, scene: Any) -> None:
    assert _spans(_write(tmp_path / "black.mp4", np.zeros((30, 64, 96, 3), np.uint8))) == [(0, 30)]
    assert _spans(_write(tmp_path / "short.mp4", scene(1, 3))) == [(0, 3)]


def test_pieces_too_short_are_no_shots(tmp_path: Path, scene: Any, join: Any) -> None:
    film = join([scene(51, 30), scene(52, 5), scene(53, 30)], ["cut", "cut"])
    assert _spans(_write(tmp_path / "a.mp4", film.frames)) == [(0, 30), (35, 65)]


def test_a_shot_is_described_over_its_own_frames(film: Any, film_path: Path) -> None:
    found = shots.decide(measure(film_path), Rate(24))
    assert [one.span.start for one in found] == [start for start, _ in shots.spans(measure(film_path))]
    first, second, third = found[:3]
    assert (first.start_ms, first.end_ms) == (0, 1667)
    assert second.start_ms == 1667
    assert second.motion_milli < first.motion_milli < third.motion_milli
    assert all(0 < one.luma_milli < 1000 and one.sharpness_milli > 0 for one in found)
    assert all(one.black_milli == 0 and one.frozen_milli < 1000 for one in found)
    assert all(1 <= len(one.hashes) <= shots.MAX_HASHES and len(one.hashes[0]) == 2 * BYTES for one in found)
    assert len({one.hashes for one in found}) == len(found)


def test_times_that_do_not_rise_are_replaced_by_the_rate() -> None:
    assert shots.frame_times(np.array([0, 40, 80]), Rate(30)).tolist() == [0, 40, 80, 120]
    assert shots.frame_times(np.array([0, 0, 0]), Rate(25)).tolist() == [0, 40, 80, 120]
    assert shots.frame_times(np.array([7]), Rate(10)).tolist() == [0, 100]


def test_new_measures_need_a_new_version_of_the_shots() -> None:
    """Shots are stored once per version: raise both together."""
    assert (measuring.VERSION, SHOTS) == ("measures-1", "shots-1")


@st.composite
def any_measures(draw: st.DrawFn) -> Measures:
    """Random walks, jumps and flat runs: nothing like a film, but of the right shape."""
    count = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    frames = np.zeros(count, FRAME_TYPE)
    frames["pts_ms"] = np.arange(count) * draw(st.sampled_from([0, 1, 40, 5000]))
    for name, top in (("cut", 1), ("drift", 1), ("difference", 80), ("motion", 3), ("contrast", 0.4), ("luma", 1)):
        frames[name] = rng.random(count) ** draw(st.sampled_from([1, 3, 8])) * top
    if draw(st.booleans()):
        frames["contrast"] = np.abs(np.sin(np.arange(count) / draw(st.integers(3, 40)))) * 0.3
    frames["contrast"] *= rng.random(count) < draw(st.sampled_from([0.5, 0.9, 1.0]))
    hashed = np.arange(0, count, 8, dtype=np.int32)
    bits = rng.integers(0, 256, (len(hashed), BYTES), np.uint8)
    return Measures(measuring.VERSION, frames, Hashes(hashed, bits, rng.random(len(hashed)) < 0.9))


@given(any_measures())
@settings(max_examples=150, deadline=None)
def test_shots_are_whole_apart_in_order_and_never_cut_through(measures: Measures) -> None:
    found = shots.spans(measures)
    count = len(measures.frames)
    edges = [edge for span in found for edge in span]
    assert found and edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= count
    assert all(start < end for start, end in found)
    assert found == shots.spans(measures)
    if len(found) > 1:
        assert all(end - start >= shots.MIN_FRAMES for start, end in found)
        for cut in hard_cuts(measures.frames).tolist():
            assert not any(start < cut < end for start, end in found)
        for fade in fades(measures.frames):
            assert not any(start < fade.end and fade.start < end for start, end in found)
    assert len(shots.decide(measures, Rate(24))) == len(found)


@pytest.mark.skipif("FAIRFRAME_SHOTS" not in os.environ, reason="needs FAIRFRAME_SHOTS")
def test_every_known_cut_of_a_real_film_and_no_other() -> None:
    folder = Path(os.environ["FAIRFRAME_SHOTS"])
    lines = (folder / "TRUTH.tsv").read_text().splitlines()[1:]
    for name, frames, cuts, *_ in (line.split("\t") for line in lines if line.strip()):
        want = [0, *map(int, cuts.split(","))]
        found = _spans(folder / name)
        assert len(found) == len(want)
        assert all(abs(start - true) <= 1 for (start, _), true in zip(found, want, strict=True))
        assert found[-1][1] == int(frames)
