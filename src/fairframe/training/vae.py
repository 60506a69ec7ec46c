"""VAE training: AdamW, squared plus 0.3 absolute error, small random crops; latents are normalized at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairframe.training.loop import (
    Hooks,
    Progress,
    gather_usage,
    learning_rate,
    load_state,
    make_accelerator,
    save_state,
    step_rng,
    torch_rng,
)
from fairframe.training.preset import VaeTraining
from fairframe.training.usage import UsageRecorder

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_ltx import AutoencoderKLLTXVideo

    from fairframe.dataset.clip import Clip

STAGE = 1
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A piece of a clip: frames uint8 (F, c, c, 3), and whose it is."""

    frames: Pixels
    item: str
    source: str


CropSource = Callable[[np.random.Generator, int], Crop]
"""(the step's generator, the step) -> one crop"""


def crop_frames(frames: Pixels, rng: np.random.Generator, length: int, side: int) -> Pixels:
    """A random (length, side, side, 3) piece, mirrored, turned and reversed at random."""
    total, height, width, _ = frames.shape
    start = int(rng.integers(max(1, total - length + 1)))
    index = np.minimum(np.arange(start, start + length), total - 1)
    y, x = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    piece = frames[index, y : y + side, x : x + side]
    if rng.random() < 0.5:
        piece = piece[:, :, ::-1]
    if rng.random() < 0.5:
        piece = piece.transpose(0, 2, 1, 3)
    if rng.random() < 0.5:
        piece = piece[::-1]
    return np.ascontiguousarray(piece)


def clip_crops(clips: "Sequence[Clip]", settings: VaeTraining) -> CropSource:
    """Crops of given clips, each clip as likely as another."""

    def draw(rng: np.random.Generator, step: int) -> Crop:
        clip = clips[int(rng.integers(len(clips)))]
        side = min(settings.crop, clip.frames.shape[1])
        return Crop(crop_frames(clip.frames, rng, settings.frames, side), clip.item, clip.source)

    return draw


