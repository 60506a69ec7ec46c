"""What a person gives a film to start from. The file is opened in a child process; raw frames come back."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairframe.core.canonical import Json
from fairframe.core.errors import MediaError
from fairframe.media.sandbox import Limits, MediaWorker
from fairframe.platform.workspace import Workspace


def read_picture(ws: Workspace, path: Path, size: int) -> NDArray[np.uint8]:
    """uint8 (1, size, size, 3): the center square of a JPEG, PNG or WebP file. Raises MediaError."""
    return _call(ws, "given_picture", path, size, 1, {})


def read_ending(ws: Workspace, path: Path, size: int, fps: int, count: int) -> NDArray[np.uint8]:
    """uint8 (k, size, size, 3), k odd and at most `count`: a video's last frames at `fps`. Raises MediaError."""
    return _call(ws, "given_ending", path, size, count, {"fps": fps, "count": count})


def _call(
    ws: Workspace, function: str, path: Path, size: int, most: int, arguments: dict[str, Json]
) -> NDArray[np.uint8]:
    limits = Limits(cpu_s=ws.settings.media_seconds, memory_bytes=ws.settings.media_memory_bytes)
    with tempfile.TemporaryDirectory(prefix="fairframe-given-") as folder, MediaWorker(limits) as worker:
        raw = Path(folder) / "frames.rgb"
        count = worker.call(function, path, destination=str(raw), size=size, **arguments)
        frame_bytes = size * size * 3
        if not isinstance(count, int) or not 1 <= count <= most or raw.stat().st_size != count * frame_bytes:
            raise MediaError("the file made its reader answer nonsense", code="media.bad_answer", where=str(path))
        # a copy: torch wants arrays that it may write to
        return np.frombuffer(raw.read_bytes(), np.uint8).reshape(count, size, size, 3).copy()
