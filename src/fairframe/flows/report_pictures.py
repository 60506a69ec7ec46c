"""Pictures that a report carries in itself: posters, strips of frames, small moving pictures. All as data URIs.

Only files that this workspace opened in its sandbox before, or made itself, are decoded here. What cannot be shown
(no media extra, an object that was deleted, a file that does not decode) is left out: a report never fails over it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import FairframeError

if TYPE_CHECKING:
    from fairframe.media.decode import Picture

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_FRAMES = 3_000
"""Frames beyond which a strip is no longer looked for: it would have to decode that far."""
_KINDS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"RIFF": "webp"}


@dataclass(frozen=True)
class Strip:
    """Frames as data URIs, in order; the first `given` of those shown were given to a model, not made by it."""

    frames: tuple[str, ...]
    given: int = 0


@dataclass(frozen=True)
class Moving:
    """A looping picture, and a still for those who asked for less motion."""

    loop: str
    still: str


def data_uri(image: bytes) -> str:
    """Of a JPEG, PNG or WebP; empty for anything else."""
    kind = next((kind for magic, kind in _KINDS.items() if image.startswith(magic)), None)
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}" if kind else ""


def poster(path: Path, longest: int = 256) -> str:
    """A stored poster, made smaller; empty where it cannot be read."""
    if not _readable(path):
        return ""
    try:
        import cv2
        import numpy as np

        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            return ""
        scale = longest / max(picture.shape[:2])
        if scale < 1:
            shape = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
            picture = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
        return data_uri(_jpeg(picture[..., ::-1]))
    except (ImportError, OSError, FairframeError):
        return ""


def strip(
    path: Path,
    start: int,
    end: int,
    *,
    n: int = 6,
    given: int = 0,
    square: bool = False,
) -> Strip:
    """`n` evenly spaced frames of [start, end), 132 px high. given: frames of the file that a model was given.

    square: only the middle square, which is what the model sees of a clip.
    """
    count = min(n, end - start)
    if count < 1 or end > MAX_FRAMES or not _readable(path):
        return Strip(())
    wanted = sorted({start + round(i * (end - start - 1) / max(count - 1, 1)) for i in range(count)})
    pictures = _frames(path, wanted, 132, square=square)
    shown = sum(1 for index in wanted if index < given)
    return Strip(tuple(uri for one in pictures if (uri := data_uri(_jpeg(one)))), shown)


def moving(
    path: Path, start: int, end: int, *, fps: float, side: int = 192, most: int = 96, square: bool = False
) -> Moving | None:
    """Frames [start, end) as a looping WebP, `side` pixels high at most; None where it cannot be made."""
    end = min(end, start + most, MAX_FRAMES)
    if end - start < 2 or fps <= 0 or not _readable(path):
        return None
    try:
        import cv2

        small = _frames(path, list(range(start, end)), side, square=square)
        if len(small) < 2:
            return None
        loop = cv2.Animation()
        loop.frames = [cv2.cvtColor(one, cv2.COLOR_RGB2BGRA) for one in small]
        loop.durations = [round(1000 / fps)] * len(small)
        ok, data = cv2.imencodeanimation(".webp", loop, [cv2.IMWRITE_WEBP_QUALITY, 72])
        return Moving(data_uri(data.tobytes()), data_uri(_jpeg(small[len(small) // 2]))) if ok else None
    except (ImportError, OSError, FairframeError):
        return None


def file_image(path: Path) -> str:
    """A small image file that this workspace wrote (a validation sheet); empty where it is none."""
    if not _readable(path, 4 * 1024 * 1024):
        return ""
    try:
        return data_uri(path.read_bytes())
    except OSError:
        return ""


def _frames(path: Path, wanted: Sequence[int], height: int, *, square: bool) -> "list[Picture]":
    """The wanted frames as RGB, `height` pixels high at most, as far as the file decodes."""
    try:
        from fairframe.media import decode

        keep = set(wanted)
        found = decode.frames(path, start=wanted[0], end=wanted[-1] + 1)
        kept = (frame.picture for frame in found if frame.index in keep)
        return [_scaled(_square(picture) if square else picture, height) for picture in kept]
    except (ImportError, OSError, FairframeError):
        return []


def _scaled(picture: "Picture", height: int) -> "Picture":
    import cv2
    import numpy as np

    if picture.shape[0] <= height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _square(picture: "Picture") -> "Picture":
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


def _jpeg(picture: "Any") -> bytes:
    import cv2
    import numpy as np

    ok, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 82])
    return data.tobytes() if ok else b""


def _readable(path: Path, most: int = MAX_FILE_BYTES) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= most
    except OSError:
        return False
