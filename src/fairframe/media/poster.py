"""Still pictures for people: one poster per asset, and single frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from fairframe.core.errors import MediaError
from fairframe.media.container import media_error, open_video
from fairframe.media.decode import Picture, frames, raw_frames
from fairframe.media.decode import picture as rgb_picture

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


def stills(path: Path, wanted: Sequence[int], *, longest: int) -> list[bytes]:
    """JPEGs of the frames of these indices, in the order asked for. Raises MediaError, media.too_short for one that is
    not there."""
    found: dict[int, bytes] = {}
    with open_video(path) as video:
        for index, frame in raw_frames(video, min(wanted)):
            if index in wanted:
                found[index] = encode_image(_fit(rgb_picture(frame), longest), "jpeg")
            if index >= max(wanted):
                break
    if missing := sorted(set(wanted) - set(found)):
        raise media_error("too_short", Path(path), f"has no frame {missing[0]}", "Ask for earlier frames")
    return [found[index] for index in wanted]


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
