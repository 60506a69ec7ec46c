"""Decoded frames of a file, in display order, upright, by exact index.

Frame 0 is the first frame that the decoder returns (those before an edit list's start do not count), and the index
counts returned frames: probe, measures, shots and cuts all speak of the same frames.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError, MediaError
from fairframe.media import tonemap
from fairframe.media.container import Video, damaged, import_av, media_error, open_video
from fairframe.media.orientation import of_frame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Picture = NDArray[np.uint8]
Kind = Literal["rgb", "luma"]

SEEK_FROM = 240
"""Frames from which a span is sought to instead of decoded to."""
# planar YUV (or gray) whose first plane is luma at the low bits, in this machine's byte order
LUMA_FIRST = re.compile(r"(yuv[aj]?4\d\dp|nv1[26]|gray)(\d*)(le)?$")
BT709, BT601 = 1, 5


@dataclass(frozen=True)
class Frame:
    """A picture as shown, (H, W, 3) RGB or (H, W) luma, uint8; `pts_ms` counts from the stream's own zero."""

    index: int
    pts_ms: int
    picture: Picture


def frames(
    path: Path,
    *,
    start: int = 0,
    end: int | None = None,
    size: tuple[int, int] | None = None,
    kind: Kind = "rgb",
) -> Iterator[Frame]:
    """The frames [start, end) of a file; `size` is (width, height) in pixels as shown.

    Luma keeps the file's own range; RGB is full-range, with high dynamic range mapped to standard (tonemap).
    Raises MediaError (see container.open_video; media.damaged where the stream stops decoding).
    """
    if start < 0 or (end is not None and end < start):
        raise InputError(f"frames {start} to {end} are no span", code="input.bad_span", remedy="Give 0 <= start <= end")
    if end == start:
        return
    with open_video(path) as video:
        for index, raw in raw_frames(video, start):
            if index >= start:
                yield Frame(index, pts_ms(raw), picture(raw, kind=kind, size=size))
            if end is not None and index + 1 >= end:
                return


def read_span(path: Path, start: int, end: int, *, size: tuple[int, int] | None = None, kind: Kind = "rgb") -> Picture:
    """The frames [start, end) as one array (T, H, W, 3) or (T, H, W), uint8.

    Raises MediaError as `frames` does, and media.too_short if the file ends before `end`.
    """
    found = [frame.picture for frame in frames(path, start=start, end=end, size=size, kind=kind)]
    if len(found) != end - start or not found:
        last = start + len(found)
        raise media_error("too_short", Path(path), f"ends at frame {last}, before frame {end}", "Ask for fewer frames")
    return np.stack(found)


def decoded(video: Video) -> "Iterator[VideoFrame]":
    """Raw frames in display order; raises MediaError at the first that is broken or of another size."""
    av = import_av()
    count, size = 0, None
    try:
        for frame in video.container.decode(video.stream):
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                change = f"changes its size at frame {count}"
                raise media_error("size_changes", video.path, change, "Export it with one size throughout")
            yield frame
            count += 1
    except (av.error.FFmpegError, MemoryError) as error:
        raise damaged(video.path, error, count) from error


def picture(frame: "VideoFrame", *, kind: Kind = "rgb", size: tuple[int, int] | None = None) -> Picture:
    """A decoded frame as shown, (H, W, 3) RGB or (H, W) luma, scaled to `size` (width, height)."""
    image = luma(frame) if kind == "luma" else rgb(frame)
    turn = of_frame(frame)
    if size is not None:
        import cv2

        stored = turn.size(*size)
        shrinks = stored[0] < frame.width or stored[1] < frame.height
        image = cv2.resize(image, stored, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return turn.apply(image)


def luma(frame: "VideoFrame") -> Picture:
    """The stored luma plane (H, W), 8 bits, not rotated; not copied where the file has 8 bits (then read-only)."""
    plane, shift = luma_plane(frame)
    return (plane >> shift).astype(np.uint8) if shift else plane


def luma_plane(frame: "VideoFrame") -> tuple[NDArray[Any], int]:
    """(the stored luma plane (H, W) as uint8 or uint16, bits to shift right for 8), not copied nor rotated."""
    shift = _luma_shift(frame.format.name)
    if shift is None:
        return np.asarray(frame.reformat(format="gray", threads=1).to_ndarray(), np.uint8), 0
    plane = frame.planes[0]
    wide = 2 if shift else 1
    kind = np.uint16 if shift else np.uint8
    return np.ndarray((frame.height, frame.width), kind, plane, 0, (plane.line_size, wide)), shift  # type: ignore[arg-type]


def rgb(frame: "VideoFrame") -> Picture:
    """The stored picture as full-range BT.709 RGB (H, W, 3), not rotated."""
    matrix: int = frame.colorspace
    if matrix not in (1, 4, 5, 6, 7, 9):
        # unmarked files follow the custom of their size
        matrix = BT709 if frame.height >= 720 or frame.width >= 1280 else BT601
    # one thread: else each frame would start, and leave behind, as many as there are processors
    image = np.asarray(frame.reformat(format="rgb24", src_colorspace=matrix, threads=1).to_ndarray(), np.uint8)
    return tonemap.to_standard(image, frame.color_trc) if tonemap.is_hdr(frame.color_trc) else image


def is_hdr(frame: "VideoFrame") -> bool:
    return tonemap.is_hdr(frame.color_trc)


def pts_ms(frame: "VideoFrame") -> int:
    """Presentation time in whole milliseconds, rounded half up; 0 where the file gives none."""
    if frame.pts is None or frame.time_base is None:
        return 0
    base = frame.time_base
    return (2000 * frame.pts * base.numerator + base.denominator) // (2 * base.denominator)


@lru_cache(maxsize=64)
def _luma_shift(pixel_format: str) -> int | None:
    """Bits to drop from the first plane to get 8-bit luma; None where it has to be converted."""
    match = LUMA_FIRST.match(pixel_format)
    if match is None:
        return None
    if not match[2]:
        return 0
    return int(match[2]) - 8 if match[3] and int(match[2]) > 8 else None


def raw_frames(video: Video, start: int) -> "Iterator[tuple[int, VideoFrame]]":
    """(index, raw frame) from `start` or earlier, by way of the nearest keyframe where that is safe."""
    times = packet_times(video.path) if start >= SEEK_FROM else []
    if start < len(times):
        run = decoded(video)
        first = _seek(video, run, times[start])
        if first is not None:
            yield start, first
            yield from enumerate(run, start + 1)
            return
        with open_video(video.path) as again:
            yield from enumerate(decoded(again))
        return
    yield from enumerate(decoded(video))


def packet_times(path: Path) -> list[int]:
    """Every frame's time stamp in display order, from the packets; empty where they identify no frames."""
    stamps: list[int | None] = []
    with open_video(path) as video:
        for packet in video.container.demux(video.stream):
            if packet.size and not packet.is_discard:
                stamps.append(packet.pts)
    known = [stamp for stamp in stamps if stamp is not None]
    return sorted(known) if len(set(known)) == len(stamps) else []


def _seek(video: Video, run: "Iterator[VideoFrame]", stamp: int) -> "VideoFrame | None":
    """The frame shown at `stamp`, or None where a seek does not lead to it whole."""
    video.container.seek(stamp, stream=video.stream, backward=True)
    try:
        for frame in run:
            if frame.pts is None or frame.pts > stamp or frame.is_corrupt:
                return None
            if frame.pts == stamp:
                return frame
    except MediaError:
        # frames that lean on what lies before the seek's keyframe may be missing their references
        return None
    return None
