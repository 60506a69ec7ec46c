"""What both training loops share: the step's randomness, the learning rate, and a state file for exact resume.

All randomness of a step is a function of (seed, step), so the state needs no generators: weights, optimizer,
averages, step, usage and curve are enough to go on exactly where a killed run was.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairframe.training.usage import UsageRecorder

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

OnStep = Callable[[str, int, int, float], None]
"""(stage "vae" or "flow", steps done, steps in all, loss)"""
ShouldStop = Callable[[], bool]


@dataclass
class Hooks:
    """What a caller may hang into a loop."""

    on_step: OnStep | None = None
    should_stop: ShouldStop | None = None
    state_path: Path | None = None
    save_every: int = 200
    validate: Callable[[int], None] | None = None
    """called with the flow's step every `validate_every` steps, while the model holds its moving average"""
    validate_every: int = 0


@dataclass
class Progress:
    """Where a loop is; part of the state."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    usage: UsageRecorder = field(default_factory=UsageRecorder)
    stopped: bool = False


def make_accelerator() -> "Accelerator":
    """Accelerate's view of the machine; under torchrun each process is a rank."""
    import torch
    from accelerate import Accelerator

    return Accelerator(cpu=not torch.cuda.is_available())


def step_rng(seed: int, step: int, stage: int) -> np.random.Generator:
    return np.random.default_rng((seed, stage, step))


def torch_rng(rng: np.random.Generator) -> "torch.Generator":
    import torch

    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def learning_rate(step: int, steps: int, peak: float, warmup: int, final: float) -> float:
    """Linear warm-up, then a cosine from `peak` to `final * peak` at the last step."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def save_state(path: Path, state: Any) -> None:
    """Write a state so that a crash leaves either the old one or the new one, whole."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def load_state(path: Path | None) -> dict[str, Any] | None:
    """The state of an unfinished run, or None. Only tensors and plain values are read, never pickled code."""
    import torch

    if path is None or not path.is_file():
        return None
    return torch.load(path, map_location="cpu", weights_only=True)


def gather_usage(usage: UsageRecorder, world: int) -> UsageRecorder:
    """Usage summed over ranks (the same object's sum on one rank)."""
    if world == 1:
        return usage
    from accelerate.utils import gather_object

    return usage.merged(gather_object)
