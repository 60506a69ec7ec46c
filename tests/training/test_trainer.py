"""The trainer: exact resume, usage that is never counted twice, admission per epoch, and what it writes."""

import hashlib
import json
import pickle
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.dataset.clip import Clip
from fairframe.training.preset import Preset, VaeTraining
from fairframe.training.trainer import TrainResult, fine_tune, from_scratch
from fairframe.training.vae import latent_side

pytestmark = pytest.mark.torch

MakePreset = Callable[..., Preset]
MakeClips = Callable[..., list[Clip]]


def weights(folder: Path) -> str:
    """One hash over every weight file."""
    files = sorted(folder.rglob("*.safetensors"))
    assert len(files) == 3
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()


def frames_of(result: TrainResult) -> dict[str, int]:
    return {count.item: count.frames for count in result.usage}


def test_from_scratch_writes_a_folder_and_counts_every_frame(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips
) -> None:
    seen: list[tuple[str, int, int]] = []
    result = from_scratch(
        small_clips(), small_preset(3, 4), tmp_path / "m", seed=1, on_step=lambda s, i, n, loss: seen.append((s, i, n))
    )
    assert seen == [("vae", 1, 3), ("vae", 2, 3), ("vae", 3, 3), *(("flow", i, 4) for i in range(1, 5))]
    assert sum(frames_of(result).values()) == 3 * 2 * 5 + 4 * 4 * 5
    assert {count.source for count in result.usage} == {"dlv_one"}
    assert not {"itm_4", "itm_5"} & set(frames_of(result)), "held-out clips must not be trained on"
    assert json.loads((result.folder / "model_index.json").read_text())["vae"] == ["diffusers", "AutoencoderKLLTXVideo"]
    assert len(json.loads((result.folder / "curves.json").read_text())["flow"]) == 4
    assert not result.stopped


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    runs = [from_scratch(small_clips(), small_preset(2, 3), tmp_path / f"{i}", seed=s) for i, s in enumerate((1, 1, 2))]
    assert runs[0].curves == runs[1].curves
    assert weights(runs[0].folder) == weights(runs[1].folder)
    assert weights(runs[0].folder) != weights(runs[2].folder)


KILLED = """
    import os, pickle, signal, sys
    from pathlib import Path
    import torch
    from fairframe.training.trainer import from_scratch
    torch.set_num_threads(1)
    clips, preset, out, stage, at = pickle.loads(Path(sys.argv[1]).read_bytes())
    def on_step(name, step, steps, loss):
        if name == stage and step == at:
            os.kill(os.getpid(), signal.SIGKILL)
    from_scratch(clips, preset, out, seed=4, on_step=on_step, save_every=2)
"""


@pytest.mark.parametrize(("stage", "at"), [("vae", 9), ("flow", 7)])
def test_a_killed_run_goes_on_exactly_and_counts_once(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips, stage: str, at: int
) -> None:
    import pickle

    clips, preset = small_clips(), small_preset(10, 8)
    whole = from_scratch(clips, preset, tmp_path / "whole", seed=4, save_every=2)
    plan = tmp_path / "plan"
    plan.write_bytes(pickle.dumps((clips, preset, tmp_path / "cut", stage, at)))
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(plan)], timeout=120, check=False)
    assert died.returncode == -signal.SIGKILL
    again = from_scratch(clips, preset, tmp_path / "cut", seed=4, save_every=2)
    assert again.curves == whole.curves
    assert again.usage == whole.usage
    assert weights(again.folder) == weights(whole.folder)
    once_more = from_scratch(clips, preset, tmp_path / "cut", seed=4, save_every=2)
    assert once_more.usage == whole.usage


