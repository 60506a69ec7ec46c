"""Checks a film against the signed sidecar beside it (FILM.mp4.fairframe.json), and the chain behind that.

The body's fields are documented in generation/sidecar.py.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.bundle import Bundle
from fairframe.core.dsse import MAX_ENVELOPE_BYTES
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.timecode import Rate
from fairframe.verify.chain import COVERED_BY, Said, check_chain
from fairframe.verify.documents import open_checked
from fairframe.verify.files import hash_file, read_limited
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.trust import Trust

C2PA_UNSEEN = "what the content credentials (C2PA) in the film say: fairframe verify with the media extra reads them"
SUFFIX = ".fairframe.json"
MAX_SIDE = 32_768
MAX_FPS = 1_000
MAX_FRAMES = 100_000_000
_DECIMAL = re.compile(r"[0-9]{1,4}(\.[0-9]{1,9})?")


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a film file."""
    path = target.path
    beside = path.with_name(path.name + SUFFIX)
    try:
        data = read_limited(beside, MAX_ENVELOPE_BYTES)
    except InputError as error:
        text = f"{beside.name}: {error.message}; without its sidecar this film shows nothing"
        return [Finding(False, "film.no_sidecar", text)]
    bundle, findings = open_checked(data, trust, now_ms, beside.name)
    if bundle is None or any(finding.ok is False for finding in findings):
        return findings
    if bundle.type != "film":
        return [*findings, Finding(False, "film.type", f"{beside.name} holds a {bundle.type}")]
    try:
        return [*findings, *_check(path, bundle, trust, now_ms)]
    except (BadDocument, InputError) as error:
        return [*findings, Finding(False, error.code, str(error))]


def _check(path: Path, bundle: Bundle, trust: Trust, now_ms: int) -> list[Finding]:
    sidecar = read_sidecar(bundle)
    same = hash_file(path.resolve(), sidecar.size_bytes) == sidecar.bytes_hash
    text = f"the film has{'' if same else ' not'} the size and SHA-256 that the lab signed"
    return [
        Finding(same, "film.hash", text),
        *sidecar.findings,
        *check_chain(sidecar.said, sidecar.chain, trust, now_ms),
    ]


@dataclass(frozen=True)
class Sidecar:
    """A film's sidecar that is well-formed. `findings` are on what can be checked in it alone."""

    bytes_hash: str
    size_bytes: int
    said: Said
    chain: Fields
    findings: tuple[Finding, ...]


def read_sidecar(bundle: Bundle) -> Sidecar:
    """Read a sidecar strictly, all but the documents of its chain. Raises BadDocument, InputError."""
    body = Fields(bundle.body, "film.body")
    bytes_hash, size = body.hex("bytes_hash"), body.integer("bytes", least=1)
    said, made = _said(body, bundle), _made(body)
    chain = body.fields("chain")
    body.close()
    known = bundle.agreement is not None and bundle.agreement.id == said.agreement
    findings = (
        Finding(made["ai_generated"], "film.generated", f"{_tell(made)}; marked as made by a model"),
        Finding(known, "film.agreement", f"signed under the agreement {said.agreement} that it names"),
    )
    return Sidecar(bytes_hash, size, said, chain, findings)


def _said(body: Fields, bundle: Bundle) -> Said:
    delivery = None if body.value("delivery") is None else body.fields("delivery")
    said = Said(
        checkpoint=body.id("checkpoint", "ckp"),
        weights_hash=body.hex("weights_hash"),
        lineage_digest=body.hex("lineage_digest"),
        delivery=None if delivery is None else delivery.id("id", "dlv"),
        root=None if delivery is None else delivery.hex("root"),
        agreement=body.id("agreement", "agr"),
        granted=None if body.value("granted") is None else body.id("granted"),
        purpose=body.text("purpose", one_of=COVERED_BY),
        lab=bundle.sender,
        made_ms=bundle.issued_at_ms,
    )
    if delivery is not None:
        delivery.close()
    return said


def _made(body: Fields) -> dict[str, Any]:
    sampling = body.fields("sampling")
    sampling.integer("steps", least=1)
    for name in ("guidance", "shift"):
        if not _DECIMAL.fullmatch(sampling.text(name, max_chars=20)):
            raise BadDocument(f"Field {name!r} is no decimal number", code="document.field", where="film.sampling")
    sampling.close()
    body.hex("prompt_hash")
    body.integer("seed")
    _printable(body, "code", 100)
    _within(body, "model_size", MAX_SIDE)
    body.id("output", "out")
    return {
        "frames": _within(body, "frames", MAX_FRAMES),
        "width": _within(body, "width", MAX_SIDE),
        "height": _within(body, "height", MAX_SIDE),
        "fps": _rate(body),
        "mode": body.text("mode", one_of=("text", "image", "extend")),
        "name": _printable(body, "name", 200),
        "ai_generated": body.boolean("ai_generated"),
    }


def _within(body: Fields, name: str, most: int) -> int:
    value = body.integer(name, least=1)
    if value > most:
        raise BadDocument(f"Field {name!r} is above {most}", code="document.field", where=body.where)
    return value


def _printable(body: Fields, name: str, max_chars: int) -> str:
    value = body.text(name, max_chars=max_chars)
    if not value.strip() or not value.isprintable():
        raise BadDocument(f"Field {name!r} is not printable", code="document.field", where=body.where)
    return value


def _rate(body: Fields) -> Rate:
    text = body.text("fps", max_chars=40)
    rate = Rate.parse(text)
    if str(rate) != text or rate.num > MAX_FPS * rate.den:
        raise BadDocument("Field 'fps' is not written like 30000/1001", code="document.field", where=body.where)
    return rate


def _tell(made: dict[str, Any]) -> str:
    size = f"{made['width']}x{made['height']} at {made['fps']}"
    return f"the lab says {made['frames']} frames of {size} from {made['mode']} by the model {made['name']}"


FILM = Kind(
    name="film",
    matches=lambda target: target.type == "video",
    check=check,
    cannot_show=(
        C2PA_UNSEEN,
        "that this model made this film, and that the lineage lists all that the model was trained on",
        "that the file has the frames, size and rate that its sidecar states: nothing is decoded here",
        "that the agreement or the grant had not been ended early, or a contributor taken clips back, by then",
        "that the library and the lab show everyone the same documents (a split view)",
        "when the film was made, other than by the lab's clock",
    ),
)
