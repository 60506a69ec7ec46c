"""Make the house base: VAE, decoder, words, flow, evaluation, package. `python -m fairframe.training.base`.

All footage is rendered by training/scenes.py from the seeds below. A killed run called again goes on where it was.
"""

import argparse
import hashlib
import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fairframe.dataset.clip import Clip
from fairframe.platform.objects import sha256_file
from fairframe.training import palette, scenes
from fairframe.training.evaluate import evaluate
from fairframe.training.flow import Footage, tokenize, train_flow
from fairframe.training.loop import Hooks, Progress, learning_rate, save_state
from fairframe.training.model import Model, build_model, load_model, save_model
from fairframe.training.preset import ClipShape, Preset, load_preset
from fairframe.training.trainer import HOUSE_SEED
from fairframe.training.vae import Crop, crop_frames, encode, normalize_latents, train_vae
from fairframe.training.windows import Window

LEAVES_SEED, SCENES_SEED, HELDOUT_SEED = 101, 102, 104
HELDOUT_CLIPS = 32
WORDS_STEPS, WORDS_BATCH = 800, 32


@dataclass(frozen=True)
class Bank:
    """Rendered footage for the VAE, replaced every `refresh` steps; which clips are in it depends on the step only."""

    leaves: int = 1000
    scenes: int = 400
    refresh: int = 8000

    def render(self, era: int) -> list[Crop]:
        crops: list[Crop] = []
        for n in range(era * self.leaves, (era + 1) * self.leaves):
            frames = scenes.layered_leaves(LEAVES_SEED, n)
            crops.append(Crop(frames, f"house:{LEAVES_SEED}:{n}", "house"))
        for n in range(era * self.scenes, (era + 1) * self.scenes):
            clip = scenes.house_clip(SCENES_SEED, n)
            crops.append(Crop(clip.frames, clip.item, clip.source))
        return crops


class HouseCrops:
    """The VAE's crop source: a share of dead leaves (two in three by default), the rest captioned scenes."""

    def __init__(self, frames: int, side: int, bank: Bank | None = None, leaves: float = 0.67) -> None:
        self.frames, self.side, self.bank, self.leaves = frames, side, bank or Bank(), leaves
        self._era = -1
        self._crops: list[Crop] = []

    def __call__(self, rng: np.random.Generator, step: int) -> Crop:
        era = step // self.bank.refresh
        if era != self._era:
            self._era, self._crops = era, self.bank.render(era)
        leaves = rng.random() < self.leaves
        pick = int(rng.integers(self.bank.leaves)) if leaves else self.bank.leaves + int(rng.integers(self.bank.scenes))
        whole = self._crops[pick]
        piece = crop_frames(whole.frames, rng, self.frames, self.side)
        piece = piece[..., rng.permutation(3)] if leaves else piece
        return Crop(np.ascontiguousarray(piece), whole.item, whole.source)


def heldout_clips(preset: Preset, count: int = HELDOUT_CLIPS) -> list[Clip]:
    """Rendered clips that no training seed makes."""
    shape = preset.clip
    return [
        scenes.house_clip(HELDOUT_SEED, n, frames=shape.frames, size=shape.size, split="heldout") for n in range(count)
    ]


