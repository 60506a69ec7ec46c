"""The kinds of target, in the order in which they are tried: a new kind is one file and one line here."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fairframe.core import dsse
from fairframe.core.bundle import PAYLOAD_TYPE, read_payload
from fairframe.core.errors import BadDocument, InputError, VerificationError
from fairframe.core.party import PAYLOAD_TYPE as PARTY_TYPE
from fairframe.verify.deliveries import DELIVERY
from fairframe.verify.documents import DOCUMENT
from fairframe.verify.files import open_regular, read_limited
from fairframe.verify.films import FILM
from fairframe.verify.kind import Kind, Report, Target
from fairframe.verify.log_proofs import LOG_PROOF
from fairframe.verify.model_releases import MODEL_RELEASE
from fairframe.verify.models import MODEL
from fairframe.verify.parties import PARTY
from fairframe.verify.statement import STATEMENT
from fairframe.verify.trust import Trust

KINDS: tuple[Kind, ...] = (
    MODEL_RELEASE,  # it holds a lineage too: before a model
    MODEL,
    DELIVERY,
    FILM,
    PARTY,
    STATEMENT,
    LOG_PROOF,
    DOCUMENT,  # any other sealed bundle: keep it last
)


def verify(
    path: Path,
    trust: Trust,
    now_ms: int,
    agreements: Sequence[bytes] = (),
    against: Sequence[bytes] = (),
    statements: Sequence[bytes] = (),
) -> Report:
    """Check a file or folder with the first kind that matches.

    agreements, statements: what a statement is compared with; against: documents that somebody kept, whose heads a log
    proof is compared with. InputError when there is nothing to read, or one of these is given with another kind.
    """
    given = {"agreements": tuple(agreements), "against": tuple(against), "statements": tuple(statements)}
    target = replace(read_target(path), **given)
    kind = next(kind for kind in KINDS if kind.matches(target))
    if agreements and kind is not STATEMENT:
        raise _misplaced("agreement", path, kind, "a statement; name an agreement itself to check it")
    if statements and kind is not STATEMENT:
        raise _misplaced("statement", path, kind, "a statement; name the other one itself to check it")
    if against and kind is not LOG_PROOF:
        raise _misplaced("against", path, kind, "a log proof, or in a workspace with the word audit")
    return Report(kind.name, tuple(kind.check(target, trust, now_ms)), kind.cannot_show)


def _misplaced(option: str, path: Path, kind: Kind, goes_with: str) -> InputError:
    return InputError(
        f"this is a {kind.name}",
        code=f"verify.{option}",
        where=str(path),
        remedy=f"--{option} goes with {goes_with}",
    )


def read_target(path: Path) -> Target:
    """Read a target and what it claims to be; nothing is verified."""
    if path.is_dir():
        return Target(path, None, "")
    try:
        if _is_video(path):
            # films are long and are hashed as a stream; what they claim stands in their sidecar
            return Target(path, b"", "video")
        data = read_limited(path, dsse.MAX_ENVELOPE_BYTES)
    except InputError as error:
        raise InputError(
            error.message, code=error.code, where=str(path), remedy="Name a sealed document, a film or a folder"
        ) from error
    return Target(path, data, _claimed_type(data))


def _is_video(path: Path) -> bool:
    """Whether a file begins like ISO base media (MP4, MOV)."""
    with open_regular(path, follow=True) as stream:
        return stream.read(12)[4:8] == b"ftyp"


def _claimed_type(data: bytes) -> str:
    try:
        envelope = dsse.read_envelope(data)
        if envelope.payload_type == PARTY_TYPE:
            return "party"
        return read_payload(envelope.payload).type if envelope.payload_type == PAYLOAD_TYPE else ""
    except (VerificationError, BadDocument):
        return ""
