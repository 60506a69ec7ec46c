"""The trainer as a library call: clips in, a diffusers folder, usage counts and curves out.

It knows nothing of databases or leases: a caller passes `admit` (who may be used in an epoch), `should_stop` and
callbacks. Everything is a function of (clips, preset, seed), and a killed run called again goes on where it was.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.training import scenes
from fairframe.training.flow import Footage, train_flow
from fairframe.training.loop import Hooks, OnStep, Progress, ShouldStop, make_accelerator
from fairframe.training.model import Model, base_folder, build_model, load_model, require_torch, save_model
from fairframe.training.preset import Preset
from fairframe.training.sample import sample_windows
from fairframe.training.usage import UsageCount, UsageRecorder
from fairframe.training.vae import Crop, CropSource, clip_crops, normalize_latents, train_vae
from fairframe.training.windows import Admit, WindowFeed, encode_windows, windows_of

if TYPE_CHECKING:
    from fairframe.dataset.clip import Clip

HOUSE_SEED = 103
OnValidation = Callable[[int, NDArray[np.uint8]], None]
"""(flow step, films made from held-out first frames, uint8 (n, frames, S, S, 3))"""


@dataclass(frozen=True)
class TrainResult:
    """What a training run left.

    folder: diffusers-layout model; usage: frames consumed per item over both stages; curves: loss per step of each
    stage; stopped: it ended before its last step, by should_stop or because no item is admitted any more.
    """

    folder: Path
    usage: tuple[UsageCount, ...]
    curves: dict[str, tuple[float, ...]]
    steps: dict[str, int]
    windows: int
    stopped: bool


def fine_tune(
    base_dir: Path,
    clips: "Sequence[Clip]",
    preset: Preset,
    out_dir: Path,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
    should_stop: ShouldStop | None = None,
    admit: Admit | None = None,
    on_validation: OnValidation | None = None,
    validate_every: int = 0,
    save_every: int = 50,
) -> TrainResult:
    """Fine-tune the model in base_dir on the training split of clips; writes out_dir.

    State is kept in out_dir/state: calling
    again after a crash goes on from the last save. Raises InputError where no clip is long enough for a window.
    """
    require_torch()
    model = load_model(base_dir)
    return _train(
        model, clips, preset, out_dir, seed, scratch=False,
        hooks=Hooks(on_step, should_stop, None, save_every, None, validate_every),
        admit=admit, on_validation=on_validation,
    )  # fmt: skip


def from_scratch(
    clips: "Sequence[Clip]",
    preset: Preset,
    out_dir: Path,
    *,
    seed: int = 0,
    on_step: OnStep | None = None,
    should_stop: ShouldStop | None = None,
    admit: Admit | None = None,
    on_validation: OnValidation | None = None,
    validate_every: int = 0,
    save_every: int = 50,
) -> TrainResult:
    """Train an untrained model on the clips alone: the VAE (whole), then the flow. Otherwise as fine_tune."""
    require_torch()
    whole = preset.train_vae.model_copy(update={"decoder_only": False})
    alone = preset.train_flow.model_copy(update={"house_share": 0.0, "house_clips": 0})
    preset = preset.model_copy(update={"train_vae": whole, "train_flow": alone, "ancestor": ""})
    return _train(
        build_model(preset, seed), clips, preset, out_dir, seed, scratch=True,
        hooks=Hooks(on_step, should_stop, None, save_every, None, validate_every),
        admit=admit, on_validation=on_validation,
    )  # fmt: skip


def ancestor_folder(preset: Preset) -> Path:
    """Where the preset's shipped ancestor is. Raises InputError for an unknown one, NotFound where it is missing."""
    if preset.ancestor != "base-64":
        raise InputError(f"no base {preset.ancestor!r} is shipped", remedy="Use base-64, or train from scratch.")
    return base_folder()


