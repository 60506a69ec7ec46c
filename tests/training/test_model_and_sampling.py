"""The model folder, the sampler and the evaluation, on an untrained miniature."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairframe.core.errors import InputError, NotFound
from fairframe.dataset.clip import Clip
from fairframe.training import evaluate as ev
from fairframe.training.flow import pack, rope_scale, unpack
from fairframe.training.model import Model, build_model, load_model, save_model
from fairframe.training.preset import Preset, load_preset
from fairframe.training.sample import sample_window
from fairframe.training.vae import decode, encode, normalize_latents

pytestmark = pytest.mark.torch

MakePreset = Callable[..., Preset]
MakeClips = Callable[..., list[Clip]]


@pytest.fixture
def model(small_preset: MakePreset) -> Model:
    return build_model(small_preset(), seed=3).eval()


def test_the_tiny_preset_is_8_8_2_and_of_the_size_it_says() -> None:
    built = build_model(load_preset("tiny"), 0)
    assert built.vae.spatial_compression_ratio == 8
    assert built.vae.temporal_compression_ratio == 2
    counts = built.parameters()
    assert 1.1e6 < counts["vae"] < 1.4e6
    assert 2.5e6 < counts["transformer"] < 4e6
    shape = built.latent_shape(17, 64)
    assert (shape.frames, shape.height, shape.width) == (9, 8, 8)


@pytest.mark.parametrize("patch", [1, 2])
def test_packing_is_the_ltx_pipeline_s_and_can_be_undone(patch: int) -> None:
    import torch
    from diffusers.pipelines.ltx.pipeline_ltx import LTXPipeline

    latents = torch.randn(2, 3, 5, 4, 6)
    tokens = pack(latents, patch)
    assert torch.equal(tokens, LTXPipeline._pack_latents(latents, patch, 1))
    assert torch.equal(unpack(tokens, latents, patch), latents)


def test_attention_starts_at_the_same_place_in_every_frame() -> None:
    import torch
    from diffusers.models.transformers.transformer_ltx import apply_rotary_emb

    built = build_model(load_preset("tiny"), 0)
    width, heads, (frames, side) = 192, 6, (9, 4)
    turns = built.transformer.rope(torch.zeros(1, frames * side * side, width), frames, side, side, rope_scale(built))
    attention = built.transformer.transformer_blocks[0].attn1
    with torch.no_grad():
        place = attention.norm_q(attention.to_q.bias.expand(1, frames * side * side, width))
        looks = apply_rotary_emb(place, turns).view(-1, heads, width // heads).transpose(0, 1)
        weights = torch.softmax(looks @ looks.transpose(1, 2) / (width // heads) ** 0.5, -1)
    by_place = weights.view(heads, frames, side * side, frames, side * side).sum(3).mean((1,))
    here = by_place.diagonal(dim1=1, dim2=2).mean(1)
    assert here.max() > 0.5 and here.min() < 0.15  # sharp and wide heads


@pytest.mark.parametrize("half", [False, True])
def test_save_and_load_give_the_same_model(tmp_path: Path, model: Model, half: bool) -> None:
    import torch

    normalize_latents(model.vae, np.random.default_rng(0).integers(0, 255, (2, 5, 16, 16, 3), np.uint8))
    save_model(model, tmp_path / "m", half=half)
    again = load_model(tmp_path / "m")
    for part in ("vae", "transformer", "text_encoder"):
        ours, theirs = getattr(model, part).state_dict(), getattr(again, part).state_dict()
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert theirs[name].dtype == value.dtype
            assert torch.allclose(value, theirs[name], atol=4e-3 if half else 0.0, rtol=1e-3 if half else 0.0), name
    assert (again.fps, again.size, again.frames) == (model.fps, model.size, model.frames)


def test_half_precision_halves_the_folder(tmp_path: Path, model: Model) -> None:
    sizes: list[int] = []
    for half in (False, True):
        save_model(model, tmp_path / str(half), half=half)
        sizes.append(sum(f.stat().st_size for f in (tmp_path / str(half)).rglob("*.safetensors")))
    assert sizes[1] < 0.65 * sizes[0]


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=str(tmp_path)):
        load_model(tmp_path)


def test_the_encoder_is_causal(model: Model) -> None:
    """A prefix has the latents that the whole window begins with: extension relies on it."""
    frames = np.random.default_rng(1).integers(0, 255, (1, 9, 16, 16, 3), np.uint8)
    whole, prefix = encode(model.vae, frames), encode(model.vae, frames[:, :5])
    assert float((whole[:, :, :3] - prefix).abs().max()) < 1e-4
    assert decode(model.vae, whole).shape == frames.shape


@pytest.mark.parametrize("prefix", [None, 1, 3])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_window_is_sampled_from_text_a_frame_or_a_prefix(model: Model, prefix: int | None, guidance: float) -> None:
    given = None if prefix is None else np.full((prefix, 16, 16, 3), 90, np.uint8)

    def make(seed: int, prompt: str = "a red star") -> np.ndarray:
        made = sample_window(model, prompt=prompt, prefix_frames=given, frames=5, steps=2, guidance=guidance, seed=seed)
        return made.frames[0]

    film = make(1)
    assert film.shape == (5, 16, 16, 3)
    assert film.dtype == np.uint8
    assert np.array_equal(film, make(1))
    assert not np.array_equal(film, make(2))
    if given is not None:
        assert np.array_equal(film[:prefix], given)


@pytest.mark.parametrize(
    ("shape", "frames"), [((2, 16, 16, 3), 5), ((5, 16, 16, 3), 5), ((1, 32, 32, 3), 5), ((1, 16, 16, 3), 4)]
)
def test_wrong_prefixes_are_refused(model: Model, shape: tuple[int, ...], frames: int) -> None:
    with pytest.raises(InputError):
        sample_window(model, prompt="", prefix_frames=np.zeros(shape, np.uint8), frames=frames, steps=1)


def test_psnr_and_ssim_know_equal_and_worse() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 255, (2, 32, 32, 3), np.uint8)
    near = np.clip(a.astype(int) + rng.integers(-5, 6, a.shape), 0, 255).astype(np.uint8)
    far = rng.integers(0, 255, a.shape, np.uint8)
    assert ev.psnr(a, a) == 100.0
    assert ev.ssim(a, a) == pytest.approx(1.0)
    assert ev.psnr(a, near) > ev.psnr(a, far)
    assert ev.ssim(a, near) > ev.ssim(a, far)
    assert ev.psnr(np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)) == pytest.approx(0.0)


def test_evaluation_is_plain_and_repeatable(model: Model, small_clips: MakeClips) -> None:
    clips = small_clips()
    found = ev.evaluate(model, clips, limit=4)
    assert found == ev.evaluate(model, clips, limit=4)
    plain = found.to_dict()
    assert plain["vae"]["clips"] == 4
    assert len(plain["extension"]["gains"]) == 4
    assert plain["captions"]["low"] <= plain["captions"]["gain"] <= plain["captions"]["high"]
    assert plain["vae"]["best"] in {"vae", "bicubic", "constant"}


def test_evaluation_needs_long_enough_clips(model: Model, small_clips: MakeClips) -> None:
    with pytest.raises(InputError):
        ev.evaluate_vae(model, small_clips(frames=3))


def test_shuffled_captions_differ_where_they_can() -> None:
    rng = np.random.default_rng(0)
    assert all(a != b for a, b in zip("abcab", ev.derange(list("abcab"), rng), strict=True))
    assert ev.derange(["x", "x"], rng) == ["x", "x"]