class _Log:
    """Mean loss of every 50 steps and where time went, as lines in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recent: list[float] = []

    def __call__(self, stage: str, step: int, steps: int, loss: float) -> None:
        self._recent.append(loss)
        if step % 50 == 0 or step == steps:
            clock = time.strftime("%H:%M:%S", time.gmtime())
            with self._path.open("a") as file:
                file.write(f"{clock} {stage} {step}/{steps} {np.mean(self._recent):.5f}\n")
            self._recent.clear()


def make_vae(model: Model, preset: Preset, out: Path, seed: int, bank: Bank | None = None) -> Progress:
    import torch

    source = HouseCrops(preset.train_vae.frames, preset.train_vae.crop, bank)
    hooks = Hooks(_Log(out / "train.log"), None, out / "vae.state", 500)
    progress = train_vae(model.vae, source, preset.train_vae, seed=seed, hooks=hooks)
    kept = out / "statistics.pt"
    if kept.is_file():
        found = torch.load(kept, weights_only=True)
        model.vae.latents_mean.copy_(found["mean"])
        model.vae.latents_std.copy_(found["std"])
        return progress
    shape = preset.clip
    clips = [scenes.house_clip(SCENES_SEED, n, frames=shape.frames, size=shape.size) for n in range(128)]
    normalize_latents(model.vae, np.stack([clip.frames for clip in clips]))
    save_state(kept, {"mean": model.vae.latents_mean, "std": model.vae.latents_std})
    return progress


def make_polish(model: Model, preset: Preset, out: Path, seed: int, bank: Bank | None = None) -> Progress:
    """Train the decoder further, mostly on captioned scenes: what flat ground and clean edges need."""
    if preset.polish is None:
        return Progress()
    source = HouseCrops(preset.polish.frames, preset.polish.crop, bank or Bank(400, 1000, 10**9), 0.25)
    hooks = Hooks(_Log(out / "train.log"), None, out / "polish.state", 500)
    return train_vae(model.vae, source, preset.polish, seed=seed + 1, hooks=hooks)


def make_words(model: Model, out: Path, seed: int, steps: int = WORDS_STEPS, batch: int = WORDS_BATCH) -> list[float]:
    """Teach the text encoder words before pictures: from a caption alone, the mean of its output names the scene.

    Captions are free, and few windows have nothing but their caption to go by; returns the loss of each step.
    """
    import torch

    kept = out / "words.pt"
    if kept.is_file():
        model.text_encoder.load_state_dict(torch.load(kept, weights_only=True))
        return []
    looks = (scenes.HOUSE, scenes.NEW)
    values = {
        "motion": scenes.MOTIONS, "camera": scenes.CAMERAS,
        **{name: sorted({v for look in looks for v in getattr(look, kind)}) for name, kind in (
            ("color", "colors"), ("ground_color", "colors"), ("shape", "shapes"),
            ("texture", "textures"), ("ground", "grounds"),
        )},
    }  # fmt: skip
    width = int(model.text_encoder.config.d_model)
    torch.manual_seed(seed)
    heads = torch.nn.ModuleDict({name: torch.nn.Linear(width, len(found)) for name, found in values.items()})
    trained = [*model.text_encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(trained, 2e-3, (0.9, 0.99), fused=True)
    losses: list[float] = []
    log = _Log(out / "train.log")
    for step in range(steps):
        rng = np.random.default_rng((seed, 5, step))
        said = [scenes.sample_scene(rng, looks[i % 2]) for i in range(batch)]
        ids, mask = tokenize(model, [scene.caption for scene in said])
        found = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        mean = (found * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        loss = torch.zeros(())
        for name, known in values.items():
            targets = torch.tensor([known.index(_seen(scene, name)) for scene in said])
            loss = loss + torch.nn.functional.cross_entropy(heads[name](mean), targets)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, 2e-3, 50, 0.02)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        log("words", step + 1, steps, losses[-1])
    save_state(kept, model.text_encoder.state_dict())
    return losses


def _seen(scene: scenes.Scene, name: str) -> str:
    """An attribute as far as the caption tells it: leaves have no color of their own."""
    if name == "ground_color" and scene.ground == "leaves":
        return scene.color
    return str(getattr(scene, name))


def _pictures(numbers: range, shape: ClipShape) -> scenes.Frames:
    """Frames of the flow's clips, (N, F, S, S, 3)."""
    return np.stack([scenes.house_clip(HOUSE_SEED, n, frames=shape.frames, size=shape.size).frames for n in numbers])


def make_flow(model: Model, preset: Preset, out: Path, seed: int, clips: int) -> Progress:
    """Latents of `clips` rendered clips are made once (kept beside the state), then only the transformer runs."""
    import torch

    shape = preset.clip
    windows = [
        Window(n, 0, shape.frames, f"house:{HOUSE_SEED}:{n}", "house", scenes.house_caption(HOUSE_SEED, n))
        for n in range(clips)
    ]
    kept = out / "latents.pt"
    if kept.is_file():
        latents = torch.load(kept, weights_only=True)
    else:
        # a few at a time: the pictures of all of them would take gigabytes
        latents = torch.cat(
            [encode(model.vae, _pictures(range(i, min(i + 8, clips)), shape)) for i in range(0, clips, 8)]
        )
        save_state(kept, latents)
    hooks = Hooks(_Log(out / "train.log"), None, out / "flow.state", 50)
    return train_flow(model, Footage(windows, latents), preset.train_flow, seed=seed, hooks=hooks)


