"""Opening a stored file in the limited child: what it is, a poster, and what it says about its use."""

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from fairframe.core.errors import InputError
from fairframe.library.assets import Opened
from fairframe.library.signals import Found
from fairframe.library.walk import check_file
from fairframe.media import sandboxed
from fairframe.media.sandbox import MediaWorker
from fairframe.media.sidecars import MAX_BYTES, form_of, unreadable
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


def read_sidecars(ws: Workspace, worker: MediaWorker, root: Path, sidecars: Sequence[tuple[str, Path]]) -> list[Found]:
    """The signals of a file's sidecars, each with the name of its sidecar and the key of its raw bytes.

    A sidecar that cannot be read, that leads out of `root` or is too large is a signal that says so.
    """
    found: list[Found] = []
    for name, path in sidecars:
        form = form_of(name)
        assert form is not None
        key: str | None = None
        try:
            if check_file(path, root, name) > MAX_BYTES:
                raise InputError(f"the sidecar has over {MAX_BYTES} bytes", code="input.bad_file", where=name)
            key = ws.objects.put_file(path)
            signals = sandboxed.sidecar(worker, ws.objects.path(key), form)
        except (InputError, OSError) as error:
            signals = [unreadable(form, error.message if isinstance(error, InputError) else str(error.strerror))]
        base = PurePosixPath(name).name
        found += [Found(s.kind, s.key, s.value, s.trust, {**s.detail, "sidecar": base}, key) for s in signals]
    return found


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
