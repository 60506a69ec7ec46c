"""One decode pass over a file that gives what every later decision on it needs, frame by frame.

Luma is read without a copy and shrunk by cv2 to 96x96, whatever the file's shape; all but sharpness and hashes is
taken from that. Per frame this costs about a tenth of a millisecond, against three to decode 1280x720.

- `cut`, `drift`: how far the luma histogram (32 bins) is from the one 1 and 12 frames before, half the L1 distance:
  a hard cut is a peak of the first, a dissolve a plateau of the second (histogram difference: Nagasaka and Tanaka
  1991; twin comparison: Zhang, Kankanhalli and Smoliar 1993).
- `difference`: mean absolute difference of the pictures 1 frame apart; near 0 is frozen.
- `motion`: mean of |dx| + |dy| of dense inverse search flow (Kroeger et al. 2016), in sides of the picture per
  second.
- `sharpness`: variance of the Laplacian (Pech-Pacheco et al. 2000) at a short side near 360 pixels.
- `hash`: 256 bits, the signs of the 16x16 lowest AC coefficients of the 64x64 DCT about their median (as PDQ,
  Facebook 2019); `informative` is false where the picture is too flat for its bits to mean anything.
"""

import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.media import decode
from fairframe.media.container import EXPORT_AGAIN, Video, media_error, open_video
from fairframe.media.hashing import Hashes, hash_picture
from fairframe.media.orientation import UPRIGHT, of_frame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

VERSION = "measures-1"
SIDE = 96
BINS = 32
DRIFT_FRAMES = 12
MOTION_EVERY = 4
SHARPNESS_EVERY = 24
SHARPNESS_SIDE = 360
HASH_EVERY = 8
HASHED_SIDE = 128
BLOCK = 32
BLACK_LEVEL, BLACK_SHARE = 0.10, 0.98
PARSING = threading.Lock()
FROZEN_DIFFERENCE = 0.15

FRAME_TYPE = np.dtype(
    [
        ("pts_ms", np.int64),
        ("cut", np.float32),  # 0 to 1
        ("drift", np.float32),  # 0 to 1
        ("difference", np.float32),  # 0 to 255
        ("motion", np.float32),  # sides of the picture per second; of the last frame it was taken at
        ("sharpness", np.float32),  # of the last frame it was taken at
        ("luma", np.float32),  # mean, 0 to 1 of the nominal range
        ("contrast", np.float32),  # standard deviation, 0 to 1
        ("dark", np.float32),  # share of pixels at or below nominal black
        ("bright", np.float32),  # share at or above nominal white
        ("black", np.bool_),
        ("frozen", np.bool_),
    ]
)


@dataclass(frozen=True)
class Measures:
    """`frames` (T,) of FRAME_TYPE, one per decoded frame; `hashes` of some of them."""

    version: str
    frames: NDArray[Any]
    hashes: Hashes

    def save(self, path: Path) -> None:
        """One .npz file, without pickled objects."""
        hashes = self.hashes
        with Path(path).open("wb") as file:
            np.savez(
                file,
                version=np.array(self.version),
                frames=self.frames,
                hash_frames=hashes.frames,
                hash_bits=hashes.bits,
                informative=hashes.informative,
            )

    @classmethod
    def load(cls, path: Path) -> "Measures":
        """Raises InputError if the file is not one that `save` writes."""
        try:
            # NumPy reads headers with ast.literal_eval, whose count of recursion threads share (CPython issue 106905)
            with PARSING, np.load(path, allow_pickle=False) as found:
                hashes = Hashes(found["hash_frames"], found["hash_bits"], found["informative"])
                measures = cls(str(found["version"]), found["frames"], hashes)
        except (OSError, ValueError, KeyError) as error:
            raise InputError("not a file of measures", code="input.bad_measures", where=str(path)) from error
        if measures.version != VERSION or measures.frames.dtype != FRAME_TYPE or not hashes.consistent():
            raise InputError("measures of another version", code="input.bad_measures", where=str(path))
        return measures


def measure(path: Path, *, threads: int = 1) -> Measures:
    """Decode a file once, from start to end. Raises MediaError where it does not decode, or has no frame."""
    import cv2

    # one thread: a batch runs one process per core
    cv2.setNumThreads(1)
    with open_video(path, threads=threads) as video:
        run = _Run(video)
        for frame in decode.decoded(video):
            run.add(frame)
    if not run.index:
        raise media_error("undecodable", Path(path), "has no frame that can be decoded", EXPORT_AGAIN)
    return run.measures()


