"""Still pictures for people: one poster per asset, and strips of frames for reports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from fairframe.core.errors import InputError, MediaError
from fairframe.media.container import media_error
from fairframe.media.decode import Picture, frames

LONGEST = 512
QUALITY = 85


def poster(path: Path, frame: int, *, longest: int = LONGEST) -> bytes:
    """JPEG of one frame (a third into the file is a good choice), its longer side `longest` pixels at most.

    Where the file ends before `frame`, its last frame is taken. Raises MediaError.
    """
    picture = next((found.picture for found in frames(path, start=frame, end=frame + 1)), None)
    if picture is None:
        for found in frames(path):
            picture = found.picture
    if picture is None:
        raise media_error("undecodable", Path(path), "has no frame for a poster", "Export it again")
    return encode_image(_fit(picture, longest), "jpeg")


def strip(pictures: Sequence[Picture], n: int = 6, *, height: int = 96, image: Literal["png", "jpeg"] = "png") -> bytes:
    """`n` evenly spaced pictures of a (T, H, W, 3) sequence, first and last among them, side by side, 2 px apart."""
    if not len(pictures) or n < 1:
        raise InputError("a strip needs at least one frame", code="input.no_frames", remedy="Give frames")
    import cv2

    chosen = np.linspace(0, len(pictures) - 1, min(n, len(pictures))).round().astype(int)
    tiles: list[Picture] = []
    for index in chosen:
        picture = pictures[int(index)]
        width = max(1, round(picture.shape[1] * height / picture.shape[0]))
        scaling = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
        tiles.append(np.asarray(cv2.resize(picture, (width, height), interpolation=scaling), np.uint8))
        tiles.append(np.full((height, 2, 3), 255, np.uint8))
    return encode_image(np.concatenate(tiles[:-1], axis=1), image)


def encode_image(picture: Picture, image: Literal["png", "jpeg"]) -> bytes:
    """(H, W, 3) RGB as PNG, or as JPEG of quality 85."""
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if image == "jpeg" else []
    ok, data = cv2.imencode("." + image, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not ok:
        raise MediaError("the picture could not be encoded", code="media.encode_failed")
    return data.tobytes()


def _fit(picture: Picture, longest: int) -> Picture:
    import cv2

    scale = longest / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
