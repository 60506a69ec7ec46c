"""Rectified flow: the transformer learns the velocity from noise to latents, with the text encoder beside it.

A window is conditioned as the LTX pipelines do it: known latent frames are given clean, at timestep 0, and are left
out of the loss. Timesteps are logit-normal, shifted (Esser et al. 2024); x_t = (1 - s) x_0 + s noise, v = noise - x_0.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
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
from fairframe.training.model import Model
from fairframe.training.preset import FlowTraining
from fairframe.training.usage import UsageRecorder
from fairframe.training.windows import Window, WindowFeed

if TYPE_CHECKING:
    import torch

STAGE = 2
TIMESTEPS = 1000.0
LORA_TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")


@dataclass(frozen=True)
class Footage:
    """Windows with their latents (N, C, f, h, w), row by row."""

    windows: Sequence[Window]
    latents: "torch.Tensor"


@dataclass(frozen=True)
class Draw:
    """What chance decides for a batch: known latent frames (B, f), noise levels (B,) in 0..1, noise, text kept (B,)."""

    known: NDArray[np.bool_]
    sigma: NDArray[np.float32]
    noise: "torch.Tensor"
    keep_text: NDArray[np.bool_]


Grid = tuple[int, int, int]
"""frames, rows and columns of tokens"""


def token_grid(latents: "torch.Tensor", patch: int) -> Grid:
    return latents.shape[2], latents.shape[3] // patch, latents.shape[4] // patch


def pack(latents: "torch.Tensor", patch: int) -> "torch.Tensor":
    """(B, C, f, h, w) -> tokens (B, N, C*patch*patch), in the order of LTXPipeline._pack_latents."""
    frames, rows, columns = token_grid(latents, patch)
    cut = latents.reshape(*latents.shape[:2], frames, rows, patch, columns, patch)
    return cut.permute(0, 2, 3, 5, 1, 4, 6).flatten(4).flatten(1, 3)


def unpack(tokens: "torch.Tensor", like: "torch.Tensor", patch: int) -> "torch.Tensor":
    """The inverse of pack for a tensor of the shape of `like`."""
    cut = tokens.reshape(like.shape[0], *token_grid(like, patch), like.shape[1], patch, patch)
    return cut.permute(0, 4, 1, 2, 5, 3, 6).reshape(like.shape)


def tokenize(model: Model, captions: Sequence[str]) -> "tuple[torch.Tensor, torch.Tensor]":
    """Byte ids and mask, (B, L), L the longest caption's bytes and at most model.text_bytes."""
    found = model.tokenizer(
        list(captions), padding="longest", truncation=True, max_length=model.text_bytes, return_tensors="pt"
    )
    return found.input_ids, found.attention_mask