class _Run:
    """The state of one pass. Frame by frame it only shrinks pictures; the rest is done for many at a time.

    Decoding a frame throws everything else out of the processor's caches: each step runs several times faster on
    32 pictures in a row than on one picture 32 times.
    """

    def __init__(self, video: Video) -> None:
        import cv2

        self.index = 0
        self._cv2: Any = cv2
        self._base = Fraction(video.stream.time_base or Fraction(1, 1000)) * 1000
        self._flow: Any = self._cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._low, self._high = 16, 235
        self._turn = UPRIGHT
        # [0] is the last picture of the block before
        self._pictures = np.zeros((BLOCK + 1, SIDE, SIDE), np.uint8)
        self._pts: list[int] = []
        self._last_pts = 0
        self._sharp: list[Any] = []
        self._hashable: list[Any] = []
        self._motion = 0.0
        self._hashes: list[tuple[int, bytes, bool]] = []
        self._before: Any = None
        self._tables: list[NDArray[Any]] = []

    def add(self, frame: "VideoFrame") -> None:
        index, waiting = self.index, len(self._pts)
        plane, shift = decode.luma_plane(frame)
        if index == 0:
            self._begin(frame)
        # two taps per side are enough for statistics; averaging all pixels would cost twenty times as much
        self._shrink(plane, shift, SIDE, self._pictures[waiting + 1])
        if index % SHARPNESS_EVERY == 0:
            self._sharp.append(self._laplacian(plane, shift))
        if index % HASH_EVERY == 0:
            picture = np.empty((HASHED_SIDE, HASHED_SIDE), np.uint8)
            self._shrink(plane, shift, HASHED_SIDE, picture)
            self._hashable.append(picture)
        self._pts.append(frame.pts or 0)
        self.index += 1
        if waiting + 1 == BLOCK:
            self._flush()

    def measures(self) -> Measures:
        self._flush()
        table = np.concatenate(self._tables)
        if len(table) > 1:
            # nothing has moved before the second frame: the first takes its neighbor's values
            table["motion"][0], table["difference"][0] = table["motion"][1], table["difference"][1]
        table["sharpness"] = np.repeat(np.array(self._sharp, np.float32), SHARPNESS_EVERY)[: len(table)]
        table["frozen"] = table["difference"] <= FROZEN_DIFFERENCE
        return Measures(VERSION, table, Hashes.of(self._hashes))

    def _flush(self) -> None:
        """Turn the waiting pictures into a table, and keep the last ones for the next block."""
        count = len(self._pts)
        if not count:
            return
        cv2, base, pictures, first = self._cv2, self._base, self._pictures, self.index - count
        table = np.zeros(count, FRAME_TYPE)
        table["pts_ms"] = [
            (2 * stamp * base.numerator + base.denominator) // (2 * base.denominator) for stamp in self._pts
        ]
        for i in range(0 if first else 1, count):
            table["difference"][i] = cv2.norm(pictures[i + 1], pictures[i], cv2.NORM_L1)
        table["difference"] /= SIDE * SIDE
        table["motion"] = self._motions(first, count)
        histograms = [cv2.calcHist([picture], [0], None, [256], [0, 256]) for picture in pictures[1 : count + 1]]
        self._distribute(table, np.stack(histograms).reshape(count, 256) / np.float32(SIDE * SIDE))
        hashed = range(-(-first // HASH_EVERY) * HASH_EVERY, self.index, HASH_EVERY)
        for index, picture in zip(hashed, self._hashable, strict=True):
            self._hashes.append((index, *hash_picture(self._turn.apply(picture))))
        self._tables.append(table)
        pictures[0], self._last_pts = pictures[count], self._pts[-1]
        self._pts, self._hashable = [], []

    def _distribute(self, table: NDArray[Any], shares: NDArray[Any]) -> None:
        """What follows from the luma histograms, `shares` (T, 256) of all pixels."""
        coarse = shares.reshape(len(table), BINS, -1).sum(2)
        before = np.repeat(coarse[:1], DRIFT_FRAMES, 0) if self._before is None else self._before
        coarse = np.concatenate([before, coarse])
        table["cut"] = np.abs(coarse[DRIFT_FRAMES:] - coarse[DRIFT_FRAMES - 1 : -1]).sum(1) / 2
        table["drift"] = np.abs(coarse[DRIFT_FRAMES:] - coarse[:-DRIFT_FRAMES]).sum(1) / 2
        self._before = coarse[-DRIFT_FRAMES:]
        level = np.clip((np.arange(256) - self._low) / (self._high - self._low), 0, 1)
        mean = shares @ level
        table["luma"] = mean
        table["contrast"] = np.sqrt(np.maximum(shares @ level**2 - mean**2, 0))
        table["dark"] = shares[:, : self._low + 1].sum(1)
        table["bright"] = shares[:, self._high :].sum(1)
        table["black"] = shares[:, level <= BLACK_LEVEL].sum(1) >= BLACK_SHARE

    def _motions(self, first: int, count: int) -> list[float]:
        found: list[float] = []
        stamps = [self._last_pts, *self._pts]
        for i in range(count):
            if (first + i) % MOTION_EVERY == 1:
                flow = self._flow.calc(self._pictures[i], self._pictures[i + 1], None)
                length = self._cv2.norm(flow, self._cv2.NORM_L1) / (SIDE * SIDE * SIDE)
                passed_ms = max(1.0, float((stamps[i + 1] - stamps[i]) * self._base))
                self._motion = length * 1000 / passed_ms
            found.append(self._motion)
        return found

    def _begin(self, frame: "VideoFrame") -> None:
        full = frame.color_range == 2 or frame.format.name.startswith(("yuvj", "gray"))
        self._low, self._high = (0, 255) if full else (16, 235)
        self._turn = of_frame(frame)

    def _shrink(self, plane: Any, shift: int, side: int, into: Any) -> None:
        cv2 = self._cv2
        if shift:
            into[:] = cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR) >> shift
        else:
            cv2.resize(plane, (side, side), into, interpolation=cv2.INTER_LINEAR)

    def _laplacian(self, plane: Any, shift: int) -> float:
        cv2 = self._cv2
        height, width = plane.shape
        # a whole factor, for which averaging all pixels is cheap
        factor = max(1, round(min(height, width) / SHARPNESS_SIDE))
        if factor > 1:
            plane = cv2.resize(plane, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
        # a Laplacian's mean is zero but for the border, so that the mean square is the variance
        edges = cv2.Laplacian((plane >> shift).astype(np.uint8) if shift else plane, cv2.CV_16S)
        return float(cv2.norm(edges, cv2.NORM_L2)) ** 2 / edges.size
