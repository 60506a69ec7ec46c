"""The model: an LTX VAE, an LTX transformer and a byte-level T5, built from a preset, kept as a diffusers folder."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import MissingExtra, NotFound
from fairframe.training.preset import FlowShape, Preset, VaeShape

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_ltx import AutoencoderKLLTXVideo
    from diffusers.models.transformers.transformer_ltx import LTXVideoTransformer3DModel
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
    from transformers import ByT5Tokenizer, T5EncoderModel

PARTS = ("vae", "transformer", "text_encoder")
BYTE_VOCABULARY = 384


@dataclass(frozen=True)
class LatentShape:
    """Shape of a window's latents: (channels, frames, height, width)."""

    channels: int
    frames: int
    height: int
    width: int


@dataclass
class Model:
    """The parts of one checkpoint. `fps` and `frames` say what it was trained on (RoPE's time is in seconds)."""

    vae: "AutoencoderKLLTXVideo"
    transformer: "LTXVideoTransformer3DModel"
    text_encoder: "T5EncoderModel"
    tokenizer: "ByT5Tokenizer"
    scheduler: "FlowMatchEulerDiscreteScheduler"
    fps: int
    size: int
    frames: int
    text_bytes: int

    @property
    def patch(self) -> int:
        """Side of the square of latents that is one token."""
        return int(self.transformer.config["patch_size"])

    @property
    def shift(self) -> float:
        """How far noise levels lean toward noise, in training and sampling."""
        return float(self.scheduler.config["shift"])

    def eval(self) -> "Model":
        for part in PARTS:
            getattr(self, part).eval()
        return self

    def parameters(self) -> dict[str, int]:
        """Parameter count of each part."""
        return {part: sum(p.numel() for p in getattr(self, part).parameters()) for part in PARTS}

    def latent_shape(self, frames: int, size: int) -> LatentShape:
        side = size // self.vae.spatial_compression_ratio
        return LatentShape(
            int(self.vae.config["latent_channels"]), (frames - 1) // self.vae.temporal_compression_ratio + 1, side, side
        )


def require_torch() -> None:
    """Raise MissingExtra with its pip command where the train extra is not installed."""
    for name in ("torch", "diffusers", "transformers", "accelerate", "cv2"):
        if find_spec(name) is None:
            raise MissingExtra(f"training needs {name}", remedy='Install it: pip install "fairframe[train,media]"')


