"""Making a film: the guard, the model, an MP4 with credentials, a signed sidecar, and one row."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairframe import __version__
from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.core.plain import is_plain
from fairframe.core.timecode import Rate
from fairframe.generation import placing, sidecar
from fairframe.generation.film import film_frames, frame_count, overlap_of
from fairframe.generation.outputs import MADE
from fairframe.generation.sidecar import Made
from fairframe.generation.tables import output
from fairframe.media import sandboxed
from fairframe.media.credentials import TRAINING_USES, film_manifest, sign_mp4
from fairframe.media.workers import make_worker
from fairframe.platform import bundles
from fairframe.platform.audit import commitment
from fairframe.platform.objects import sha256_file
from fairframe.platform.runs import Progress, Run, running, silent
from fairframe.platform.tx import Row, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.training import permissions, registry
from fairframe.training.permission_rule import EXTERNAL
from fairframe.training.permissions import Permit
from fairframe.training.preset import Sampling

if TYPE_CHECKING:
    from fairframe.training.model import Model

Frames = NDArray[np.uint8]

MAX_PROMPT = 500
SIZES = range(16, 2049, 2)
TRAINING: dict[str, str] = dict.fromkeys(TRAINING_USES, "notAllowed")
"""What the manifest says of others' use of the film: nobody has said yes, so no."""


@dataclass(frozen=True)
class Generated:
    """A film on disk. notes: what a person should know of it, one line each."""

    output: str
    path: Path
    sidecar: Path
    manifest: Path
    bytes_hash: str
    checkpoint: str
    agreement: str
    granted: str | None
    purpose: str
    mode: str
    frames: int
    fps: str
    width: int
    height: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A checked order. seconds: the asked length; steps, guidance: None for the checkpoint's own."""

    prompt: str
    image: Path | None
    extend: Path | None
    seconds: float | str
    purpose: str
    seed: int
    steps: int | None
    guidance: float | None
    size: int
    overwrite: bool
    tenant: str | None

    @property
    def mode(self) -> str:
        return "image" if self.image else "extend" if self.extend else "text"


def generate(
    ws: Workspace,
    prompt: str,
    *,
    model: str,
    out: Path,
    image: Path | None = None,
    extend: Path | None = None,
    seconds: float | str = 4,
    purpose: str = "research",
    tenant: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    size: int = 256,
    overwrite: bool = False,
    show: Progress = silent,
) -> Generated:
    """Make a film of exactly round(seconds * fps) frames with an own checkpoint, at the model's frame rate.

    image: the film begins with this picture. extend: it begins with the last frames of this video (as the model sees
    them; 9 for the shipped presets) and goes on from there; they count in the length. size: the side in pixels that
    the model's square is scaled to. tenant: an agreement of the tenant whose film it is. Raises Refused
    (guard.refused), IntegrityFailure (model.changed), NotFound, Conflict (output.exists), InputError, MediaError,
    MissingExtra. A failure leaves no file.
    """
    asked = Asked(prompt, image, extend, seconds, purpose, seed, steps, guidance, size, overwrite, tenant)
    check(asked)
    out = Path(out).absolute()
    for path in (out, sidecar.sidecar_path(out), sidecar.manifest_path(out)):
        placing.check_free(path, overwrite=overwrite)
    with ws.read() as tx:
        row = registry.find(tx, model)
        permissions.require(tx, row, "generate", purpose, tenant=tenant)
    folder = registry.check_files(ws, row)
    arguments = {"model": row["public_id"], "mode": asked.mode, "purpose": purpose, "seed": seed}
    with running(ws, "generate", arguments, show) as run:
        made = _make(ws, row, folder, asked, out, run)
        run.result = {"output": made.output, "bytes_hash": made.bytes_hash}
    return made


def check(asked: Asked) -> None:
    """Raises InputError where an order cannot be filled, whatever the model."""
    prompt = asked.prompt
    if len(prompt) > MAX_PROMPT or not is_plain(prompt) or (asked.mode == "text" and not prompt.strip()):
        raise InputError(
            "the prompt is empty, not printable or too long",
            code="input.prompt",
            remedy=f"Describe the film in 1 to {MAX_PROMPT} printable characters on one line.",
        )
    if asked.image and asked.extend:
        raise InputError("a film starts from a picture or a video, not both", code="input.mode")
    frame_count(asked.seconds, 24)
    if not 0 <= asked.seed < 2**31:
        raise InputError(f"{asked.seed} is no seed", code="input.seed", remedy="Give 0 to 2147483647.")
    if asked.steps is not None and not 1 <= asked.steps <= 200:
        raise InputError(f"{asked.steps} steps are not taken", code="input.steps", remedy="Give 1 to 200.")
    if asked.guidance is not None and not 1 <= asked.guidance <= 20:
        raise InputError(f"{asked.guidance} is no guidance", code="input.guidance", remedy="Give 1 (none) to 20.")
    if asked.size not in SIZES:
        raise InputError(f"a side of {asked.size} pixels", code="input.size", remedy="Give an even number, 16 to 2048.")


def _make(ws: Workspace, row: Row, folder: Path, asked: Asked, out: Path, run: Run) -> Generated:
    from fairframe.training.model import load_model

    model = load_model(folder)
    sampling = _sampling(row, asked)
    salt = secrets.token_hex(16)
    made = Made(
        mode=asked.mode,
        prompt_hash=commitment(salt, asked.prompt),
        seed=asked.seed,
        steps=sampling.steps,
        guidance=f"{sampling.guidance:g}",
        shift=f"{model.shift:g}",
        frames=frame_count(asked.seconds, model.fps),
        fps=Rate(model.fps),
        width=asked.size,
        height=asked.size,
        model_size=model.size,
    )
    with placing.workshop(out.parent) as shop:
        plain = shop / "plain.mp4"
        _encode(ws, model, asked, sampling, made, plain, run)
        return _sign_and_record(ws, row, asked, made, salt, shop, plain, out)


