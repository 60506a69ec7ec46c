"""Measures tell copies, blur, stillness and drift apart, on pictures whose truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.generation.film import frame_count, odd_below, overlap_of
from fairframe.generation.measures import film_measures, nearest

Frames = NDArray[np.uint8]


def moving(seed: int, frames: int = 20, step: int = 1) -> Frames:
    """A textured ground that slides to the left."""
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.integers(0, 255, (16, 64, 3), np.uint8), np.ones((4, 4, 1), np.uint8))
    return np.stack([ground[:, step * n : step * n + 64] for n in range(frames)])


def test_warp_error_alone_rewards_stillness_and_the_others_tell() -> None:
    real = [moving(seed) for seed in range(4)]
    still = np.repeat(real[0][:1], 20, axis=0)
    gray = np.full_like(still, 120)
    for film, low in ((still, {"flow"}), (gray, {"flow", "sharpness"})):
        found = film_measures(film, real)
        assert found["warp_error"].value <= found["warp_error"].low
        assert {name for name in ("flow", "sharpness") if found[name].value < 0.5 * found[name].low} == low
    assert all(one.inside for one in film_measures(real[1], real).values())


def test_drift_is_seen() -> None:
    import cv2

    film = moving(1)
    fading = np.stack([cv2.GaussianBlur(f, (0, 0), 0.1 + 0.3 * n) for n, f in enumerate(film)])
    assert film_measures(fading, [])["sharpness_drift"].value < 0.6
    darker = np.stack([(f * (1 - 0.04 * n)).astype(np.uint8) for n, f in enumerate(film)])
    real = [moving(seed) for seed in range(4)]
    found = film_measures(darker, real)["histogram_drift"]
    assert found.value > found.high
    fast = film_measures(moving(1, step=6), real)
    assert fast["flow"].value > fast["flow"].high
    assert fast["similarity_4"].value < fast["similarity_1"].value


def test_a_copied_clip_is_named() -> None:
    clips = [(f"itm_{seed}", moving(seed)) for seed in range(4)]
    copied = np.clip(moving(2).astype(int) + np.random.default_rng(0).integers(-3, 4, (20, 64, 64, 3)), 0, 255)
    real = [moving(seed) for seed in range(5, 8)]
    found = nearest(copied.astype(np.uint8), clips, real)
    assert found is not None
    assert found.clip == "itm_2"
    assert found.distance.low is not None
    assert found.distance.value < found.distance.low / 5
    assert found.distance.inside is False
    fresh = nearest(moving(9), clips)
    assert fresh is not None
    assert fresh.distance.value > found.distance.value * 5
    assert fresh.distance.inside is None, "without real clips there is no range"
    assert nearest(moving(9), []) is None


def test_too_short_films() -> None:
    with pytest.raises(InputError):
        film_measures(moving(1, frames=2), [])


@pytest.mark.parametrize(("seconds", "frames"), [("0.1", 2), (0.5, 12), ("1/3", 8), (2.02, 48), (2.03, 49), (60, 1440)])
def test_the_asked_length_in_frames(seconds: float | str, frames: int) -> None:
    assert frame_count(seconds, 24) == frames


@pytest.mark.parametrize("seconds", [0, 0.09, 60.1, -1, "inf", "nan", "x", "", "1/0"])
def test_lengths_that_are_not_made(seconds: float | str) -> None:
    with pytest.raises(InputError):
        frame_count(seconds, 24)


def test_overlaps_are_odd_and_shorter_than_the_window() -> None:
    assert [overlap_of(window) for window in (3, 5, 9, 17, 121)] == [1, 3, 5, 9, 9]
    assert [odd_below(n) for n in (0, 1, 2, 3, 8)] == [1, 1, 1, 3, 7]