def _quiet() -> None:
    """No progress bars of the libraries: a model of this size loads at once, and the caller shows its own."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def build_vae(shape: VaeShape) -> "AutoencoderKLLTXVideo":
    """An untrained VAE, 8x8 in space and 2 in time (the first frame has a latent of its own)."""
    from diffusers.models.autoencoders.autoencoder_kl_ltx import AutoencoderKLLTXVideo

    return AutoencoderKLLTXVideo(
        latent_channels=shape.latent_channels,
        block_out_channels=shape.encoder_channels,
        down_block_types=("LTXVideo095DownBlock3D",),
        decoder_block_out_channels=(shape.decoder_channels,),
        layers_per_block=shape.encoder_layers,
        decoder_layers_per_block=shape.decoder_layers,
        spatio_temporal_scaling=(True,),
        decoder_spatio_temporal_scaling=(True,),
        decoder_inject_noise=(False, False),
        downsample_type=("spatiotemporal",),
        upsample_residual=(True,),
        upsample_factor=(shape.upsample_factor,),
        patch_size=4,
    )


def build_transformer(shape: FlowShape, latent_channels: int) -> "LTXVideoTransformer3DModel":
    """An untrained transformer whose self-attention starts as looking at the same place in every frame."""
    from diffusers.models.transformers.transformer_ltx import LTXVideoTransformer3DModel

    width = latent_channels * shape.patch**2
    transformer = LTXVideoTransformer3DModel(
        in_channels=width,
        out_channels=width,
        patch_size=shape.patch,
        num_attention_heads=shape.heads,
        attention_head_dim=shape.head_dim,
        cross_attention_dim=shape.heads * shape.head_dim,
        num_layers=shape.layers,
        caption_channels=shape.text_width,
    )
    _initialize(transformer)
    return transformer


def _initialize(transformer: "LTXVideoTransformer3DModel") -> None:
    """Start where copying is near: what little training there is then goes into motion, not into finding it.

    Queries and keys share a bias in the pairs that RoPE turns by row and column, so that attention is a kernel of
    position (mimetic initialization, Trockman and Kolter 2023), gates are open (adaLN starts at shift 0, scale 0,
    gate 1) and residual branches start small.
    """
    import torch

    modules: Any = transformer
    with torch.no_grad():
        for block in modules.transformer_blocks:
            attention = block.attn1
            width = attention.to_q.bias.numel()
            turn = 2 * torch.pi * torch.rand(width // 2)
            # RoPE deals pairs to time, row and column in turn, after those that do not divide by three
            in_space = (torch.arange(width // 2) - width % 6 // 2) % 3 != 0
            place = torch.stack([turn.cos(), turn.sin()], -1) * 2**0.5 * in_space[:, None]
            for side, norm in ((attention.to_q, attention.norm_q), (attention.to_k, attention.norm_k)):
                side.bias.copy_(place.flatten())
                side.weight.mul_(0.5)
                norm.weight.fill_(1.2)
            block.scale_shift_table.zero_()
            block.scale_shift_table[[2, 5]] = 1.0
            for branch in (attention.to_out[0], block.attn2.to_out[0], block.ff.net[2]):
                branch.weight.mul_(0.5)


def build_text_encoder(shape: FlowShape) -> "T5EncoderModel":
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=BYTE_VOCABULARY,
            d_model=shape.text_width,
            d_kv=shape.text_width // shape.text_heads,
            d_ff=2 * shape.text_width,
            num_layers=shape.text_layers,
            num_heads=shape.text_heads,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
        )
    )


def build_model(preset: Preset, seed: int) -> Model:
    """An untrained model; the same seed gives the same weights."""
    require_torch()
    import torch
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
    from transformers import ByT5Tokenizer

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Model(
            vae=build_vae(preset.vae),
            transformer=build_transformer(preset.flow, preset.vae.latent_channels),
            text_encoder=build_text_encoder(preset.flow),
            tokenizer=ByT5Tokenizer(),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=preset.sampling.shift),
            fps=preset.clip.fps,
            size=preset.clip.size,
            frames=preset.clip.frames,
            text_bytes=preset.flow.text_bytes,
        )


def save_model(model: Model, folder: Path, *, half: bool = False) -> None:
    """Write a diffusers-layout folder; half=True keeps weights in 16-bit floats. The models are left as they are."""
    import torch

    _quiet()
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        module = getattr(model, part)
        state: dict[str, torch.Tensor] | None = None
        if half:
            state = {k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()}
        _save_part(module, folder / part, state)
    model.tokenizer.save_pretrained(folder / "tokenizer")
    model.scheduler.save_pretrained(folder / "scheduler")
    index: dict[str, Any] = {
        "_class_name": "LTXPipeline",
        "vae": ["diffusers", "AutoencoderKLLTXVideo"],
        "transformer": ["diffusers", "LTXVideoTransformer3DModel"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "ByT5Tokenizer"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    _write_json(folder / "model_index.json", index)
    window = {"fps": model.fps, "size": model.size, "frames": model.frames, "text_bytes": model.text_bytes}
    _write_json(folder / "window.json", window)


def _save_part(module: Any, folder: Path, state: "dict[str, torch.Tensor] | None") -> None:
    """save_pretrained, then the weights again where another precision is asked."""
    from safetensors.torch import save_file

    module.save_pretrained(folder)
    config = folder / "config.json"
    # where the weights were read from: a path of this machine would travel with the model, and change its hash
    told = json.loads(config.read_text("utf-8"))
    _write_json(config, {key: value for key, value in told.items() if key != "_name_or_path"})
    if state is None:
        return
    (weights,) = folder.glob("*.safetensors")
    from safetensors import safe_open

    with safe_open(weights, "pt") as kept:
        names = list(kept.keys())
    # names kept by save_pretrained leave out tied weights
    save_file({name: state[name].contiguous() for name in names}, weights, metadata={"format": "pt"})


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", "utf-8")


def load_model(folder: Path) -> Model:
    """Read a folder that save_model wrote, in 32-bit floats. Raises NotFound where it is none."""
    require_torch()
    import torch
    from diffusers.models.autoencoders.autoencoder_kl_ltx import AutoencoderKLLTXVideo
    from diffusers.models.transformers.transformer_ltx import LTXVideoTransformer3DModel
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
    from transformers import ByT5Tokenizer, T5EncoderModel

    _quiet()
    if not (folder / "window.json").is_file():
        raise NotFound(f"{folder} is no model folder", remedy="Give a folder that training wrote.")
    window = json.loads((folder / "window.json").read_text("utf-8"))
    scheduler: Any = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler")
    return Model(
        vae=AutoencoderKLLTXVideo.from_pretrained(folder / "vae", torch_dtype=torch.float32),
        transformer=LTXVideoTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32),
        text_encoder=T5EncoderModel.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        tokenizer=ByT5Tokenizer.from_pretrained(folder / "tokenizer"),
        scheduler=scheduler,
        fps=int(window["fps"]),
        size=int(window["size"]),
        frames=int(window["frames"]),
        text_bytes=int(window["text_bytes"]),
    ).eval()


def base_folder() -> Path:
    """Where the package keeps the house base. Raises NotFound where it was not shipped."""
    folder = Path(__file__).parent / "weights" / "base-64"
    if not (folder / "window.json").is_file():
        raise NotFound("the house base is not in this installation", remedy="Run: make base.")
    return folder