def _sampling(row: Row, asked: Asked) -> Sampling:
    """The checkpoint's own sampling settings, with what was asked for instead."""
    recipe: dict[str, Any] = json.loads(registry.lineage_of(row).body["recipe"])
    found = Sampling.model_validate(recipe.get("sampling", {}))
    changes = {"steps": asked.steps, "guidance": asked.guidance}
    return found.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _encode(ws: Workspace, model: "Model", asked: Asked, sampling: Sampling, made: Made, path: Path, run: Run) -> None:
    from fairframe.media.encode import write_mp4

    overlap = overlap_of(model.frames)
    parts = film_frames(
        model,
        asked.prompt,
        made.frames,
        given=_given(ws, model, asked, overlap),
        overlap=overlap,
        seed=asked.seed,
        steps=sampling.steps,
        guidance=sampling.guidance,
        show=run.progress,
    )
    encoded = write_mp4(path, _scaled(parts, made.width), made.fps)
    assert (encoded.frames, encoded.width, encoded.height) == (made.frames, made.width, made.height)


def _given(ws: Workspace, model: "Model", asked: Asked, overlap: int) -> Frames | None:
    """What the film starts from, (k, S, S, 3), opened in a child process: the file may be anybody's."""
    with make_worker(ws.settings) as worker:
        if asked.image is not None:
            return sandboxed.given_picture(worker, asked.image, model.size)
        if asked.extend is not None:
            return sandboxed.given_ending(worker, asked.extend, model.size, model.fps, overlap)
    return None


def _scaled(parts: Iterator[Frames], side: int) -> Iterator[Frames]:
    import cv2

    for part in parts:
        for frame in part:
            if frame.shape[0] == side:
                yield frame
            else:
                way = cv2.INTER_LANCZOS4 if side > frame.shape[0] else cv2.INTER_AREA
                yield np.asarray(cv2.resize(frame, (side, side), interpolation=way), np.uint8)


def _sign_and_record(
    ws: Workspace,
    row: Row,
    asked: Asked,
    made: Made,
    salt: str,
    shop: Path,
    plain: Path,
    out: Path,
) -> Generated:
    """Sign the film and write its row, and only then let it stand under its name.

    A process that dies in between leaves a row whose film is missing, never a signed film that no row knows. The guard
    is asked again: making took time.
    """
    film, store, beside = shop / "film.mp4", shop / "film.c2pa", shop / "film.json"
    identity = ws.keys.c2pa()
    output_id = new_id("out")
    with ws.write() as tx:
        row = registry.find(tx, row["public_id"])
        permit = permissions.require(tx, row, "generate", asked.purpose, tenant=asked.tenant)
        chain = sidecar.chain_of(tx, permit)
        claims = sidecar.lineage_assertion(output_id, row, permit, chain, made)
        manifest = film_manifest(out.stem, __version__, claims, TRAINING)
        signed = sign_mp4(plain, film, manifest, chain_pem=identity.chain_pem, key_pem=identity.key_pem)
        store.write_bytes(signed)
        size_bytes, bytes_hash = film.stat().st_size, sha256_file(film)
        code = f"fairframe {__version__}"
        body = sidecar.film_body(output_id, bytes_hash, size_bytes, row, permit, chain, made, code)
        envelope = bundles.issue(tx, sidecar.TYPE, "", body, permit.agreement.ref)
        beside.write_bytes(envelope)
        _record(tx, row, asked, made, salt, body, envelope)
    # the film last: where it stands, its papers do
    placing.put(
        {sidecar.sidecar_path(out): beside, sidecar.manifest_path(out): store, out: film},
        shop,
        overwrite=asked.overwrite,
    )
    return _generated(body, permit, made, out)


def _generated(body: dict[str, Any], permit: Permit, made: Made, out: Path) -> Generated:
    return Generated(
        output=body["output"],
        path=out,
        sidecar=sidecar.sidecar_path(out),
        manifest=sidecar.manifest_path(out),
        bytes_hash=body["bytes_hash"],
        checkpoint=body["checkpoint"],
        agreement=body["agreement"],
        granted=permit.grant,
        purpose=permit.purpose,
        mode=made.mode,
        frames=made.frames,
        fps=str(made.fps),
        width=made.width,
        height=made.height,
        notes=_notes(permit, made),
    )


def _notes(permit: Permit, made: Made) -> tuple[str, ...]:
    noted = [check.text for check in permit.findings if check.code == EXTERNAL]
    if made.width != made.model_size:
        noted.append(f"the model made {made.model_size}x{made.model_size} pixels; they were scaled to {made.width}")
    return tuple(noted)


def _record(tx: WriteTx, row: Row, asked: Asked, made: Made, salt: str, body: dict[str, Any], envelope: bytes) -> None:
    tx.insert(
        output,
        public_id=body["output"],
        checkpoint_id=row["id"],
        mode=made.mode,
        purpose=asked.purpose,
        agreement=body["agreement"],
        frames=made.frames,
        fps_num=made.fps.num,
        fps_den=made.fps.den,
        width=made.width,
        height=made.height,
        seed=made.seed,
        recipe={**body["sampling"], "model_size": made.model_size, "prompt_salt": salt},
        bytes_hash=body["bytes_hash"],
        sidecar=envelope.decode(),
    )
    told = {key: body[key] for key in ("bytes_hash", "checkpoint", "agreement", "granted", "purpose", "mode", "frames")}
    tx.record(MADE, body["output"], {**told, "granted": told["granted"] or ""}, {"prompt": asked.prompt})
