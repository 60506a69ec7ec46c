"""One decode pass over a file that gives what every later decision on it needs, frame by frame.

Luma is read without a copy and shrunk by cv2 to 96x96, whatever the file's shape; all but sharpness and hashes is
taken from that. Per frame this costs about a tenth of a millisecond, against three to decode 1280x720.

- `cut`, `drift`: how far the luma histogram (32 bins) is from the one 1 and 12 frames before, half the L1 distance:
  a hard cut is a peak of the first, a dissolve a plateau of the second (histogram difference: Nagasaka and Tanaka
  1991; twin comparison: Zhang, Kankanhalli and Smoliar 1993).
- `difference`: mean absolute difference of the pictures 1 frame apart; near 0 is frozen.
- `motion`: mean length of dense inverse search flow (Kroeger et al. 2016) in sides of the picture per second.
- `sharpness`: variance of the Laplacian (Pech-Pacheco et al. 2000) at a short side of 360 pixels.
- `hash`: 256 bits, the signs of the 16x16 lowest AC coefficients of the 64x64 DCT about their median (as PDQ,
  Facebook 2019); `informative` is false where the picture is too flat for its bits to mean anything.
"""

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
SHARPNESS_EVERY = 16
SHARPNESS_SIDE = 360
HASH_EVERY = 8
HASH_DIFFERENCE = 20.0
"""A frame that differs that much from the one before gets a hash of its own, so that every shot has one."""
CHUNK = 1024
BLACK_LEVEL, BLACK_SHARE = 0.10, 0.98
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
        arrays = {"hash_frames": self.hashes.frames, "hash_bits": self.hashes.bits}
        with Path(path).open("wb") as file:
            np.savez(
                file, frames=self.frames, informative=self.hashes.informative, version=np.array(self.version), **arrays
            )

    @classmethod
    def load(cls, path: Path) -> "Measures":
        """Raises InputError if the file is not one that `save` writes."""
        try:
            with np.load(path, allow_pickle=False) as found:
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
    """The state of one pass. Per frame it only reads pixels; what can be said of many frames at once waits."""

    def __init__(self, video: Video) -> None:
        import cv2

        self.index = 0
        self._cv2: Any = cv2
        self._base = Fraction(video.stream.time_base or Fraction(1, 1000)) * 1000
        self._tick_ms = float(self._base)
        self._flow: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: Any = None
        self._last_pts = 0
        self._motion = self._sharpness = 0.0
        self._low, self._high = 16, 235
        self._turn = UPRIGHT
        self._hashes: list[tuple[int, bytes, bool]] = []
        self._rows: list[tuple[int, float, float, float]] = []
        self._histograms: list[Any] = []
        self._before: Any = None
        self._tables: list[NDArray[Any]] = []

    def add(self, frame: "VideoFrame") -> None:
        cv2, index = self._cv2, self.index
        luma = decode.luma(frame)
        if index == 0:
            self._begin(frame)
        # two taps per side are enough for statistics; averaging all pixels would cost twenty times as much
        small = cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        self._histograms.append(cv2.calcHist([small], [0], None, [256], [0, 256]))
        pts = frame.pts or 0
        difference = cv2.norm(small, self._last, cv2.NORM_L1) / small.size if index else 0.0
        if index % MOTION_EVERY == 1:
            self._motion = self._length(small, pts - self._last_pts)
        if index % SHARPNESS_EVERY == 0:
            self._sharpness = self._laplacian(luma)
        if index % HASH_EVERY == 0 or difference >= HASH_DIFFERENCE:
            self._hashes.append((index, *hash_picture(self._turn.apply(self._hashable(luma)))))
        self._rows.append((pts, difference, self._motion, self._sharpness))
        self._last, self._last_pts = small, pts
        self.index += 1
        if len(self._rows) == CHUNK:
            self._flush()

    def measures(self) -> Measures:
        self._flush()
        table = np.concatenate(self._tables)
        if len(table) > 1:
            # nothing has moved before the second frame: the first takes its neighbor's values
            table["motion"][0], table["difference"][0] = table["motion"][1], table["difference"][1]
        table["frozen"] = table["difference"] <= FROZEN_DIFFERENCE
        return Measures(VERSION, table, Hashes.of(self._hashes))

    def _flush(self) -> None:
        """Turn the waiting rows and histograms into a table, keeping the last histograms for the next."""
        if not self._rows:
            return
        base = self._base
        table = np.zeros(len(self._rows), FRAME_TYPE)
        pts, table["difference"], table["motion"], table["sharpness"] = zip(*self._rows, strict=True)
        table["pts_ms"] = [(2 * stamp * base.numerator + base.denominator) // (2 * base.denominator) for stamp in pts]
        shares = np.stack(self._histograms).reshape(len(table), 256) / np.float32(SIDE * SIDE)
        coarse = shares.reshape(len(table), BINS, -1).sum(2)
        before = np.repeat(coarse[:1], DRIFT_FRAMES, 0) if self._before is None else self._before
        coarse = np.concatenate([before, coarse])
        table["cut"] = np.abs(coarse[DRIFT_FRAMES:] - coarse[DRIFT_FRAMES - 1 : -1]).sum(1) / 2
        table["drift"] = np.abs(coarse[DRIFT_FRAMES:] - coarse[:-DRIFT_FRAMES]).sum(1) / 2
        self._expose(table, shares)
        self._before = coarse[-DRIFT_FRAMES:]
        self._tables.append(table)
        self._rows, self._histograms = [], []

    def _expose(self, table: NDArray[Any], shares: NDArray[Any]) -> None:
        level = np.clip((np.arange(256) - self._low) / (self._high - self._low), 0, 1)
        mean = shares @ level
        table["luma"] = mean
        table["contrast"] = np.sqrt(np.maximum(shares @ level**2 - mean**2, 0))
        table["dark"] = shares[:, : self._low + 1].sum(1)
        table["bright"] = shares[:, self._high :].sum(1)
        table["black"] = shares[:, level <= BLACK_LEVEL].sum(1) >= BLACK_SHARE

    def _begin(self, frame: "VideoFrame") -> None:
        full = frame.color_range == 2 or frame.format.name.startswith(("yuvj", "gray"))
        self._low, self._high = (0, 255) if full else (16, 235)
        self._turn = of_frame(frame)

    def _length(self, small: Any, passed: int) -> float:
        # a vector in eight each way is enough for a mean; (dx, dy) read as one complex number
        flow = self._flow.calc(self._last, small, None).view(np.complex64)[4::8, 4::8]
        return float(np.abs(flow).mean()) / SIDE * 1000 / max(1.0, passed * self._tick_ms)

    def _laplacian(self, luma: Any) -> float:
        cv2 = self._cv2
        height, width = luma.shape
        scale = SHARPNESS_SIDE / min(height, width)
        if scale < 1:
            luma = cv2.resize(luma, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        # a Laplacian's mean is zero but for the border, so that the mean square is the variance
        edges = cv2.Laplacian(luma, cv2.CV_16S)
        return float(cv2.norm(edges, cv2.NORM_L2)) ** 2 / edges.size

    def _hashable(self, luma: Any) -> Any:
        """Shrunk in two steps, so that taps are spread over all of the picture and a rescaled copy hashes alike."""
        cv2 = self._cv2
        return cv2.resize(luma, (256, 256), interpolation=cv2.INTER_LINEAR)
