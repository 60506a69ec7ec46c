"""Content credentials of films: signed into an MP4, and read back with what they are worth."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import MediaError
from fairframe.media.c2pa_reader import MAX_MANIFEST_BYTES, State, import_c2pa, read, settings

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
LINEAGE = "org.fairframe.lineage"
TRAINING_USES = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.ai_inference", "cawg.data_mining")


@dataclass(frozen=True)
class Credentials:
    """A file's credentials: `trusted` only if every check passed and the chain leads to one of the given anchors.

    `lineage` is what the active manifest says of the film's origin (the data of LINEAGE), None where it says nothing;
    `reason` names what failed.
    """

    state: State
    reason: str
    lineage: Any

    @property
    def trusted(self) -> bool:
        return self.state == "trusted"


def film_manifest(title: str, version: str, lineage: dict[str, Json], training: Mapping[str, str]) -> dict[str, Json]:
    """The claims on a generated film.

    `lineage` says what made it (model, delivery root, agreement); `training` maps each of TRAINING_USES that is
    to be stated to allowed, notAllowed or constrained (CAWG Training and Data Mining Assertion 1.1).
    """
    entries: dict[str, Json] = {use: {"use": word} for use, word in sorted(training.items())}
    created: dict[str, Json] = {"action": "c2pa.created", "digitalSourceType": GENERATED}
    return {
        "title": title,
        "format": "video/mp4",
        "claim_generator_info": [{"name": "Fairframe", "version": version}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}, "created": True},
            {"label": "cawg.training-mining", "data": {"entries": entries}, "created": True},
            {"label": LINEAGE, "data": lineage, "created": True},
        ],
    }


def sign_mp4(src: Path, dst: Path, manifest: Mapping[str, Json], *, chain_pem: bytes, key_pem: bytes) -> bytes:
    """Write `src` with `manifest` signed into it (ES256, no time stamp authority) to `dst`; returns the sidecar.

    The sidecar is the manifest store, which still proves the file's origin when a remux has stripped it. The file
    appears whole or not at all. Raises MediaError (media.sign_failed).
    """
    c2pa = import_c2pa()
    src, dst = Path(src), Path(dst).absolute()
    part = dst.with_name(dst.name + ".part")
    try:
        # None: an empty address would be taken for a time stamp authority
        info = c2pa.C2paSignerInfo("es256", chain_pem, key_pem, None)
        context = c2pa.Context.from_dict(settings(b""))
        with c2pa.Signer.from_info(info) as signer, src.open("rb") as source, part.open("w+b") as target:
            with c2pa.Builder(json.dumps(manifest), context=context) as builder:
                store: bytes = builder.sign(signer, "video/mp4", source, target)
        part.replace(dst)
        return store
    except (c2pa.C2paError, OSError) as error:
        raise MediaError(
            f"the film could not be signed: {error}", code="media.sign_failed", where=str(src), remedy="Check the file"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def read_credentials(path: Path, anchors_pem: bytes, *, store: Path | None = None) -> Credentials:
    """Read and validate the credentials in a file, or a manifest `store` beside it against the file.

    A bad file gives a state, no error. Run it in a MediaWorker when the file comes from somebody else.
    Raises MissingExtra.
    """
    kept = None
    if store is not None:
        with store.open("rb") as stream:
            kept = stream.read(MAX_MANIFEST_BYTES + 1)
        if len(kept) > MAX_MANIFEST_BYTES:
            return Credentials("unreadable", f"{store.name} is too long", None)
    report = read(Path(path), anchors_pem, sidecar=kept)
    stated = report.manifests.get(report.active, {}).get("assertions") or []
    lineage = next((one.get("data") for one in stated if one.get("label") == LINEAGE), None)
    return Credentials(report.state, report.reason, lineage)
