"""Opening a media file with every door shut that video does not need, and saying plainly what is wrong."""

import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import MediaError, MissingExtra

if TYPE_CHECKING:
    import av.container
    import av.video.stream

MAX_PIXELS = 8192 * 4320
"""Largest picture that is opened, in pixels (8K)."""

# only what a video library sees: no playlists, which could name other files or hosts, and no exotic parsers
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mxf,ogg,flv,asf"
CODECS = frozenset(
    {"h264", "hevc", "av1", "vp8", "vp9", "prores", "dnxhd", "cfhd", "ffv1", "mjpeg", "mpeg1video", "mpeg2video"}
    | {"mpeg4", "msmpeg4v3", "h263", "theora", "vc1", "wmv3", "dvvideo"}
)
MARKS = (b"encv", b"enca", b"pssh")
"""ISO 23001-7 sample entries and boxes that stand only in encrypted files."""
SCAN_BYTES = 4 * 1024 * 1024

EXPORT_AGAIN = "Open the file in a player; export it again if it plays, else get a fresh copy"


@dataclass(frozen=True)
class Video:
    """An open file and the video stream that counts: the container's default or largest one."""

    path: Path
    container: "av.container.InputContainer"
    stream: "av.video.stream.VideoStream"
    codec: str


@contextmanager
def open_video(path: Path, *, threads: int = 1) -> Generator[Video]:
    """Open `path` for decoding with `threads` decoder threads.

    Raises MediaError (media.missing, media.empty, media.not_media, media.encrypted, media.no_video,
    media.unsupported_codec, media.too_large) and MissingExtra. Library errors inside the block become
    media.damaged or media.memory.
    """
    av = import_av()
    path = Path(path).absolute()
    check_file(path)
    try:
        # max_pixels also stops a stream that grows after its header was checked
        options = {"max_pixels": str(MAX_PIXELS)}
        guards = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
        container = av.open(str(path), container_options=guards, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, MemoryError, OSError) as error:
        raise _unopened(path, error) from error
    with container:
        try:
            yield _choose(path, container, threads)
        except (av.error.FFmpegError, MemoryError) as error:
            raise damaged(path, error) from error


def import_av() -> Any:
    """PyAV, or MissingExtra naming the command that installs it."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "reading video needs PyAV",
            remedy="Run: pip install 'fairframe[media]'",
            code="missing_extra.media",
        ) from error
    return av


def check_file(path: Path) -> None:
    """A regular file with something in it, or MediaError (a pipe or device would hang whoever reads it)."""
    try:
        found = path.stat()
    except OSError as error:
        raise media_error("missing", path, "cannot be opened", "Check the path and its permissions") from error
    if not stat.S_ISREG(found.st_mode):
        raise media_error("missing", path, "is not a regular file", "Name a file")
    if found.st_size == 0:
        raise media_error("empty", path, "is empty (0 bytes)", "Copy the file again from its source")


def media_error(code: str, path: Path, problem: str, remedy: str) -> MediaError:
    return MediaError(f"the file {problem}", code=f"media.{code}", where=str(path), remedy=remedy)


def damaged(path: Path, error: BaseException, frame: int | None = None) -> MediaError:
    """What decoding stopped on; encrypted samples look like damage, so the marks are looked for first."""
    if isinstance(error, MemoryError):
        return media_error("memory", path, "needs more memory than allowed", "Make a smaller copy of it")
    if is_encrypted(path):
        return media_error("encrypted", path, "is encrypted", "Get a copy without DRM from the contributor")
    if frame == 0:
        return media_error("undecodable", path, "has no frame that can be decoded", EXPORT_AGAIN)
    at = "" if frame is None else f" at frame {frame}"
    return media_error("damaged", path, f"is damaged{at}: it does not decode to its end", EXPORT_AGAIN)


def is_encrypted(path: Path) -> bool:
    """Whether the head or tail (4 MiB each) of an ISO media file has the marks of common encryption."""
    with path.open("rb") as file:
        head = file.read(SCAN_BYTES)
        file.seek(max(0, path.stat().st_size - SCAN_BYTES))
        return head[4:8] in (b"ftyp", b"styp", b"moov") and any(m in head + file.read() for m in MARKS)


def _unopened(path: Path, error: Exception) -> MediaError:
    if isinstance(error, MemoryError):
        return damaged(path, error)
    if is_encrypted(path):
        return media_error("encrypted", path, "is encrypted", "Get a copy without DRM from the contributor")
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"styp") or head[:4] in (b"\x1aE\xdf\xa3", b"RIFF", b"OggS"):
        return media_error("broken", path, "has a broken or incomplete container", EXPORT_AGAIN)
    return media_error("not_media", path, "is not a video", "Check that it is a video; export it as MP4")


def _choose(path: Path, container: Any, threads: int) -> Video:
    stream = container.streams.best("video")
    if stream is None or stream.disposition & stream.disposition.attached_pic:
        raise media_error("no_video", path, "has no video stream", "Add the file that holds the picture")
    # None for a stream without a decoder, whatever the type stubs say
    context: Any = stream.codec_context
    codec = str(context.codec.canonical_name) if context else ""
    if codec not in CODECS:
        name = codec or "an unknown codec"
        raise media_error("unsupported_codec", path, f"is coded as {name}", "Export it as H.264, HEVC, AV1 or ProRes")
    if context.width * context.height > MAX_PIXELS or stream.width * stream.height > MAX_PIXELS:
        size = f"{context.width}x{context.height}"
        raise media_error("too_large", path, f"has {size} pixels, over 8192x4320", "Export it at 8K or less")
    context.thread_count = threads
    if threads == 1:
        context.thread_type = "NONE"
    return Video(path, container, stream, codec)