def to_pixels(frames: Pixels) -> "torch.Tensor":
    """uint8 (B, F, H, W, 3) -> float (B, 3, F, H, W) in -1..1."""
    import torch

    return torch.from_numpy(frames).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def to_frames(pixels: "torch.Tensor") -> Pixels:
    """float (B, 3, F, H, W) in -1..1 -> uint8 (B, F, H, W, 3)."""
    import torch

    scaled = ((pixels.detach().float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.permute(0, 2, 3, 4, 1).to(torch.uint8).contiguous().cpu().numpy()


def _reconstruction(vae: "AutoencoderKLLTXVideo", settings: VaeTraining) -> "torch.nn.Module":
    """The VAE as one forward pass from pixels and noise to the loss, which is what a distributed wrapper needs."""
    import torch

    class Reconstruction(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vae = vae

        def forward(self, pixels: torch.Tensor, noise: torch.Tensor, side: int) -> torch.Tensor:
            with torch.set_grad_enabled(not settings.decoder_only):
                latents = _to_latents(vae, pixels)
            if side < latents.shape[-1]:
                pixels = _resized(pixels, side * vae.spatial_compression_ratio)
                latents, noise = _resized(latents, side), noise[..., :side, :side]
            seen = _to_pixels(vae, latents + settings.latent_noise * noise)
            error = seen - pixels
            loss = error.square().mean() + settings.l1 * error.abs().mean()
            return loss + settings.latent_penalty * latents.square().mean()

    return Reconstruction()


def _resized(video: "torch.Tensor", side: int) -> "torch.Tensor":
    """(B, C, F, H, W) with every frame shrunk to side x side, low-pass filtered."""
    import torch

    flat = video.transpose(1, 2).flatten(0, 1)
    small = torch.nn.functional.interpolate(flat, size=(side, side), mode="bilinear", antialias=True)
    return small.unflatten(0, (video.shape[0], video.shape[2])).transpose(1, 2)


def latent_side(rng: np.random.Generator, full: int, settings: VaeTraining) -> int:
    """The side at which a step's latents are decoded: mostly all of it, else half or more.

    Latents that stay meaningful when they are shrunk are smooth, and a transformer learns them several times faster
    (EQ-VAE, Kouzelis et al. 2025).
    """
    if rng.random() >= settings.equivariance:
        return full
    return int(rng.integers(max(1, full // 2), full))


def train_vae(
    vae: "AutoencoderKLLTXVideo",
    source: CropSource,
    settings: VaeTraining,
    *,
    seed: int,
    hooks: Hooks | None = None,
) -> Progress:
    """Train in place for settings.steps steps, resuming from hooks.state_path where a state is there.

    Each rank draws the whole batch's crops and consumes (and counts) its own share of them.
    """
    import torch

    hooks = hooks or Hooks()
    accelerator = make_accelerator()
    for parameter in vae.encoder.parameters():
        parameter.requires_grad_(not settings.decoder_only)
    trained = [p for p in vae.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.lr, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    progress = _restore(vae, optimizer, load_state(hooks.state_path))
    wrapped, optimizer = accelerator.prepare(_reconstruction(vae, settings), optimizer)
    vae.train()
    while progress.step < settings.steps:
        if hooks.should_stop is not None and hooks.should_stop():
            progress.stopped = True
            break
        step = progress.step
        rng = step_rng(seed, step, STAGE)
        crops = [source(rng, step) for _ in range(settings.batch)]
        mine = crops[accelerator.process_index :: accelerator.num_processes]
        pixels = to_pixels(np.stack([crop.frames for crop in mine]))
        noise = torch.randn(_latent_size(vae, pixels), generator=torch_rng(rng))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, settings.steps, settings.lr, settings.warmup, 0.005)
        side = latent_side(rng, noise.shape[-1], settings)
        loss = wrapped(pixels.to(accelerator.device), noise.to(accelerator.device), side)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        for crop in mine:
            progress.usage.count(crop.item, crop.source, len(crop.frames))
        progress.losses.append(float(loss.detach()))
        progress.step += 1
        if hooks.on_step is not None:
            hooks.on_step("vae", progress.step, settings.steps, progress.losses[-1])
        if progress.step % hooks.save_every == 0:
            _save(hooks, vae, optimizer, progress, accelerator.num_processes, accelerator.is_main_process)
    _save(hooks, vae, optimizer, progress, accelerator.num_processes, accelerator.is_main_process)
    progress.usage = gather_usage(progress.usage, accelerator.num_processes)
    vae.eval().requires_grad_(True)
    return progress


def _latent_size(vae: "AutoencoderKLLTXVideo", pixels: "torch.Tensor") -> tuple[int, ...]:
    batch, _, frames, height, width = pixels.shape
    ratio = vae.spatial_compression_ratio
    latent_frames = (frames - 1) // vae.temporal_compression_ratio + 1
    return (batch, int(vae.config["latent_channels"]), latent_frames, height // ratio, width // ratio)


def _save(hooks: Hooks, vae: Any, optimizer: Any, progress: Progress, world: int, main: bool) -> None:
    if hooks.state_path is None:
        return
    usage = gather_usage(progress.usage, world)
    if not main:
        return
    state = {
        "step": progress.step,
        "losses": progress.losses,
        "usage": usage.state(),
        "vae": vae.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    save_state(hooks.state_path, state)


def _restore(vae: Any, optimizer: Any, state: dict[str, Any] | None) -> Progress:
    if state is None:
        return Progress()
    vae.load_state_dict(state["vae"])
    optimizer.load_state_dict(state["optimizer"])
    return Progress(int(state["step"]), list(state["losses"]), UsageRecorder.restore(state["usage"]))


def _to_latents(vae: Any, pixels: "torch.Tensor") -> "torch.Tensor":
    """The posterior's mode; Any because diffusers' annotations name the tuple form of what it returns."""
    return vae.encode(pixels).latent_dist.mode()


def _to_pixels(vae: Any, latents: "torch.Tensor") -> "torch.Tensor":
    return vae.decode(latents).sample


def encode(vae: "AutoencoderKLLTXVideo", frames: Pixels, batch: int = 8) -> "torch.Tensor":
    """uint8 (N, F, H, W, 3) -> normalized latents (N, C, f, h, w)."""
    import torch

    mean, std = _statistics(vae)
    parts: list[torch.Tensor] = []
    with torch.no_grad():
        for start in range(0, len(frames), batch):
            pixels = to_pixels(frames[start : start + batch])
            parts.append((_to_latents(vae, pixels) - mean) / std)
    return torch.cat(parts)


def decode(vae: "AutoencoderKLLTXVideo", latents: "torch.Tensor", batch: int = 8) -> Pixels:
    """Normalized latents (N, C, f, h, w) -> uint8 (N, F, H, W, 3)."""
    import torch

    mean, std = _statistics(vae)
    parts: list[Pixels] = []
    with torch.no_grad():
        for start in range(0, len(latents), batch):
            parts.append(to_frames(_to_pixels(vae, latents[start : start + batch] * std + mean)))
    return np.concatenate(parts)


def _statistics(vae: "AutoencoderKLLTXVideo") -> "tuple[torch.Tensor, torch.Tensor]":
    shape = (1, -1, 1, 1, 1)
    return vae.latents_mean.view(shape), vae.latents_std.view(shape)


def normalize_latents(vae: "AutoencoderKLLTXVideo", frames: Pixels) -> None:
    """Measure the latents of (N, F, H, W, 3): each channel's mean, and one deviation for all of them.

    A unit of any channel is about the same in pixels, so a channel's share of the variance is its share of the
    picture. Scaled to one each, faint channels would weigh in the flow's loss like those that carry the colors.
    """
    import torch

    vae.latents_mean.zero_()
    vae.latents_std.fill_(1.0)
    latents = encode(vae, frames)
    vae.latents_mean.copy_(latents.mean(dim=(0, 2, 3, 4)))
    vae.latents_std.fill_(float(latents.var(dim=(0, 2, 3, 4)).mean().sqrt().clamp(min=1e-4)))
    assert bool(torch.isfinite(vae.latents_std).all())
