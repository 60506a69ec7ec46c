"""What a worker can be asked for: JSON values in, JSON values out, files written where the parent says."""

import base64
import json
from dataclasses import asdict
from pathlib import Path

from fairframe.core.canonical import Json
from fairframe.core.timecode import FrameSpan, Rate

MAX_LINEAGE_CHARS = 65_536


def probe(path: str) -> Json:
    from fairframe.media.probe import probe as run

    return run(Path(path)).to_json()


def poster(path: str, destination: str, frame: int) -> Json:
    from fairframe.media.poster import poster as run

    return Path(destination).write_bytes(run(Path(path), frame))


def stills(path: str, destination: str, frames: list[int], longest: int) -> Json:
    from fairframe.media.poster import stills as run

    found = run(Path(path), frames, longest=longest)
    Path(destination).write_bytes(b"".join(found))
    return [len(one) for one in found]


def cut(path: str, destination: str, start: int, end: int, fps: str | None) -> Json:
    from fairframe.media.encode import cut as run

    rate = None if fps is None else Rate.parse(fps)
    done = run(Path(path), Path(destination), FrameSpan(start, end), fps=rate)
    return asdict(done)


def measure(path: str, destination: str) -> Json:
    from fairframe.media.measure import measure as run

    measures = run(Path(path))
    measures.save(Path(destination))
    return {"frames": len(measures.frames), "version": measures.version}


def looks(path: str, destination: str) -> Json:
    from fairframe.media.looks import looks as run

    found = run(Path(path))
    found.save(Path(destination))
    return len(found.frames)


def signals(path: str, anchors: str) -> Json:
    from fairframe.media.signals import read_signals

    found = read_signals(Path(path), anchors.encode("ascii"))
    return [{**asdict(signal), "raw": base64.b64encode(signal.raw).decode("ascii")} for signal in found]


def sidecar(path: str, form: str) -> Json:
    from fairframe.media.sidecars import read_sidecar

    found = read_sidecar(Path(path), form)  # type: ignore[arg-type]
    return [{**asdict(signal), "raw": ""} for signal in found]


def credentials(path: str, anchors: str, store: str | None) -> Json:
    from fairframe.media.credentials import read_credentials

    found = read_credentials(Path(path), anchors.encode("ascii"), store=None if store is None else Path(store))
    # as text: what a stranger wrote into it is parsed where it is read
    return {"state": found.state, "reason": found.reason, "lineage": json.dumps(found.lineage)[:MAX_LINEAGE_CHARS]}


def squares(path: str, destination: str, size: int, fps: int, expected: int, duration_ms: int) -> Json:
    from fairframe.media.squares import squares as run

    found, pictures = run(Path(path), size, fps, expected, duration_ms)
    if pictures is not None:
        Path(destination).write_bytes(pictures.tobytes())
    return found


def given_picture(path: str, destination: str, size: int) -> Json:
    from fairframe.media.given import picture

    found = picture(Path(path), size)
    Path(destination).write_bytes(found.tobytes())
    return len(found)


def given_ending(path: str, destination: str, size: int, fps: int, count: int) -> Json:
    from fairframe.media.given import ending

    found = ending(Path(path), size, fps, count)
    Path(destination).write_bytes(found.tobytes())
    return len(found)
