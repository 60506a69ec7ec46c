"""What a person gives a model to go on from: a picture, or the end of a video, square and of the model's size.

Run these in a MediaWorker: both read files of unknown origin.
"""

from collections import deque
from math import ceil
from pathlib import Path

import numpy as np

from fairframe.media.container import check_file, media_error
from fairframe.media.decode import Picture, frames
from fairframe.media.probe import probe
from fairframe.media.squares import square

MAX_IMAGE_BYTES = 64 * 1024 * 1024
MAX_HELD = 4_096
"""Source frames that are kept while the end of a video is looked for."""
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
EXPORT = "Give a JPEG, PNG or WebP picture"


def picture(path: Path, size: int) -> Picture:
    """(1, size, size, 3) RGB of a JPEG, PNG or WebP file, upright, its center square.

    Raises MediaError (media.missing, media.empty, media.not_media, media.too_large, media.undecodable).
    """
    import cv2

    path = Path(path)
    check_file(path)
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise media_error("too_large", path, f"is longer than {MAX_IMAGE_BYTES >> 20} MiB", "Make a smaller copy")
    data = path.read_bytes()
    if not data.startswith(MAGIC) or (data[:4] == b"RIFF" and data[8:12] != b"WEBP"):
        raise media_error("not_media", path, "is not a picture that is read here", EXPORT)
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise media_error("undecodable", path, f"cannot be decoded: {error.code}", EXPORT) from error
    if found is None:
        raise media_error("undecodable", path, "cannot be decoded", EXPORT)
    return square(np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8), size)[None]


def ending(path: Path, size: int, fps: int, count: int) -> Picture:
    """The last frames of a video as it would look at `fps`: (k, size, size, 3) RGB, k odd, at most `count`.

    The last of them is the video's last frame; a frame before it is the one shown 1 / fps seconds earlier, and so on.
    Raises MediaError as probe and decode.frames do.
    """
    known = probe(path)
    reach_ms = ceil(1000 * count / fps)
    needed = ceil(reach_ms * known.fps.num / (1000 * known.fps.den)) + 2
    start = 0 if known.vfr else max(0, known.frames - needed)
    held: deque[tuple[int, Picture]] = deque(maxlen=MAX_HELD)
    for frame in frames(path, start=start):
        held.append((frame.pts_ms, square(frame.picture, size)))
        while len(held) > 2 and held[1][0] <= frame.pts_ms - reach_ms:
            held.popleft()
    stamps = [stamp for stamp, _ in held]
    # a whole millisecond of tolerance: stamps are rounded
    wanted = [stamps[-1] - (back * 1000) // fps + 1 for back in range(count)]
    shown = [max((i for i, stamp in enumerate(stamps) if stamp <= at), default=-1) for at in wanted]
    places = [place for place in shown if place >= 0][::-1]
    places = places[1 - len(places) % 2 :]
    return np.stack([held[place][1] for place in places])
