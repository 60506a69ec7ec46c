"""Opening a stored file in the limited child: what it is, a poster, and what it says about its use."""

import base64
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import InputError, MediaError, MissingExtra
from fairframe.library.assets import Opened
from fairframe.library.signals import Found
from fairframe.platform.workspace import Workspace

if TYPE_CHECKING:
    from fairframe.media.sandbox import MediaWorker

MAX_ANCHOR_BYTES = 1024 * 1024


def make_worker(ws: Workspace) -> "MediaWorker":
    """A child with the limits of this workspace's settings."""
    from fairframe.media.sandbox import Limits, MediaWorker

    seconds = ws.settings.media_seconds
    # a busy machine gives a process half its time or less
    limits = Limits(wall_s=3 * seconds, cpu_s=seconds, memory_bytes=ws.settings.media_memory_bytes)
    return MediaWorker(limits)


def open_stored(ws: Workspace, worker: "MediaWorker", key: str, anchors: str) -> Opened:
    """Probe the object `key`, store a poster of it, read its signals.

    Raises MediaError for a file that cannot be used and MissingExtra. Signals that cannot be read become a signal
    that says so: silence would count as consent.
    """
    from fairframe.media.probe import Probe

    path = ws.objects.path(key)
    try:
        probe = Probe.from_json(worker.call("probe", path))
        with tempfile.TemporaryDirectory(prefix="fairframe-") as folder:
            picture = Path(folder) / "poster.jpg"
            worker.call("poster", path, destination=str(picture), frame=probe.frames // 3)
            poster_key = ws.objects.put_file(picture)
    except MediaError as error:
        raise _missing(error) or error from error
    return Opened(key, path.stat().st_size, probe, poster_key, _signals(ws, worker, path, anchors))


def _signals(ws: Workspace, worker: "MediaWorker", path: Path, anchors: str) -> list[Found]:
    try:
        answer: Any = worker.call("signals", path, anchors=anchors)
        return [_found(ws, one) for one in answer]
    except MediaError as error:
        missing = _missing(error)
        if missing is not None:
            raise missing from error
        return [Found("c2pa", "manifest", "unreadable", "unreadable", {"reason": error.message})]


def _found(ws: Workspace, one: Any) -> Found:
    raw = base64.b64decode(one["raw"])
    found = Found(one["kind"], one["key"], one["value"], one["trust"], one["detail"])
    return replace(found, raw_key=ws.objects.put_bytes(raw)) if raw else found


def _missing(error: MediaError) -> MissingExtra | None:
    if not error.code.startswith("missing_extra"):
        return None
    return MissingExtra(error.message, code=error.code, remedy=error.remedy)


def trust_anchors(ws: Workspace) -> str:
    """The certificates in DIR/trust/*.pem, whose signatures on content credentials are believed; "" if there are none.

    Raises InputError naming the file that is no PEM certificate.
    """
    from cryptography import x509

    found: list[str] = []
    for path in sorted((ws.root / "trust").glob("*.pem")):
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_ANCHOR_BYTES else b""
            x509.load_pem_x509_certificates(data)
            found.append(data.decode("ascii"))
        except (OSError, ValueError) as error:
            raise InputError(
                "a trust anchor is no PEM certificate",
                code="input.bad_anchor",
                where=str(path),
                remedy="Take it out of the folder, or replace it",
            ) from error
    return "\n".join(found)
