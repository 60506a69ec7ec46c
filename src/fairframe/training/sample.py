"""The sampler: Euler steps along the learned velocity, for one window, from text, a first frame or a prefix."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.training.flow import TIMESTEPS, pack, rope_scale, token_grid, tokenize, unpack, velocity
from fairframe.training.model import Model
from fairframe.training.vae import decode, encode

if TYPE_CHECKING:
    import torch

Frames = NDArray[np.uint8]


def sigmas(steps: int, shift: float) -> list[float]:
    """Noise levels from 1 to 0, steps + 1 of them, shifted toward the noisy end."""
    levels = [1 - i / steps for i in range(steps + 1)]
    return [shift * s / (1 + (shift - 1) * s) for s in levels]


@dataclass(frozen=True)
class Windows:
    """Sampled windows: frames uint8 (B, T, S, S, 3), and the latents (B, C, t, h, w) that they were decoded from."""

    frames: Frames
    latents: "torch.Tensor"


def sample_windows(
    model: Model,
    prompts: list[str],
    prefixes: Frames | None,
    *,
    frames: int = 17,
    steps: int = 20,
    guidance: float = 1.0,
    seeds: list[int],
) -> Windows:
    """Several windows at once.

    prefixes: uint8 (B, k, S, S, 3), k odd and less than frames (1 is a first frame), or None for text alone.
    A window depends on its own prompt, prefix and seed only. The prefix's frames are returned as given.
    """
    known = None if prefixes is None else encode(model.vae, prefixes)
    latents = _sample(model, prompts, known, frames, steps, guidance, seeds)
    return _decoded(model, latents, prefixes)


def continue_windows(
    model: Model,
    prompts: list[str],
    before: Windows,
    overlap: int,
    *,
    steps: int = 20,
    guidance: float = 1.0,
    seeds: list[int],
) -> Windows:
    """The windows that follow: their first `overlap` frames, an odd number, are the last ones of `before`.

    The overlap is handed on as latents. Decoded and encoded again, a picture loses some sharpness at every window,
    and a film grows dim within seconds; only its first frame, which the VAE encodes by itself, goes that way.
    """
    import torch

    prefixes = before.frames[:, -overlap:]
    handed = (overlap - 1) // int(model.vae.temporal_compression_ratio)
    first = encode(model.vae, prefixes[:, :1])
    known = torch.cat([first, before.latents[:, :, before.latents.shape[2] - handed :]], dim=2)
    latents = _sample(model, prompts, known, before.frames.shape[1], steps, guidance, seeds)
    return _decoded(model, latents, prefixes)


def _sample(
    model: Model,
    prompts: list[str],
    known: "torch.Tensor | None",
    frames: int,
    steps: int,
    guidance: float,
    seeds: list[int],
) -> "torch.Tensor":
    """Latents (B, C, t, h, w) from noise; the first ones are `known`, where there are such."""
    import torch

    shape = model.latent_shape(frames, model.size)
    size = (shape.channels, shape.frames, shape.height, shape.width)
    latents = torch.stack([torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
    given = 0 if known is None else known.shape[2]
    if known is not None:
        latents[:, :, :given] = known
    grid = token_grid(latents, model.patch)
    free = torch.ones(grid)
    free[:given] = 0
    free = free.flatten()[None]
    with torch.no_grad():
        texts = [_text(model, prompts)]
        if guidance > 1:
            texts.append(_text(model, [""] * len(prompts)))
        tokens = pack(latents, model.patch)
        for level, following in pairwise(sigmas(steps, model.shift)):
            timestep = (free * level * TIMESTEPS).expand(len(prompts), -1)
            found = [velocity(model.transformer, tokens, t, m, timestep, grid, rope_scale(model)) for t, m in texts]
            flow = found[0] if guidance <= 1 else found[1] + guidance * (found[0] - found[1])
            tokens = tokens + (following - level) * flow * free[..., None]
    return unpack(tokens, latents, model.patch)


def _decoded(model: Model, latents: "torch.Tensor", prefixes: Frames | None) -> Windows:
    out = decode(model.vae, latents)
    if prefixes is not None:
        out[:, : prefixes.shape[1]] = prefixes
    return Windows(out, latents)


def _text(model: Model, prompts: list[str]) -> "tuple[torch.Tensor, torch.Tensor]":
    ids, mask = tokenize(model, prompts)
    return model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask


def sample_window(
    model: Model,
    *,
    prompt: str,
    prefix_frames: Frames | None = None,
    frames: int = 17,
    steps: int = 20,
    guidance: float = 1.0,
    seed: int = 0,
) -> Windows:
    """One window: Windows of a batch of one.

    prefix_frames: None (text to video), or uint8 (k, S, S, 3) with k odd and 1 <= k < frames: 1 is image to video,
    more is extension. The same arguments give the same frames. Raises InputError for other shapes.
    """
    if frames < 3 or frames % 2 == 0:
        raise InputError(f"a window of {frames} frames does not fit the latents", remedy="Ask for an odd number.")
    prefixes = None
    if prefix_frames is not None:
        count, height, width, channels = prefix_frames.shape
        if (height, width, channels) != (model.size, model.size, 3) or prefix_frames.dtype != np.uint8:
            raise InputError(f"the prefix is {height}x{width}", remedy=f"Give RGB frames of {model.size}x{model.size}.")
        if count % 2 == 0 or count >= frames:
            raise InputError(f"a prefix of {count} frames", remedy=f"Give an odd number below {frames}.")
        prefixes = prefix_frames[None]
    return sample_windows(
        model,
        [prompt],
        prefixes,
        frames=frames,
        steps=steps,
        guidance=guidance,
        seeds=[seed],
    )
