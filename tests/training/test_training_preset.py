"""Presets: shipped ones load, unknown keys are refused, and none of it needs torch."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from fairframe.core.errors import InputError, NotFound
from fairframe.training.preset import load_preset, parse_preset, preset_names


def test_shipped_presets_load() -> None:
    assert {"tiny", "base-64"} <= set(preset_names())
    for name in preset_names():
        assert load_preset(name).name == name
    assert load_preset("tiny").ancestor == "base-64"


def test_the_recipe_beside_the_shipped_weights_is_the_preset_that_made_them() -> None:
    recipe = resources.files("fairframe.training") / "weights" / "base-64" / "recipe.toml"
    assert load_preset(Path(str(recipe))) == load_preset("base-64")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("surprise = 1\n", "surprise"),
        ("[train_flow]\nsteps = 1\nbeta3 = 0.9\n", "train_flow.beta3"),
        ("[clip]\nframes = 16\n", "clip"),
        ("[train_flow]\nsteps = 1\nfirst_frame = 0.8\nprefix = 0.8\n", "train_flow"),
        ("[train_flow]\nsteps = 1\nhouse_share = 0.5\n", "train_flow"),
        ("[train_flow]\nsteps = -1\n", "train_flow.steps"),
        ("= nonsense", "TOML"),
        ("[train_flow]\nsteps = " + "9" * 5000, "TOML"),
        ("[train_flow]\nsteps = " + "9" * 30, "train_flow.steps"),
        ("[train_flow]\nsteps = 1\nlr = inf\n", "train_flow.lr"),
        ("[train_flow]\nsteps = 1\nlr = nan\n", "train_flow.lr"),
    ],
)
def test_wrong_presets_are_refused_naming_the_key(change: str, says: str) -> None:
    text = 'name = "x"\n' + change
    if "train_flow" not in change:
        text += "\n[train_flow]\nsteps = 1\n"
    text += "\n[train_vae]\nsteps = 1\n"
    with pytest.raises(InputError) as refused:
        parse_preset(text, "my.toml")
    assert says in str(refused.value)
    assert "my.toml" in str(refused.value)


def test_a_preset_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_preset("tiny").train_flow.steps = 3  # type: ignore[misc]


def test_resolved_is_plain_and_reads_back() -> None:
    preset = load_preset("tiny")
    assert type(preset).model_validate(preset.resolved()) == preset


def test_unknown_names_and_paths() -> None:
    with pytest.raises(NotFound, match="base-64"):
        load_preset("huge")
    with pytest.raises(NotFound):
        load_preset(Path("no/such.toml"))
    with pytest.raises(NotFound):
        load_preset("../presets/tiny")


def test_every_training_module_imports_without_torch() -> None:
    names = "base evaluate flow loop model palette preset sample scenes trainer usage vae windows"
    code = "import sys\n" + "".join(f"import fairframe.training.{n}\n" for n in names.split())
    code += "heavy = {'torch', 'diffusers', 'transformers', 'accelerate', 'peft', 'cv2', 'av'} & set(sys.modules)\n"
    code += "assert not heavy, heavy\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