def _thin(losses: list[float], every: int) -> list[float]:
    """Means of `every` losses each."""
    return [round(float(np.mean(losses[i : i + every])), 5) for i in range(0, len(losses), every)]


def pack(model: Model, preset: Preset, out: Path, seed: int, clips: int, runs: dict[str, Progress]) -> Path:
    """Write out/base-64: weights in 16-bit floats, recipe, curves, and base.json with hashes and evaluation."""
    folder = out / "base-64"
    save_model(model, folder, half=True)
    shipped = load_model(folder)
    found = {"rendered": evaluate(shipped, heldout_clips(preset)).to_dict()}
    curves = {name: _thin(run.losses, 100 if name != "flow" else 10) for name, run in runs.items()}
    (folder / "curves.json").write_text(json.dumps(curves) + "\n", "utf-8")
    (folder / "recipe.toml").write_text(_toml(preset), "utf-8")
    times = resource.getrusage(resource.RUSAGE_SELF)
    renderer = hashlib.sha256(Path(scenes.__file__).read_bytes() + Path(palette.__file__).read_bytes())
    record: dict[str, Any] = {
        "name": "base-64",
        "ancestors": [],
        "footage": "rendered by fairframe/training/scenes.py; no other picture was used",
        "renderer_sha256": renderer.hexdigest(),
        "seeds": {
            "run": seed, "vae_leaves": LEAVES_SEED, "vae_scenes": SCENES_SEED,
            "flow_scenes": HOUSE_SEED, "heldout_scenes": HELDOUT_SEED,
        },
        "flow_clips": clips,
        "captions_read_before_pictures": WORDS_STEPS * WORDS_BATCH,
        "usage": {
            name: {"method": "measured", "items": len(run.usage.counts()), "frames": run.usage.total()}
            for name, run in runs.items()
        },
        "parameters": model.parameters(),
        "steps": {name: run.step for name, run in runs.items()},
        "pack_cpu_s": round(times.ru_utime + times.ru_stime),
        "evaluation": found,
    }  # fmt: skip
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "base.json")
    record["files"] = {str(p.relative_to(folder)): sha256_file(p) for p in files}
    (folder / "base.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", "utf-8")
    return folder


def _toml(preset: Preset) -> str:
    """The resolved preset as TOML (flat tables of scalars and lists: JSON's spelling of those is TOML's too)."""
    lines: list[str] = []
    tables = preset.model_dump(mode="json", exclude_none=True)
    lines += [f"{key} = {json.dumps(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for state and result")
    parser.add_argument("--vae-steps", type=int)
    parser.add_argument("--flow-steps", type=int)
    parser.add_argument("--polish-steps", type=int)
    parser.add_argument("--clips", type=int, default=9000, help="rendered clips for the flow")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only-vae", action="store_true", help="stop after the VAE; call again for the rest")
    return parser.parse_args()


def main() -> None:
    import torch

    arguments = _arguments()
    preset = load_preset("base-64")
    changes: dict[str, Any] = {}
    if arguments.vae_steps is not None:
        changes["train_vae"] = preset.train_vae.model_copy(update={"steps": arguments.vae_steps})
    if arguments.flow_steps is not None:
        changes["train_flow"] = preset.train_flow.model_copy(update={"steps": arguments.flow_steps})
    if arguments.polish_steps is not None and preset.polish is not None:
        changes["polish"] = preset.polish.model_copy(update={"steps": arguments.polish_steps})
    preset = preset.model_copy(update=changes)
    torch.set_num_threads(1)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    model = build_model(preset, arguments.seed)
    runs = {"vae": make_vae(model, preset, out, arguments.seed)}
    runs["polish"] = make_polish(model, preset, out, arguments.seed)
    if arguments.only_vae:
        return
    make_words(model, out, arguments.seed)
    runs["flow"] = make_flow(model, preset, out, arguments.seed, arguments.clips)
    folder = pack(model, preset, out, arguments.seed, arguments.clips, runs)
    print(f"the base is in {folder}")


if __name__ == "__main__":
    main()
