"""What a film says of itself: a sealed bundle of type "film" beside it, and C2PA claims inside it.

FILM.mp4.fairframe.json is the bundle; FILM.mp4.c2pa the C2PA manifest store. The bundle's body:

    output, bytes_hash (SHA-256 of the final MP4), bytes, checkpoint, name, weights_hash, lineage_digest (SHA-256 of
    the sealed lineage.json), delivery {id, root}, agreement (under which the film was made), granted (id of the grant
    that extends it to this checkpoint, or null), purpose, mode (text, image, extend), prompt_hash (salted), seed,
    sampling {steps, guidance, shift} (the last two as decimal text), frames, fps "24/1", width, height, model_size
    (pixels of the square that the model made, before it was scaled up), ai_generated (true), code, and

    chain {lineage, delivery, delivery_agreement, agreement, grant, ancestors}: signed envelopes as text.
    delivery_agreement is null where the film was made under the agreement of the delivery itself; grant is null
    without one. ancestors (left out where there are none): the same five of each checkpoint that it descends from.

The lineage of a merge names no delivery: then delivery is null, in the body and with the other documents in its chain,
and the agreement is that of its nearest ancestor that has one.

With the two parties' documents the chain can be checked without any workspace (verify/films.py).
"""

from dataclasses import dataclass, replace
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
from fairframe.training import registry
from fairframe.training.permissions import Permit, Under

TYPE = "film"
MAX_CHAIN_CHARS = 11 * 1024 * 1024


@dataclass(frozen=True)
class Chain:
    """From a film back to the delivery: envelopes as text. ancestors: of each checkpoint that it descends from."""

    lineage: str
    delivery: str | None = None
    delivery_root: str | None = None
    delivery_agreement: str | None = None
    agreement: str | None = None
    grant: str | None = None
    ancestors: "tuple[Chain, ...]" = ()

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "lineage": self.lineage,
            "delivery": self.delivery,
            "delivery_agreement": self.delivery_agreement,
            "agreement": self.agreement,
            "grant": self.grant,
        }
        return found | ({"ancestors": [one.to_json() for one in self.ancestors]} if self.ancestors else {})

    @property
    def chars(self) -> int:
        own = (self.lineage, self.delivery, self.delivery_agreement, self.agreement, self.grant)
        return sum(len(text or "") for text in own) + sum(one.chars for one in self.ancestors)


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


def chain_of(tx: Tx, permit: Permit) -> Chain:
    """The documents behind a checkpoint under its permit. Raises NotFound, Refused (film.chain_too_long)."""
    first, *others = (_link(tx, one) for one in permit.under)
    chain = replace(first, ancestors=tuple(others))
    if chain.chars > MAX_CHAIN_CHARS:
        raise Refused(
            "the documents behind the checkpoint are too long to stand beside a film",
            code="film.chain_too_long",
            where=permit.under[0].checkpoint,
            remedy="Train on smaller releases",
        )
    return chain


def _link(tx: Tx, under: Under) -> Chain:
    checkpoint = registry.find(tx, under.checkpoint)
    lineage = str(checkpoint["lineage"])
    if checkpoint["delivery"] is None or under.agreement is None:
        return Chain(lineage)
    row = tx.row(delivery.select().where(delivery.c.public_id == checkpoint["delivery"], delivery.c.direction == "in"))
    if row is None:
        raise NotFound(f"the delivery of {checkpoint['name']} is not here", code="delivery.missing")
    same = row["agreement"] == under.agreement
    return Chain(
        lineage=lineage,
        delivery=str(row["envelope"]),
        delivery_root=str(row["root"]),
        delivery_agreement=None if same else _signed(agreements.find(tx, row["agreement"])),
        agreement=_signed(agreements.find(tx, under.agreement)),
        grant=None if under.grant is None else grants.envelope_of(tx, under.grant),
    )


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
        "delivery": None if chain.delivery is None else {"id": checkpoint["delivery"], "root": chain.delivery_root},
        "agreement": permit.agreement.public_id,
        "granted": permit.grant,
        "purpose": permit.purpose,
    }


def _signed(agreement: Agreement) -> str:
    if agreement.signed is None:
        raise NotFound(f"the agreement {agreement.public_id} has not been signed here", code="agreement.missing")
    return agreement.signed.decode()
