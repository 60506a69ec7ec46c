"""Films longer than the window, on an untrained miniature."""

import numpy as np
import pytest
import torch

from fairframe.core.errors import InputError
from fairframe.generation.film import film_frames
from fairframe.training.model import Model, build_model
from fairframe.training.preset import parse_preset
from fairframe.training.sample import continue_windows, sample_window

from .conftest import PRESET

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model() -> Model:
    return build_model(parse_preset(PRESET, "small"), 1).eval()


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 7, 8, 23])
@pytest.mark.parametrize("given", [0, 1, 2, 9])
def test_exactly_the_frames_that_were_asked_for(model: Model, count: int, given: int) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (given, 16, 16, 3), np.uint8)
    prefix = frames if given else None
    shown: list[int] = []
    show = lambda done, total, note: shown.append(done)  # noqa: E731
    parts = list(film_frames(model, "a square", count, given=prefix, steps=1, show=show))
    film = np.concatenate(parts)
    assert film.shape == (count, 16, 16, 3)
    assert shown == sorted(shown)
    assert max(len(part) for part in parts) <= model.frames
    if given:
        kept = 3 if given == 9 and count > 3 else 1
        assert np.array_equal(film[:kept], frames[-kept:]), "it opens with the end of what was given"


def test_each_window_goes_on_from_the_last_frames(model: Model) -> None:
    film = np.concatenate(list(film_frames(model, "a square", 11, overlap=3, steps=1, seed=5)))
    window = sample_window(model, prompt="a square", frames=5, steps=1, seed=5)
    assert np.array_equal(window.frames[0], film[:5])
    for number in (1, 2, 3):
        window = continue_windows(model, ["a square"], window, 3, steps=1, seeds=[5 + number])
        assert np.array_equal(window.frames[0], film[2 * number : 2 * number + 5])


def test_a_window_hands_its_latents_on(model: Model) -> None:
    before = sample_window(model, prompt="a square", frames=5, steps=1, seed=5)
    after = continue_windows(model, ["a square"], before, 3, steps=1, seeds=[6])
    assert np.array_equal(after.frames[:, :3], before.frames[:, 2:])
    assert torch.equal(after.latents[:, :, 1], before.latents[:, :, 2]), "not decoded and encoded again"
    alone = continue_windows(model, ["a square"], before, 1, steps=1, seeds=[6])
    assert np.array_equal(alone.frames[:, :1], before.frames[:, 4:])


@pytest.mark.parametrize("overlap", [0, 2, 5, -1])
def test_overlaps_that_do_not_fit(model: Model, overlap: int) -> None:
    with pytest.raises(InputError):
        list(film_frames(model, "a square", 9, overlap=overlap, steps=1))
