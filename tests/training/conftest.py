"""A model and footage so small that a test takes seconds; one thread, as everywhere."""

import os
from collections.abc import Callable

import pytest

from fairframe.dataset.clip import Clip
from fairframe.training import scenes
from fairframe.training.preset import Preset

os.environ.setdefault("OMP_NUM_THREADS", "1")


def _preset(vae_steps: int = 2, flow_steps: int = 4, **flow: object) -> Preset:
    return Preset.model_validate(
        {
            "name": "small",
            "clip": {"size": 16, "frames": 5, "fps": 24, "stride": 4},
            "vae": {"latent_channels": 4, "encoder_channels": (8, 16), "decoder_channels": 16},
            "flow": {
                "patch": 1,
                "layers": 1,
                "heads": 2,
                "head_dim": 16,
                "text_width": 16,
                "text_layers": 1,
                "text_heads": 2,
            },
            "train_vae": {"steps": vae_steps, "batch": 2, "crop": 16, "frames": 5, "warmup": 0, "equivariance": 0.5},
            "train_flow": {"steps": flow_steps, "batch": 4, "warmup": 0, "lr": 1e-3, **flow},
        }
    )


def _clips(count: int = 4, frames: int = 9, heldout: int = 2) -> list[Clip]:
    clips: list[Clip] = []
    for n in range(count + heldout):
        made = scenes.house_clip(900, n, frames=frames, size=16, look=scenes.NEW)
        split = "train" if n < count else "heldout"
        clips.append(Clip(f"itm_{n}", "dlv_one", made.frames, made.caption, f"group_{n}", split))
    return clips


@pytest.fixture
def small_preset() -> Callable[..., Preset]:
    """16-pixel windows of 5 frames, one layer of everything; (vae_steps, flow_steps, **train_flow)."""
    return _preset


@pytest.fixture
def small_clips() -> Callable[..., list[Clip]]:
    """Rendered clips dressed as a delivery's: items itm_0.., the last ones held out."""
    return _clips


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("torch"):
        import torch

        torch.set_num_threads(1)
