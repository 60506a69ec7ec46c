"""What a film says of itself: a sealed bundle of type "film" beside it, and C2PA claims inside it.

FILM.mp4.fairframe.json is the bundle; FILM.mp4.c2pa the C2PA manifest store. The bundle's body:

    output, bytes_hash (SHA-256 of the final MP4), bytes, checkpoint, name, weights_hash, lineage_digest (SHA-256 of
    the sealed lineage.json), delivery {id, root}, agreement (under which the film was made), granted (id of the grant
    that extends it to this checkpoint, or null), purpose, mode (text, image, extend), prompt_hash (salted), seed,
    sampling {steps, guidance, shift} (the last two as decimal text), frames, fps "24/1", width, height, model_size
    (pixels of the square that the model made, before it was scaled up), ai_generated (true), code, and

    chain {lineage, delivery, delivery_agreement, agreement, grant}: signed envelopes as text. delivery_agreement is
    null where the film was made under the agreement of the delivery itself; grant is null without one.

With the two parties' documents the chain can be checked without any workspace (verify/films.py).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.canonical import Json, sha256_hex
from fairframe.core.errors import NotFound, Refused
from fairframe.core.timecode import Rate
from fairframe.dataset.tables import delivery
from fairframe.generation import grants
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement
from fairframe.training.permissions import Permit

TYPE = "film"
MAX_CHAIN_CHARS = 11 * 1024 * 1024


@dataclass(frozen=True)
class Chain:
    """From a film back to the delivery: envelopes as text."""

    lineage: str
    delivery: str
    delivery_root: str
    delivery_agreement: str | None
    agreement: str
    grant: str | None

    def to_json(self) -> dict[str, str | None]:
        return {
            "lineage": self.lineage,
            "delivery": self.delivery,
            "delivery_agreement": self.delivery_agreement,
            "agreement": self.agreement,
            "grant": self.grant,
        }


@dataclass(frozen=True)
class Made:
    """How a film was made. guidance and shift are decimal text; size: the model's square, pixels."""

    mode: str
    prompt_hash: str
    seed: int
    steps: int
    guidance: str
    shift: str
    frames: int
    fps: Rate
    width: int
    height: int
    model_size: int


def sidecar_path(film: Path) -> Path:
    """The sealed bundle of a film."""
    return film.with_name(film.name + ".fairframe.json")


def manifest_path(film: Path) -> Path:
    """The C2PA manifest store of a film."""
    return film.with_name(film.name + ".c2pa")


def chain_of(tx: Tx, checkpoint: Row, permit: Permit) -> Chain:
    """The documents behind a checkpoint under a permit. Raises NotFound, Refused (film.chain_too_long)."""
    row = tx.row(delivery.select().where(delivery.c.public_id == checkpoint["delivery"], delivery.c.direction == "in"))
    if row is None:
        raise NotFound(f"the delivery of {checkpoint['name']} is not here", code="delivery.missing")
    own = agreements.find(tx, row["agreement"])
    same = own.public_id == permit.agreement.public_id
    chain = Chain(
        lineage=str(checkpoint["lineage"]),
        delivery=str(row["envelope"]),
        delivery_root=str(row["root"]),
        delivery_agreement=None if same else _signed(own),
        agreement=_signed(permit.agreement),
        grant=None if permit.grant is None else grants.envelope_of(tx, permit.grant),
    )
    if sum(len(text or "") for text in chain.to_json().values()) > MAX_CHAIN_CHARS:
        raise Refused(
            f"the documents behind {checkpoint['name']} are too long to stand beside a film",
            code="film.chain_too_long",
            remedy="Train on smaller releases",
        )
    return chain


def film_body(
    output: str, bytes_hash: str, size_bytes: int, checkpoint: Row, permit: Permit, chain: Chain, made: Made, code: str
) -> dict[str, Any]:
    """The body of the bundle."""
    return {
        "output": output,
        "bytes_hash": bytes_hash,
        "bytes": size_bytes,
        **_origin(checkpoint, permit, chain),
        "mode": made.mode,
        "prompt_hash": made.prompt_hash,
        "seed": made.seed,
        "sampling": {"steps": made.steps, "guidance": made.guidance, "shift": made.shift},
        "frames": made.frames,
        "fps": str(made.fps),
        "width": made.width,
        "height": made.height,
        "model_size": made.model_size,
        "ai_generated": True,
        "code": code,
        "chain": chain.to_json(),
    }


def lineage_assertion(output: str, checkpoint: Row, permit: Permit, chain: Chain, made: Made) -> dict[str, Json]:
    """What the C2PA manifest says of the film's origin."""
    scaled = f"made at {made.model_size}x{made.model_size} and scaled to {made.width}x{made.height} (Lanczos)"
    return {
        "output": output,
        **_origin(checkpoint, permit, chain),
        "seed": made.seed,
        "prompt_hash": made.prompt_hash,
        "picture": scaled if made.width != made.model_size else f"made at {made.model_size}x{made.model_size}",
    }


def _origin(checkpoint: Row, permit: Permit, chain: Chain) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint["public_id"],
        "name": checkpoint["name"],
        "weights_hash": checkpoint["weights_hash"],
        "lineage_digest": sha256_hex(chain.lineage.encode()),
        "delivery": {"id": checkpoint["delivery"], "root": chain.delivery_root},
        "agreement": permit.agreement.public_id,
        "granted": permit.grant,
        "purpose": permit.purpose,
    }


def _signed(agreement: Agreement) -> str:
    if agreement.signed is None:
        raise NotFound(f"the agreement {agreement.public_id} has not been signed here", code="agreement.missing")
    return agreement.signed.decode()
