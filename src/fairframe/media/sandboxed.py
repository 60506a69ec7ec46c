"""The media functions, each run in a worker's child process, with typed results. For files from other people.

Importing this needs no extra; calling it raises MissingExtra where one is not installed.
"""

import base64
import binascii
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from fairframe.core.canonical import Json, parse
from fairframe.core.errors import BadDocument, MediaError
from fairframe.core.fields import Fields
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media.c2pa_reader import State
from fairframe.media.credentials import Credentials
from fairframe.media.sandbox import MediaWorker
from fairframe.media.sidecars import Form, unreadable
from fairframe.media.signals import Kind, Signal, Trust
from fairframe.media.tasks import MAX_LINEAGE_CHARS

if TYPE_CHECKING:
    from fairframe.media.decode import Picture
    from fairframe.media.encode import Encoded
    from fairframe.media.looks import Looks
    from fairframe.media.measure import Measures
    from fairframe.media.probe import Probe

KINDS: tuple[str, ...] = get_args(Kind)
TRUSTS: tuple[str, ...] = get_args(Trust)
STATES: tuple[str, ...] = get_args(State)
MAX_STILLS_BYTES = 64 * 1024**2
JPEG = b"\xff\xd8\xff"


def probe(worker: MediaWorker, path: Path) -> "Probe":
    """See probe.probe. Raises MediaError."""
    answer = worker.call("probe", path)
    from fairframe.media.probe import Probe

    return Probe.from_json(answer)


def poster(worker: MediaWorker, path: Path, destination: Path, *, frame: int) -> None:
    """Write the JPEG of poster.poster to `destination`. Raises MediaError."""
    with _whole(destination) as target:
        worker.call("poster", path, destination=target, frame=frame)


def measure(worker: MediaWorker, path: Path, destination: Path) -> "Measures":
    """See measure.measure; the arrays pass through the file `destination`. Raises MediaError."""
    with _whole(destination) as target:
        worker.call("measure", path, destination=target)
        from fairframe.media.measure import Measures

        return Measures.load(destination)


def looks(worker: MediaWorker, path: Path) -> "Looks":
    """See looks.looks. Raises MediaError, InputError where the child's file is not one of hashes."""
    with tempfile.TemporaryDirectory(prefix="fairframe-looks-") as folder:
        target = Path(folder) / "looks.npz"
        worker.call("looks", path, destination=str(target))
        from fairframe.media.looks import Looks

        return Looks.load(target)


def stills(worker: MediaWorker, path: Path, frames: Sequence[int], *, longest: int) -> list[bytes]:
    """See poster.stills. Raises MediaError."""
    with _raw() as raw:
        sizes = worker.call("stills", path, destination=str(raw), frames=list(frames), longest=longest)
        data = raw.read_bytes() if raw.is_file() and raw.stat().st_size <= MAX_STILLS_BYTES else b""
        found: list[bytes] = []
        at = 0
        for size in sizes if isinstance(sizes, list) else []:
            if not isinstance(size, int) or not 0 < size <= len(data) - at:
                raise _nonsense(path)
            found.append(data[at : at + size])
            at += size
    if len(found) != len(frames) or at != len(data) or not all(one.startswith(JPEG) for one in found):
        raise _nonsense(path)
    return found


def cut(worker: MediaWorker, src: Path, dst: Path, span: FrameSpan, *, fps: Rate | None) -> "Encoded":
    """See encode.cut. Raises MediaError."""
    rate = None if fps is None else str(fps)
    with _whole(dst) as target:
        answer = worker.call("cut", src, destination=target, start=span.start, end=span.end, fps=rate)
        from fairframe.media.encode import Encoded

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


def sidecar(worker: MediaWorker, path: Path, form: Form) -> list[Signal]:
    """See sidecars.read_sidecar. A child that fails gives a signal of trust "unreadable"."""
    try:
        found = worker.call("sidecar", path, form=form)
        if not isinstance(found, list) or not found:
            raise BadDocument("Expected a list of signals", code="document.field", where=str(path))
        return [_signal(value) for value in found]
    except (MediaError, BadDocument) as error:
        return [unreadable(form, error.message)]


def credentials(worker: MediaWorker, path: Path, anchors_pem: bytes, *, store: Path | None = None) -> Credentials:
    """See credentials.read_credentials. A child that fails gives the state "unreadable". Raises MissingExtra."""
    arguments: dict[str, Json] = {"anchors": anchors_pem.decode("ascii"), "store": store and str(store.absolute())}
    try:
        fields = Fields(worker.call("credentials", path, **arguments), "credentials")
        state, reason = fields.text("state", one_of=STATES), fields.text("reason")
        lineage = fields.text("lineage", max_chars=MAX_LINEAGE_CHARS)
        fields.close()
    except (MediaError, BadDocument) as error:
        return Credentials("unreadable", error.message[:300], None)
    return Credentials(cast(State, state), reason, _lineage(lineage))


def squares(
    worker: MediaWorker, path: Path, *, size: int, fps: int, expected: int, duration_ms: int
) -> "tuple[int, Picture | None]":
    """See squares.squares. Raises MediaError."""
    with _raw() as raw:
        found = worker.call(
            "squares", path, destination=str(raw), size=size, fps=fps, expected=expected, duration_ms=duration_ms
        )
        if not isinstance(found, int):
            raise _nonsense(path)
        from fairframe.media.squares import count_at

        count = count_at(duration_ms, fps)
        return found, _pictures(raw, size, range(count, count + 1), path) if found == expected else None


def given_picture(worker: MediaWorker, path: Path, size: int) -> "Picture":
    """See given.picture. Raises MediaError."""
    with _raw() as raw:
        worker.call("given_picture", path, destination=str(raw), size=size)
        return _pictures(raw, size, range(1, 2), path)


def given_ending(worker: MediaWorker, path: Path, size: int, fps: int, count: int) -> "Picture":
    """See given.ending. Raises MediaError."""
    with _raw() as raw:
        worker.call("given_ending", path, destination=str(raw), size=size, fps=fps, count=count)
        return _pictures(raw, size, range(1, count + 1), path)


def _signal(value: Json) -> Signal:
    fields = Fields(value, "signal")
    kind, trust = fields.text("kind", one_of=KINDS), fields.text("trust", one_of=TRUSTS)
    try:
        raw = base64.b64decode(fields.text("raw", max_chars=8 * 1024**2), validate=True)
    except binascii.Error as error:
        raise BadDocument("raw is not base64", code="document.field", where="signal") from error
    key, said, detail = fields.text("key"), fields.text("value"), fields.object("detail")
    fields.close()
    return Signal(cast(Kind, kind), key, said, cast(Trust, trust), detail, raw)


@contextmanager
def _raw() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="fairframe-frames-") as folder:
        yield Path(folder) / "frames.rgb"


def _pictures(raw: Path, size: int, counts: range, source: Path) -> "Picture":
    """uint8 (T, size, size, 3), T one of `counts`, out of the file that a child wrote."""
    import numpy as np

    length = raw.stat().st_size if raw.is_file() else 0
    count, rest = divmod(length, size * size * 3)
    if rest or count not in counts:
        raise _nonsense(source)
    return np.fromfile(raw, np.uint8, length).reshape(count, size, size, 3)


def _lineage(text: str) -> Json:
    """None for what is none of ours: too long, or not in the JSON that we write."""
    try:
        return parse(text)
    except BadDocument:
        return None


def _nonsense(path: Path) -> MediaError:
    return MediaError("the file made its reader answer nonsense", code="media.bad_answer", where=str(path))


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
