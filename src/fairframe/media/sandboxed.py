"""The media functions, each run in a worker's child process, with typed results. For files from other people."""

import base64
import binascii
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument, MediaError
from fairframe.core.fields import Fields
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media.encode import Encoded
from fairframe.media.measure import Measures
from fairframe.media.probe import Probe
from fairframe.media.sandbox import MediaWorker
from fairframe.media.signals import Signal

KINDS = ("c2pa", "xmp", "note")
TRUSTS = ("trusted", "untrusted", "tampered", "unreadable", "none")


def probe(worker: MediaWorker, path: Path) -> Probe:
    """See probe.probe. Raises MediaError."""
    return Probe.from_json(worker.call("probe", path))


def poster(worker: MediaWorker, path: Path, destination: Path, *, frame: int) -> None:
    """Write the JPEG of poster.poster to `destination`. Raises MediaError."""
    with _whole(destination) as target:
        worker.call("poster", path, destination=target, frame=frame)


def measure(worker: MediaWorker, path: Path, destination: Path) -> Measures:
    """See measure.measure; the arrays pass through the file `destination`. Raises MediaError."""
    with _whole(destination) as target:
        worker.call("measure", path, destination=target)
        return Measures.load(destination)


def cut(worker: MediaWorker, src: Path, dst: Path, span: FrameSpan, *, fps: Rate | None) -> Encoded:
    """See encode.cut. Raises MediaError."""
    rate = None if fps is None else str(fps)
    with _whole(dst) as target:
        answer = worker.call("cut", src, destination=target, start=span.start, end=span.end, fps=rate)
        fields = Fields(answer, "cut")
        return Encoded(*(fields.integer(name) for name in ("frames", "duration_ms", "width", "height")))


def signals(worker: MediaWorker, path: Path, anchors_pem: bytes = b"") -> list[Signal]:
    """See signals.read_signals. A child that fails gives a signal of trust "unreadable": silence is no consent."""
    try:
        found = worker.call("signals", path, anchors=anchors_pem.decode("ascii"))
        if not isinstance(found, list):
            raise BadDocument("Expected a list of signals", code="document.field", where=str(path))
        return [_signal(value) for value in found]
    except (MediaError, BadDocument) as error:
        return [Signal("c2pa", "manifest", "unreadable", "unreadable", {"reason": error.message[:300]})]


def _signal(value: Json) -> Signal:
    fields = Fields(value, "signal")
    kind, trust = fields.text("kind", one_of=KINDS), fields.text("trust", one_of=TRUSTS)
    try:
        raw = base64.b64decode(fields.text("raw", max_chars=8 * 1024**2), validate=True)
    except binascii.Error as error:
        raise BadDocument("raw is not base64", code="document.field", where="signal") from error
    key, said, detail = fields.text("key"), fields.text("value"), fields.object("detail")
    fields.close()
    return Signal(kind, key, said, trust, detail, raw)  # type: ignore[arg-type]


@contextmanager
def _whole(destination: Path) -> Generator[str]:
    """The path to write to; a child that is killed on the way cannot clean up, so it is done here."""
    target = Path(destination).absolute()
    try:
        yield str(target)
    except BaseException:
        target.unlink(missing_ok=True)
        target.with_name(target.name + ".part").unlink(missing_ok=True)
        raise