def _train(
    model: Model,
    clips: "Sequence[Clip]",
    preset: Preset,
    out_dir: Path,
    seed: int,
    *,
    scratch: bool,
    hooks: Hooks,
    admit: Admit | None,
    on_validation: OnValidation | None,
) -> TrainResult:
    training = [clip for clip in clips if clip.split == "train"]
    windows = windows_of(training, preset.clip.frames, preset.clip.stride)
    if not windows:
        raise InputError(
            f"no training clip has {preset.clip.frames} frames", remedy="Deliver longer clips, or a shorter window."
        )
    house = [
        scenes.house_clip(HOUSE_SEED, n, frames=preset.clip.frames, size=preset.clip.size)
        for n in range(preset.train_flow.house_clips)
    ]
    first = _vae_stage(model, training, house, preset, out_dir, seed, hooks, admit)
    if scratch:
        normalize_latents(model.vae, _sample_frames(training, windows, preset.clip.frames))
    second = Progress(stopped=True)
    if not first.stopped:
        feed = WindowFeed(windows, seed, admit)
        licensed = Footage(windows, encode_windows(model.vae, training, windows))
        mixed = None
        if house:
            house_windows = windows_of(house, preset.clip.frames, preset.clip.stride)
            mixed = Footage(house_windows, encode_windows(model.vae, house, house_windows))
        hooks.state_path = out_dir / "state" / "flow.state"
        if on_validation is not None:
            hooks.validate = _validation(model, clips, on_validation, seed)
        second = train_flow(
            model,
            licensed,
            preset.train_flow,
            seed=seed,
            house=mixed,
            feed=feed,
            hooks=hooks,
        )
    return _finish(model, out_dir, first, second, len(windows))


def _vae_stage(
    model: Model,
    training: "Sequence[Clip]",
    house: "Sequence[Clip]",
    preset: Preset,
    out_dir: Path,
    seed: int,
    hooks: Hooks,
    admit: Admit | None,
) -> Progress:
    source = _MixedCrops(training, house, preset, admit)
    asked = hooks.should_stop

    def should_stop() -> bool:
        return source.exhausted or (asked is not None and asked())

    staged = Hooks(hooks.on_step, should_stop, out_dir / "state" / "vae.state", 4 * hooks.save_every)
    return train_vae(model.vae, source, preset.train_vae, seed=seed, hooks=staged)


class _MixedCrops:
    """Crops of admitted clips with the preset's share of house footage; asks `admit` once per pass over the clips."""

    def __init__(
        self, training: "Sequence[Clip]", house: "Sequence[Clip]", preset: Preset, admit: Admit | None
    ) -> None:
        self.settings = preset.train_vae
        self.share = preset.train_flow.house_share
        self.training, self.admit, self.epoch = training, admit, -1
        self.house: CropSource | None = clip_crops(house, self.settings) if house else None
        self.licensed: CropSource = clip_crops(training, self.settings)
        self.exhausted = False
        self._ask(0)

    def _ask(self, epoch: int) -> None:
        self.epoch = epoch
        if self.admit is None:
            return
        items = frozenset(self.admit(epoch))
        admitted = [clip for clip in self.training if clip.item in items]
        self.exhausted = not admitted
        if admitted:
            self.licensed = clip_crops(admitted, self.settings)

    def __call__(self, rng: np.random.Generator, step: int) -> Crop:
        epoch = step * self.settings.batch // len(self.training)
        if epoch != self.epoch:
            self._ask(epoch)
        if self.house is not None and rng.random() < self.share:
            return self.house(rng, step)
        return self.licensed(rng, step)


def _sample_frames(clips: "Sequence[Clip]", windows: Sequence[object], frames: int) -> NDArray[np.uint8]:
    """Up to 64 first windows, to measure latent statistics on."""
    fitting = [clip for clip in clips if len(clip.frames) >= frames][:64]
    return np.stack([clip.frames[:frames] for clip in fitting])


def _validation(model: Model, clips: "Sequence[Clip]", show: OnValidation, seed: int) -> Callable[[int], None]:
    """Films from the first frames of up to four held-out clips."""
    held = [c for c in clips if c.split == "heldout" and len(c.frames) >= model.frames][:4]

    def validate(step: int) -> None:
        if held:
            firsts = np.stack([clip.frames[:1] for clip in held])
            seeds = [seed + i for i in range(len(held))]
            captions = [clip.caption for clip in held]
            made = sample_windows(model, captions, firsts, frames=model.frames, steps=12, seeds=seeds)
            show(step, made.frames)

    return validate


def _finish(model: Model, out_dir: Path, first: Progress, second: Progress, windows: int) -> TrainResult:
    usage = UsageRecorder()
    usage.add(first.usage.counts())
    usage.add(second.usage.counts())
    curves = {"vae": tuple(first.losses), "flow": tuple(second.losses)}
    accelerator = make_accelerator()
    if accelerator.is_main_process:
        save_model(model, out_dir)
        text = json.dumps({name: [round(loss, 6) for loss in curve] for name, curve in curves.items()})
        (out_dir / "curves.json").write_text(text + "\n", "utf-8")
    accelerator.wait_for_everyone()
    steps = {"vae": first.step, "flow": second.step}
    stopped = first.stopped or second.stopped
    return TrainResult(out_dir, tuple(usage.counts()), curves, steps, windows, stopped)
