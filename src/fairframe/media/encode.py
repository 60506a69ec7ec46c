"""H.264 MP4 files with an exact number of frames, the same bytes each time, and nothing carried over but pictures."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media import decode
from fairframe.media.container import import_av, media_error, open_video
from fairframe.media.orientation import of_frame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

CRF = 14
"""x264's constant rate factor: close to transparent."""
PRESET = "fast"
KEYFRAME_EVERY = 48
TICKS = 90_000
"""Ticks per second where frames keep uneven times."""
BT709, LIMITED, FULL = 1, 1, 2


@dataclass(frozen=True)
class Encoded:
    """What a written file holds: `frames` of `width` x `height` pixels."""

    frames: int
    duration_ms: int
    width: int
    height: int


def write_mp4(path: Path, pictures: Iterable[decode.Picture], fps: Rate, *, crf: int = CRF) -> Encoded:
    """Write uint8 RGB pictures (H, W, 3), all of one size, at a constant rate; an odd last row or column is cut.

    The file appears whole or not at all. Raises MediaError (media.no_frames, media.size_changes,
    media.encode_failed).
    """
    step = Fraction(fps.den, fps.num)
    with _writer(path, step, crf) as writer:
        for index, picture in enumerate(pictures):
            writer.add(_from_rgb(picture), index, 1)
        encoded = writer.finish()
    return Encoded(encoded.frames, fps.duration_ms(encoded.frames), encoded.width, encoded.height)


def cut(src: Path, dst: Path, span: FrameSpan, *, fps: Rate | None) -> Encoded:
    """Re-encode the frames [span.start, span.end) of `src`: upright, without sound, metadata or location.

    `fps` is the constant rate to lay the frames out at; None keeps their own times (variable rate), from zero.
    8-bit 4:2:0 that needs no turning is encoded from its own samples; the rest passes through 8-bit RGB.
    Raises MediaError as decode.frames and write_mp4 do, and media.too_short if `src` ends before `span.end`.
    """
    step = Fraction(1, TICKS) if fps is None else Fraction(fps.den, fps.num)
    with open_video(src) as video, _writer(dst, step, CRF) as writer:
        first, last = 0, -1
        for index, frame in decode.raw_frames(video, span.start):
            if index >= span.start:
                if fps is not None:
                    writer.add(_clean(frame), index - span.start, 1)
                else:
                    stamp, length = _ticks(frame)
                    first = stamp if index == span.start else first
                    last = max(stamp - first, last + 1)
                    writer.add(_clean(frame), last, length)
            if index + 1 == span.end:
                break
        else:
            raise media_error("too_short", Path(src), f"ends before frame {span.end}", "Cut a shorter span")
        encoded = writer.finish()
    if fps is None:
        return encoded
    return Encoded(encoded.frames, fps.duration_ms(encoded.frames), encoded.width, encoded.height)


class _Writer:
    """An MP4 being written; without B-frames, so that frame i is packet i and no edit list is needed."""

    def __init__(self, path: Path, step: Fraction, crf: int) -> None:
        self._av = import_av()
        # bitexact leaves out version strings and times: the same pictures give the same bytes
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container = self._av.open(str(path), "w", format="mp4", options=options)
        self._path, self._step, self._crf = path, step, crf
        self._stream: Any = None
        self._lengths: list[int] = []
        self._last = 0
        self._muxed = 0

    def add(self, frame: "VideoFrame", pts: int, length: int) -> None:
        if self._stream is None:
            self._stream = self._open(frame)
        if (frame.width, frame.height) != (self._stream.width, self._stream.height):
            raise media_error("size_changes", self._path, "would change its size midway", "Give frames of one size")
        frame.pts, frame.time_base = pts, self._step
        self._last = pts
        self._lengths.append(length)
        self._mux(self._stream.encode(frame))

    def finish(self) -> Encoded:
        if self._stream is None:
            raise media_error("no_frames", self._path, "would have no frames", "Give at least one frame")
        self._mux(self._stream.encode(None))
        self._container.close()
        length_ms = round(1000 * (self._last + self._lengths[-1]) * self._step)
        return Encoded(self._muxed, length_ms, self._stream.width, self._stream.height)

    def close(self) -> None:
        self._container.close()

    def _open(self, frame: "VideoFrame") -> Any:
        stream = self._container.add_stream("libx264", rate=None)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuv420p"
        context.time_base = stream.time_base = self._step
        context.framerate = 1 / self._step if self._step > Fraction(1, 1000) else Fraction(25)
        context.thread_count = 1
        context.color_range = frame.color_range
        context.colorspace, context.color_primaries, context.color_trc = (
            frame.colorspace,
            frame.color_primaries,
            frame.color_trc,
        )
        params = f"threads=1:lookahead-threads=1:keyint={KEYFRAME_EVERY}:bframes=0"
        context.options = {"preset": PRESET, "crf": str(self._crf), "x264-params": params, "flags": "+bitexact"}
        return stream

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            packet.duration = self._lengths[self._muxed]
            self._muxed += 1
            self._container.mux(packet)


@contextmanager
def _writer(path: Path, step: Fraction, crf: int) -> Generator[_Writer]:
    """A writer to a file beside `path` that takes its place only when the block has ended well."""
    av = import_av()
    path = Path(path).absolute()
    part = path.with_name(path.name + ".part")
    try:
        writer = _Writer(part, step, crf)
        try:
            yield writer
        finally:
            writer.close()
        part.replace(path)
    except (av.error.FFmpegError, OSError) as error:
        raise media_error("encode_failed", path, f"could not be written: {error}", "Check the disk's space") from error
    finally:
        part.unlink(missing_ok=True)


def _ticks(frame: "VideoFrame") -> tuple[int, int]:
    """(time stamp, length) of a decoded frame in 1/90,000 s."""
    base = Fraction(frame.time_base or Fraction(1, 25)) * TICKS
    return round((frame.pts or 0) * base), max(1, round((frame.duration or 0) * base))


def _clean(frame: "VideoFrame") -> "VideoFrame":
    """The picture alone as 4:2:0, upright and of even size: no captions, user data or frame types of the source."""
    av = import_av()
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    plain = frame.format.name == "yuv420p" and frame.color_range != FULL and not decode.is_hdr(frame)
    if not (plain and even and of_frame(frame).identity):
        return _from_rgb(decode.picture(frame))
    found = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
    found.color_range, found.colorspace = LIMITED, frame.colorspace
    found.color_primaries, found.color_trc = frame.color_primaries, frame.color_trc
    return found


def _from_rgb(picture: decode.Picture) -> "VideoFrame":
    """An RGB picture as limited-range BT.709 4:2:0 of even size."""
    import numpy as np

    av = import_av()
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
    found = source.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED, threads=1)
    found.color_range, found.colorspace, found.color_primaries, found.color_trc = LIMITED, BT709, BT709, BT709
    return found
