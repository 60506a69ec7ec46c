"""What a media file holds, found out by reading its packets and decoding its beginning and end."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.canonical import Json
from fairframe.core.fields import Fields
from fairframe.core.timecode import Rate
from fairframe.media import rate
from fairframe.media.container import EXPORT_AGAIN, Video, media_error, open_video
from fairframe.media.decode import decoded
from fairframe.media.orientation import of_frame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MAX_DURATION_MS = 6 * 3600 * 1000
MAX_FRAMES = 6 * 3600 * 240
MIN_FRAMES = 2
CHECKED_PIXELS = 1 << 28
"""Pixels decoded from the beginning before the check jumps to the last keyframe (290 frames of 1280x720)."""
TRANSFERS = {16: "pq", 18: "hlg"}
LOCATION_KEYS = ("location", "gps", "iso6709", "xyz", "loci")


@dataclass(frozen=True)
class Probe:
    """One video file. Sizes in pixels as shown (after rotation); `frames` are frames, durations milliseconds."""

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    mirrored: bool
    fps: Rate
    vfr: bool
    duration_ms: int
    frames: int
    checked_frames: int
    bit_depth: int
    pixel_format: str
    transfer: str
    audio: bool
    video_streams: int
    location_metadata: bool

    def to_json(self) -> dict[str, Json]:
        return {**asdict(self), "fps": str(self.fps)}

    @classmethod
    def from_json(cls, value: Json) -> "Probe":
        """Raises BadDocument unless `value` is a probe exactly."""
        fields = Fields(value, "probe")
        found: dict[str, Any] = {"fps": Rate.parse(fields.text("fps", max_chars=40))}
        for name, kind in cls.__annotations__.items():
            if kind is int:
                found[name] = fields.integer(name)
            elif kind is bool:
                found[name] = fields.boolean(name)
            elif kind is str:
                found[name] = fields.text(name, max_chars=100)
        fields.close()
        return cls(**found)


@dataclass(frozen=True)
class _Packets:
    """What demuxing tells, in ticks of the stream's time base: sorted stamps, and where the last keyframe is."""

    stamps: list[int]
    last_key: int
    end: int
    read: int
    promised: int


def probe(path: Path) -> Probe:
    """Read one file. Run it in a MediaWorker when the file comes from somebody else.

    Every packet is read; frames are decoded from the start up to CHECKED_PIXELS and from the last keyframe to the
    end. A duration in the header is not believed: it is the span of the packets. Raises MediaError, codes:
    container.open_video's and media.undecodable, media.damaged, media.truncated, media.too_short, media.too_long,
    media.size_changes.
    """
    path = Path(path)
    with open_video(path) as video:
        packets = _demux(video)
        audio = len(video.container.streams.audio) > 0
        streams = sum(not s.disposition & s.disposition.attached_pic for s in video.container.streams.video)
        located = _has_location(video)
        container = video.container.format.name.split(",")[0]
        named = Fraction(video.stream.guessed_rate or video.stream.average_rate or 25)
        time_base = Fraction(video.stream.time_base or Fraction(1, 1000))
    first, stamps, checked = _decode_ends(path, packets)
    frames = checked if stamps else len(packets.stamps)
    _check_counts(path, packets, frames)
    first_turn = of_frame(first)
    width, height = first_turn.size(first.width, first.height)
    fps, vfr, duration_ms = rate.measure(stamps or packets.stamps, packets.end, time_base, named)
    if duration_ms > MAX_DURATION_MS:
        raise media_error("too_long", path, f"lasts {duration_ms // 60_000} minutes", "Split it below six hours")
    return Probe(
        container=container,
        codec=video.codec,
        width=width,
        height=height,
        rotation=first_turn.rotation,
        mirrored=first_turn.mirrored,
        fps=fps,
        vfr=vfr,
        duration_ms=duration_ms,
        frames=frames,
        checked_frames=checked,
        bit_depth=first.format.components[0].bits,
        pixel_format=first.format.name,
        transfer=TRANSFERS.get(first.color_trc, "sdr"),
        audio=audio,
        video_streams=streams,
        location_metadata=located,
    )


def _has_location(video: Video) -> bool:
    tags: Iterable[str] = video.container.metadata
    for stream in video.container.streams:
        tags = [*tags, *stream.metadata]
    return any(key in tag.lower() for tag in tags for key in LOCATION_KEYS)


def _demux(video: Video) -> _Packets:
    stamps: list[int] = []
    last_key, end, read = 0, 0, 0
    for packet in video.container.demux(video.stream):
        if not packet.size:
            continue
        read += 1
        if read > MAX_FRAMES:
            raise media_error("too_long", video.path, f"has more than {MAX_FRAMES} frames", "Split it")
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.is_discard:
            continue
        stamps.append(stamp)
        end = max(end, stamp + (packet.duration or 0)) if len(stamps) > 1 else stamp + (packet.duration or 0)
        if packet.is_keyframe:
            last_key = max(last_key, stamp) if len(stamps) > 1 else stamp
    return _Packets(sorted(stamps), last_key, end, read, video.stream.frames)


def _decode_ends(path: Path, packets: _Packets) -> "tuple[VideoFrame, list[int], int]":
    """(first frame, stamps if every frame was decoded else [], number of frames decoded)."""
    first: VideoFrame | None = None
    stamps: list[int] = []
    for frame in _checked(path, None):
        if first is None:
            first = frame
        stamps.append(len(stamps) if frame.pts is None else frame.pts)
        if len(stamps) * frame.width * frame.height > CHECKED_PIXELS:
            break
    else:
        if first is None:
            raise media_error("undecodable", path, "has no frame that can be decoded", EXPORT_AGAIN)
        return first, stamps, len(stamps)
    count = len(stamps)
    for frame in _checked(path, packets.last_key):
        count += 1
        if (count - len(stamps)) * frame.width * frame.height > CHECKED_PIXELS:
            break
    if count == len(stamps):
        raise media_error("damaged", path, "does not decode from its last keyframe to its end", EXPORT_AGAIN)
    return first, [], count


def _checked(path: Path, stamp: int | None) -> "Iterator[VideoFrame]":
    with open_video(path) as video:
        if stamp is not None:
            video.container.seek(stamp, stream=video.stream, backward=True)
        yield from decoded(video)


def _check_counts(path: Path, packets: _Packets, frames: int) -> None:
    if packets.read < packets.promised:
        found = f"{packets.read} of {packets.promised}"
        raise media_error("truncated", path, f"is cut short: {found} frames are there", "Copy it again from its source")
    if frames < MIN_FRAMES:
        raise media_error("too_short", path, f"has {frames} frame, not a moving picture", "Add a longer recording")