@pytest.mark.parametrize("method", ["full", "lora"])
def test_fine_tuning_mixes_house_footage_and_counts_it(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips, method: str
) -> None:
    base = from_scratch(small_clips(), small_preset(1, 1), tmp_path / "base", seed=1)
    preset = small_preset(2, 4, house_share=0.5, house_clips=3, method=method, lora_rank=2)
    tuned = fine_tune(base.folder, small_clips(), preset, tmp_path / "tuned", seed=2)
    flow_house = 4 * 2 * 5
    by_source = {s: sum(c.frames for c in tuned.usage if c.source == s) for s in ("house", "dlv_one")}
    assert by_source["house"] >= flow_house
    assert sum(by_source.values()) == 2 * 2 * 5 + 4 * 4 * 5
    assert weights(tuned.folder) != weights(base.folder)
    alone = small_preset(2, 4, method=method, lora_rank=2)
    plain = fine_tune(base.folder, small_clips(), alone, tmp_path / "plain", seed=2)
    assert {c.source for c in plain.usage} == {"dlv_one"}


def test_decoder_only_leaves_the_latent_space(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    from fairframe.training.model import load_model
    from fairframe.training.vae import encode

    base = from_scratch(small_clips(), small_preset(1, 1), tmp_path / "base", seed=1)
    preset = small_preset(3, 1)
    preset = preset.model_copy(update={"train_vae": preset.train_vae.model_copy(update={"decoder_only": True})})
    tuned = fine_tune(base.folder, small_clips(), preset, tmp_path / "tuned", seed=2)
    frames = np.stack([c.frames[:5] for c in small_clips()])
    before, after = (encode(load_model(f).vae, frames) for f in (base.folder, tuned.folder))
    assert bool((before == after).all())


def test_a_revoked_item_is_not_used_from_the_next_epoch_on(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips
) -> None:
    asked: list[int] = []

    def admit(epoch: int) -> set[str]:
        asked.append(epoch)
        items = {f"itm_{n}" for n in range(4)}
        return items if epoch == 0 else items - {"itm_1"}

    base = from_scratch(small_clips(), small_preset(0, 0), tmp_path / "base", seed=1)
    preset = small_preset(0, 10)  # 8 windows, 4 a step: 2 steps an epoch
    result = fine_tune(base.folder, small_clips(), preset, tmp_path / "tuned", seed=2, admit=admit)
    assert frames_of(result)["itm_1"] == 2 * 5, "both of its windows, in epoch 0 only"
    assert frames_of(result)["itm_0"] > 2 * 5
    assert sorted(set(asked)) == list(range(max(asked) + 1))


def test_training_stops_where_nobody_is_admitted(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips
) -> None:
    base = from_scratch(small_clips(), small_preset(0, 0), tmp_path / "base", seed=1)

    def admit(epoch: int) -> set[str]:
        return {"itm_0", "itm_1", "itm_2", "itm_3"} if epoch < 2 else set()

    result = fine_tune(base.folder, small_clips(), small_preset(0, 10), tmp_path / "tuned", seed=2, admit=admit)
    assert result.stopped
    assert result.steps["flow"] == 4
    none = fine_tune(base.folder, small_clips(), small_preset(2, 10), tmp_path / "none", admit=lambda _: set())
    assert none.stopped
    assert none.usage == ()


def test_should_stop_keeps_what_was_done(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    steps: list[int] = []
    first = from_scratch(
        small_clips(),
        small_preset(0, 6),
        tmp_path / "m",
        on_step=lambda s, i, n, loss: steps.append(i),
        should_stop=lambda: len(steps) >= 3,
    )
    assert first.stopped
    assert first.steps == {"vae": 0, "flow": 3}
    rest = from_scratch(small_clips(), small_preset(0, 6), tmp_path / "m")
    whole = from_scratch(small_clips(), small_preset(0, 6), tmp_path / "whole")
    assert rest.curves == whole.curves
    assert rest.usage == whole.usage
    assert weights(rest.folder) == weights(whole.folder)


def test_validation_films_come_while_training(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    shown: list[tuple[int, tuple[int, ...]]] = []
    with_films = from_scratch(
        small_clips(),
        small_preset(0, 4),
        tmp_path / "a",
        on_validation=lambda step, films: shown.append((step, films.shape)),
        validate_every=2,
    )
    assert shown == [(2, (2, 5, 16, 16, 3)), (4, (2, 5, 16, 16, 3))]
    without = from_scratch(small_clips(), small_preset(0, 4), tmp_path / "b")
    assert weights(with_films.folder) == weights(without.folder), "looking must not change training"


def test_two_ranks_count_what_one_counts(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    script = tmp_path / "rank.py"
    script.write_text(
        textwrap.dedent(f"""
            import json, os, pickle
            from pathlib import Path
            import torch
            from fairframe.training.trainer import from_scratch

            torch.set_num_threads(1)
            clips, preset = pickle.loads(Path({str(tmp_path / "given")!r}).read_bytes())
            result = from_scratch(clips, preset, Path({str(tmp_path / "two")!r}))
            counts = {{count.item: count.frames for count in result.usage}}
            Path({str(tmp_path)!r}, "rank-" + os.environ["RANK"]).write_text(json.dumps(counts))
        """)
    )
    (tmp_path / "given").write_bytes(pickle.dumps((small_clips(), small_preset(2, 3))))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    alone = frames_of(from_scratch(small_clips(), small_preset(2, 3), tmp_path / "one"))
    assert [json.loads((tmp_path / f"rank-{n}").read_text()) for n in (0, 1)] == [alone, alone]
    assert weights(tmp_path / "two")


def test_a_text_encoder_at_rate_zero_stays(tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips) -> None:
    def words(folder: Path) -> bytes:
        return (folder / "text_encoder" / "model.safetensors").read_bytes()

    kept = [
        from_scratch(small_clips(), small_preset(0, steps, text_lr=rate), tmp_path / f"{steps}-{rate}").folder
        for steps, rate in ((0, 0.0), (3, 0.0), (3, 1.0))
    ]
    assert words(kept[0]) == words(kept[1]) != words(kept[2])


@given(st.integers(0, 2**32), st.integers(2, 32))
def test_shrunk_latents_are_half_as_wide_or_wider(seed: int, full: int) -> None:
    settings = VaeTraining(steps=1, equivariance=1.0)
    assert full // 2 <= latent_side(np.random.default_rng(seed), full, settings) < full
    assert latent_side(np.random.default_rng(seed), full, VaeTraining(steps=1)) == full


def test_clips_too_short_for_a_window_are_refused(
    tmp_path: Path, small_preset: MakePreset, small_clips: MakeClips
) -> None:
    with pytest.raises(InputError, match="5 frames"):
        from_scratch(small_clips(frames=3), small_preset(), tmp_path / "m")


def test_the_base_is_made_from_nothing_and_packed(tmp_path: Path, small_preset: MakePreset) -> None:
    import tomllib

    from fairframe.training import base
    from fairframe.training.model import build_model, load_model

    preset = small_preset(2, 2)
    preset = preset.model_copy(update={"polish": preset.train_vae.model_copy(update={"decoder_only": True})})
    model, bank = build_model(preset, 3), base.Bank(2, 2, 10)
    runs = {"vae": base.make_vae(model, preset, tmp_path, 3, bank)}
    runs["polish"] = base.make_polish(model, preset, tmp_path, 3, bank)
    losses = base.make_words(model, tmp_path, 3, steps=60, batch=8)
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.5
    assert base.make_words(model, tmp_path, 3) == [], "what was learned is kept"
    runs["flow"] = base.make_flow(model, preset, tmp_path, 3, clips=4)
    folder = base.pack(model, preset, tmp_path, 3, 4, runs)
    record = json.loads((folder / "base.json").read_text())
    assert record["ancestors"] == []
    assert record["usage"]["flow"]["frames"] == 2 * 4 * 5
    for name, digest in record["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert Preset.model_validate(tomllib.loads((folder / "recipe.toml").read_text())) == preset
    assert load_model(folder).size == 16
