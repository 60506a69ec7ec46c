"""Opening a stored file in the limited child: what it is, a poster, and what it says about its use."""

import tempfile
from pathlib import Path

from fairframe.core.errors import InputError
from fairframe.library.assets import Opened
from fairframe.library.signals import Found
from fairframe.media import sandboxed
from fairframe.media.sandbox import MediaWorker
from fairframe.media.signals import Signal
from fairframe.platform.workspace import Workspace

MAX_ANCHOR_BYTES = 1024 * 1024


def open_stored(ws: Workspace, worker: MediaWorker, key: str, anchors: str) -> Opened:
    """Probe the object `key`, store a poster of it, read its signals.

    Raises MediaError for a file that cannot be used and MissingExtra. Signals that cannot be read become a signal
    that says so: silence would count as consent.
    """
    path = ws.objects.path(key)
    probe = sandboxed.probe(worker, path)
    with tempfile.TemporaryDirectory(prefix="fairframe-") as folder:
        picture = Path(folder) / "poster.jpg"
        sandboxed.poster(worker, path, picture, frame=probe.frames // 3)
        poster_key = ws.objects.put_file(picture)
    signals = [_stored(ws, one) for one in sandboxed.signals(worker, path, anchors.encode("ascii"))]
    return Opened(key, path.stat().st_size, probe, poster_key, signals)


def _stored(ws: Workspace, one: Signal) -> Found:
    raw_key = ws.objects.put_bytes(one.raw) if one.raw else None
    return Found(one.kind, one.key, one.value, one.trust, one.detail, raw_key)


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
