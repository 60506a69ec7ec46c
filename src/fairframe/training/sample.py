"""The sampler: Euler steps along the learned velocity, for one window, from text, a first frame or a prefix."""

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


def sample_windows(
    model: Model,
    prompts: list[str],
    prefixes: Frames | None,
    *,
    frames: int = 17,
    steps: int = 20,
    guidance: float = 1.0,
    seeds: list[int],
) -> Frames:
    """Several windows at once, uint8 (B, frames, S, S, 3).

    prefixes: uint8 (B, k, S, S, 3), k odd and less than frames (1 is a first frame), or None for text alone.
    A window depends on its own prompt, prefix and seed only. The prefix's frames are returned as given.
    """
    import torch

    shape = model.latent_shape(frames, model.size)
    noise = torch.stack(
        [
            torch.randn(
                (shape.channels, shape.frames, shape.height, shape.width),
                generator=torch.Generator().manual_seed(seed),
            )
            for seed in seeds
        ]
    )
    known = 0
    latents = noise
    if prefixes is not None:
        given = encode(model.vae, prefixes)
        known = given.shape[2]
        latents = noise.clone()
        latents[:, :, :known] = given
    grid = token_grid(latents, model.patch)
    free = torch.ones(grid)
    free[:known] = 0
    free = free.flatten()[None]
    with torch.no_grad():
        texts = [_text(model, prompts)]
        if guidance > 1:
            texts.append(_text(model, [""] * len(prompts)))
        tokens = pack(latents, model.patch)
        levels = sigmas(steps, model.shift)
        for level, following in pairwise(levels):
            timestep = (free * level * TIMESTEPS).expand(len(prompts), -1)
            found = [velocity(model.transformer, tokens, t, m, timestep, grid, rope_scale(model)) for t, m in texts]
            flow = found[0] if guidance <= 1 else found[1] + guidance * (found[0] - found[1])
            tokens = tokens + (following - level) * flow * free[..., None]
    out = decode(model.vae, unpack(tokens, latents, model.patch))
    if prefixes is not None:
        out[:, : prefixes.shape[1]] = prefixes
    return out


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
) -> Frames:
    """One window, uint8 (frames, S, S, 3).

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
    )[0]
