"""Presets: what a training run is made of, as frozen models that refuse unknown keys. Reading one needs no torch."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fairframe.core.errors import InputError, NotFound
from fairframe.verify.files import read_limited

MAX_BYTES = 256 * 1024
MAX_NUMBER = 10**12


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClipShape(_Frozen):
    """The window that the model sees: frames must be 1 + a multiple of the temporal ratio (2)."""

    size: int = Field(64, ge=16, le=512, multiple_of=8, description="side of the square frame, pixels")
    frames: int = Field(17, ge=3, le=257, description="frames in one window")
    fps: int = Field(24, ge=1, le=120)
    stride: int = Field(8, ge=1, description="frames between the starts of a clip's training windows")

    @model_validator(mode="after")
    def _odd(self) -> Self:
        if self.frames % 2 == 0:
            raise ValueError("clip.frames must be odd: one latent for the first frame, then one per two frames")
        return self


class VaeShape(_Frozen):
    """AutoencoderKLLTXVideo with 0.9.5 blocks: 8x8x2 compression (patch 4, one spatiotemporal downsample)."""

    latent_channels: int = Field(16, ge=2, le=128)
    encoder_channels: tuple[int, int] = (32, 64)
    decoder_channels: int = Field(64, ge=8, le=512)
    encoder_layers: tuple[int, int] = (1, 1)
    decoder_layers: tuple[int, int] = (1, 1)
    upsample_factor: int = Field(2, ge=1, le=4)


class FlowShape(_Frozen):
    """LTXVideoTransformer3DModel and the byte-level T5 encoder that is trained with it."""

    patch: int = Field(2, ge=1, le=4, description="side of the square of latents that is one token")
    layers: int = Field(4, ge=1, le=64)
    heads: int = Field(6, ge=1, le=64)
    head_dim: int = Field(32, ge=8, le=128)
    text_width: int = Field(128, ge=16, le=4096)
    text_layers: int = Field(3, ge=1, le=48)
    text_heads: int = Field(4, ge=1, le=64)
    text_bytes: int = Field(96, ge=8, le=1024, description="captions are cut or padded to this many byte tokens")


class VaeTraining(_Frozen):
    steps: int = Field(ge=0)
    batch: int = Field(3, ge=1)
    crop: int = Field(32, ge=16, multiple_of=8, description="side of the random crop, pixels")
    frames: int = Field(9, ge=1, description="frames in a crop")
    lr: float = Field(3e-3, gt=0)
    warmup: int = Field(200, ge=0, description="steps")
    l1: float = Field(0.3, ge=0, description="weight of the absolute error beside the squared one")
    latent_noise: float = Field(0.03, ge=0, description="noise added to latents, so that the decoder forgives")
    latent_penalty: float = Field(1e-4, ge=0, description="weight of the latents' mean square")
    equivariance: float = Field(0.0, ge=0, le=1, description="share of steps that decode shrunk latents (EQ-VAE)")
    decoder_only: bool = Field(False, description="leave the encoder, and with it the latent space, as it is")


class FlowTraining(_Frozen):
    steps: int = Field(ge=0)
    batch: int = Field(8, ge=1)
    lr: float = Field(2e-3, gt=0)
    text_lr: float = Field(0.1, ge=0, le=1, description="share of lr for the text encoder")
    warmup: int = Field(100, ge=0, description="steps")
    final_lr: float = Field(0.02, ge=0, le=1, description="share of lr left when the cosine ends")
    beta2: float = Field(0.99, gt=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    ema: float = Field(0.998, ge=0, lt=1)
    first_frame: float = Field(0.25, ge=0, le=1, description="share of windows conditioned on their first frame")
    prefix: float = Field(0.55, ge=0, le=1, description="share given several first frames; the rest: text only")
    text_drop: float = Field(0.1, ge=0, le=1)
    method: Literal["full", "lora"] = "full"
    lora_rank: int = Field(16, ge=1, le=256)
    house_share: float = Field(0.0, ge=0, lt=1, description="share of windows from house footage (counted as usage)")
    house_clips: int = Field(0, ge=0, description="house clips rendered for that share")

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.first_frame + self.prefix > 1:
            raise ValueError("flow.first_frame and flow.prefix must not exceed 1 together")
        if (self.house_share > 0) != (self.house_clips > 0):
            raise ValueError("house_share and house_clips are set together or not at all")
        return self


class Sampling(_Frozen):
    steps: int = Field(20, ge=1, le=200)
    shift: float = Field(3.0, gt=0, description="how far noise levels lean toward noise")
    guidance: float = Field(1.0, ge=1, le=20, description="1 is no classifier-free guidance")


class Preset(_Frozen):
    """One training recipe; resolved() is what is stored and hashed with a run."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    ancestor: str = Field("", description="name of the shipped base to start from, empty for none")
    clip: ClipShape = ClipShape()  # type: ignore[call-arg]
    vae: VaeShape = VaeShape()  # type: ignore[call-arg]
    flow: FlowShape = FlowShape()  # type: ignore[call-arg]
    train_vae: VaeTraining
    train_flow: FlowTraining
    polish: VaeTraining | None = Field(None, description="the decoder alone on captioned scenes, after train_vae")
    sampling: Sampling = Sampling()  # type: ignore[call-arg]

    @model_validator(mode="after")
    def _whole_tokens(self) -> Self:
        if self.clip.size % (8 * self.flow.patch):
            raise ValueError(
                f"clip.size must be a multiple of {8 * self.flow.patch}: 8 pixels a latent, flow.patch latents"
            )
        return self

    def resolved(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def parse_preset(text: str | bytes, where: str) -> Preset:
    """Read a preset from TOML. Raises InputError naming the file and the key."""
    try:
        given = tomllib.loads(text if isinstance(text, str) else text.decode())
    except (ValueError, RecursionError) as error:  # also of int(), at a number of thousands of digits
        raise InputError(f"not a TOML file: {error}", where=where, remedy="Mend the syntax.") from error
    _check_numbers(given, "", where)
    try:
        return Preset.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "preset"
        raise InputError(f"{key}: {first['msg']}", where=where, remedy="Mend that key.") from error


def _check_numbers(value: Any, key: str, where: str) -> None:
    """No recipe means an endless number, or one beyond what a document can hold."""
    if isinstance(value, dict):
        for name, one in cast(dict[str, Any], value).items():
            _check_numbers(one, f"{key}.{name}".lstrip("."), where)
    elif isinstance(value, list):
        for one in cast(list[Any], value):
            _check_numbers(one, key, where)
    elif isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise InputError(f"{key}: the number is out of range", where=where, remedy="Mend that key.")


def load_preset(name_or_path: str | Path) -> Preset:
    """Load a shipped preset by name, or a TOML file by its path. Raises NotFound, InputError."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise NotFound(f"there is no preset file {path}", remedy="Give the path of a TOML file.")
        return parse_preset(read_limited(path, MAX_BYTES), str(path))
    shipped = resources.files("fairframe.training") / "presets" / f"{name_or_path}.toml"
    if str(name_or_path) not in preset_names():
        known = ", ".join(preset_names())
        raise NotFound(f"there is no preset {name_or_path!r}", remedy=f"Shipped presets: {known}.")
    return parse_preset(shipped.read_text("utf-8"), f"{name_or_path}.toml")


def preset_names() -> list[str]:
    folder = resources.files("fairframe.training") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