def known_frames(rng: np.random.Generator, count: int, frames: int, settings: FlowTraining) -> NDArray[np.bool_]:
    """Which latent frames of each window are given: the first, a prefix of 2 to two thirds, or none."""
    known = np.zeros((count, frames), np.bool_)
    for row in known:
        chance = rng.random()
        if chance < settings.first_frame:
            row[:1] = True
        elif chance < settings.first_frame + settings.prefix:
            row[: int(rng.integers(2, max(3, 2 * frames // 3 + 1)))] = True
    return known


def draw_batch(rng: np.random.Generator, latents: "torch.Tensor", settings: FlowTraining, shift: float) -> Draw:
    import torch

    count, _, frames, _, _ = latents.shape
    known = known_frames(rng, count, frames, settings)
    level = 1 / (1 + np.exp(-rng.normal(0, 1, count)))
    uniform = rng.random(count)
    level = np.where(rng.random(count) < 0.1, uniform, level)
    sigma = (shift * level / (1 + (shift - 1) * level)).astype(np.float32)
    noise = torch.randn(latents.shape, generator=torch_rng(rng))
    return Draw(known, sigma, noise, rng.random(count) >= settings.text_drop)


def velocity(
    transformer: Any,
    tokens: "torch.Tensor",
    text: "torch.Tensor",
    text_mask: "torch.Tensor",
    timestep: "torch.Tensor",
    grid: Grid,
    scale: tuple[float, float, float],
) -> "torch.Tensor":
    """One transformer pass: tokens (B, N, D), timestep (B, N) in 0..1000 -> velocity (B, N, D).

    scale turns latent indices into seconds and pixels, so RoPE's time is in seconds whatever the frame rate.
    """
    return transformer(
        hidden_states=tokens,
        encoder_hidden_states=text,
        timestep=timestep,
        encoder_attention_mask=text_mask,
        num_frames=grid[0],
        height=grid[1],
        width=grid[2],
        rope_interpolation_scale=scale,
        return_dict=False,
    )[0]


def rope_scale(model: Model) -> tuple[float, float, float]:
    ratio = float(model.vae.spatial_compression_ratio)
    return model.vae.temporal_compression_ratio / model.fps, ratio, ratio


def _flow_loss(model: Model) -> "torch.nn.Module":
    """Transformer and text encoder as one forward pass to a loss per window, for a distributed wrapper."""
    import torch

    scale, patch = rope_scale(model), model.patch

    class FlowLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer, self.text_encoder = model.transformer, model.text_encoder

        def forward(
            self,
            latents: torch.Tensor,
            noise: torch.Tensor,
            sigma: torch.Tensor,
            known: torch.Tensor,
            ids: torch.Tensor,
            mask: torch.Tensor,
        ) -> torch.Tensor:
            grid = token_grid(latents, patch)
            per_token = known.repeat_interleave(grid[1] * grid[2], dim=1)
            level = torch.where(per_token, torch.zeros(()), sigma[:, None])
            clean, noisy = pack(latents, patch), pack(noise, patch)
            mixed = clean + level[..., None] * (noisy - clean)
            text = self.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            found = velocity(self.transformer, mixed, text, mask, level * TIMESTEPS, grid, scale)
            error = (found - (noisy - clean)).square().mean(-1)
            free = (~per_token).float()
            return (error * free).sum(1) / free.sum(1)

    return FlowLoss()


def batch_loss(
    module: Any, model: Model, latents: "torch.Tensor", captions: Sequence[str], draw: Draw
) -> "torch.Tensor":
    """Loss of each window, (B,)."""
    import torch

    device = next(model.transformer.parameters()).device
    said = [c if keep else "" for c, keep in zip(captions, draw.keep_text, strict=True)]
    ids, mask = tokenize(model, said)
    tensors = (latents, draw.noise, torch.from_numpy(draw.sigma), torch.from_numpy(draw.known), ids, mask)
    return module(*(t.to(device) for t in tensors))


def loss_module(model: Model) -> Any:
    """The module that batch_loss calls, for evaluation outside a training loop."""
    return _flow_loss(model)


class Average:
    """Exponential moving average of trained weights, slower as it gets older."""

    def __init__(self, parameters: "Sequence[torch.Tensor]", decay: float) -> None:
        self.decay = decay
        self.kept = [p.detach().clone() for p in parameters]

    def update(self, parameters: "Sequence[torch.Tensor]", step: int) -> None:
        import torch

        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, now in zip(self.kept, parameters, strict=True):
                kept.lerp_(now, 1 - decay)

    def put_into(self, parameters: "Sequence[torch.Tensor]") -> None:
        import torch

        with torch.no_grad():
            for target, kept in zip(parameters, self.kept, strict=True):
                target.copy_(kept)


def _prepare(model: Model, settings: FlowTraining, seed: int) -> "list[torch.Tensor]":
    """Choose what is trained: all, or low-rank adapters in the transformer and the whole small text encoder."""
    import torch

    if settings.method == "lora":
        from peft import LoraConfig

        model.transformer.requires_grad_(False)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            rank = settings.lora_rank
            config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(LORA_TARGETS))
            model.transformer.add_adapter(config)
    modules = (model.transformer, model.text_encoder)
    return [p for module in modules for p in module.parameters() if p.requires_grad]


@dataclass
class _Run:
    """The moving parts of one flow training."""

    model: Model
    settings: FlowTraining
    trained: "list[torch.Tensor]"
    optimizer: Any
    average: Average
    feed: WindowFeed
    progress: Progress

    def state(self, usage: UsageRecorder) -> dict[str, Any]:
        return {
            "step": self.progress.step,
            "losses": self.progress.losses,
            "usage": usage.state(),
            "feed": self.feed.state(),
            "weights": [p.detach() for p in self.trained],
            "average": self.average.kept,
            "optimizer": self.optimizer.state_dict(),
        }

    @contextmanager
    def averaged(self) -> Generator[None]:
        """The model as its moving average, for looking at it in the middle of training."""
        raw = [p.detach().clone() for p in self.trained]
        self.average.put_into(self.trained)
        self.model.eval()
        yield
        for target, kept in zip(self.trained, raw, strict=True):
            target.data.copy_(kept)
        self.model.transformer.train()
        self.model.text_encoder.train()

    def restore(self, state: dict[str, Any], *, main: bool) -> None:
        import torch

        with torch.no_grad():
            for target, kept in zip(self.trained, state["weights"], strict=True):
                target.copy_(kept)
        self.average.kept = list(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.feed.restore(state["feed"])
        # counts in the state are summed over ranks, so one rank carries them on
        usage = UsageRecorder.restore(state["usage"]) if main else UsageRecorder()
        self.progress = Progress(int(state["step"]), list(state["losses"]), usage)


def _house_part(settings: FlowTraining) -> int:
    return round(settings.batch * settings.house_share)


def train_flow(
    model: Model,
    licensed: Footage,
    settings: FlowTraining,
    *,
    seed: int,
    house: Footage | None = None,
    feed: WindowFeed | None = None,
    hooks: Hooks | None = None,
) -> Progress:
    """Train transformer and text encoder in place; they end as the moving average.

    Each rank draws the whole batch's chance and consumes (and counts) its own share of it. Resumes from
    hooks.state_path where a state is there. progress.stopped says that it ended before settings.steps.
    """
    import torch

    hooks = hooks or Hooks()
    accelerator = make_accelerator()
    trained = _prepare(model, settings, seed)
    betas = (0.9, settings.beta2)
    words = {id(p) for p in model.text_encoder.parameters()}
    # at full rate the encoder flees from being noise: all captions become alike before any is of use
    groups = [
        {"params": [p for p in trained if id(p) not in words], "share": 1.0},
        {"params": [p for p in trained if id(p) in words], "share": settings.text_lr},
    ]
    optimizer = torch.optim.AdamW(groups, settings.lr, betas, weight_decay=settings.weight_decay, fused=True)
    feed = feed or WindowFeed(licensed.windows, seed)
    run = _Run(model, settings, trained, optimizer, Average(trained, settings.ema), feed, Progress())
    state = load_state(hooks.state_path)
    if state is not None:
        run.restore(state, main=accelerator.is_main_process)
    module, run.optimizer = accelerator.prepare(_flow_loss(model), optimizer)
    model.transformer.train()
    model.text_encoder.train()
    while run.progress.step < settings.steps:
        stop = hooks.should_stop is not None and hooks.should_stop()
        if stop or not _step(run, module, accelerator, licensed, house, seed):
            run.progress.stopped = True
            break
        if hooks.on_step is not None:
            hooks.on_step("flow", run.progress.step, settings.steps, run.progress.losses[-1])
        if hooks.validate is not None and hooks.validate_every and run.progress.step % hooks.validate_every == 0:
            with run.averaged():
                hooks.validate(run.progress.step)
        if run.progress.step % hooks.save_every == 0:
            _save(run, hooks, accelerator)
    _save(run, hooks, accelerator)
    run.progress.usage = gather_usage(run.progress.usage, accelerator.num_processes)
    run.average.put_into(trained)
    if settings.method == "lora":
        model.transformer.fuse_lora()
        model.transformer.unload_lora()
    model.eval()
    model.transformer.requires_grad_(True)
    return run.progress


def _step(run: _Run, module: Any, accelerator: Any, licensed: Footage, house: Footage | None, seed: int) -> bool:
    """One optimizer step; False where no licensed window is admitted any more."""
    import torch

    progress, settings = run.progress, run.settings
    rng = step_rng(seed, progress.step, STAGE)
    from_house = _house_part(settings) if house is not None else 0
    picks = [(licensed, i) for i in run.feed.take(settings.batch - from_house)]
    if run.feed.exhausted:
        return False
    if house is not None:
        picks += [(house, int(i)) for i in rng.integers(len(house.windows), size=from_house)]
    latents = torch.stack([footage.latents[i] for footage, i in picks]).float()
    draw = draw_batch(rng, latents, settings, run.model.shift)
    mine = slice(accelerator.process_index, None, accelerator.num_processes)
    draw = Draw(draw.known[mine], draw.sigma[mine], draw.noise[mine], draw.keep_text[mine])
    windows = [footage.windows[i] for footage, i in picks[mine]]
    for group in run.optimizer.param_groups:
        peak = settings.lr * group["share"]
        group["lr"] = learning_rate(progress.step, settings.steps, peak, settings.warmup, settings.final_lr)
    loss = batch_loss(module, run.model, latents[mine], [w.caption for w in windows], draw).mean()
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(run.trained, settings.clip_norm)
    run.optimizer.step()
    run.optimizer.zero_grad()
    run.average.update(run.trained, progress.step)
    for window in windows:
        progress.usage.count(window.item, window.source, window.frames)
    progress.losses.append(float(loss.detach()))
    progress.step += 1
    return True


def _save(run: _Run, hooks: Hooks, accelerator: Any) -> None:
    if hooks.state_path is None:
        return
    usage = gather_usage(run.progress.usage, accelerator.num_processes)
    if accelerator.is_main_process:
        save_state(hooks.state_path, run.state(usage))
