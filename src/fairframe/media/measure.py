"""One decode pass over a file that gives what every later decision on it needs, frame by frame.

Luma is read without a copy and shrunk by cv2 to a picture of 128x72, whatever the file's shape; all but sharpness is
taken from that. Per frame this costs about a tenth of a millisecond, against three to decode 1280x720.

- `cut`, `drift`: how far the luma histogram (32 bins) is from the one 1 and 12 frames before, half the L1 distance:
  a hard cut is a peak of the first, a dissolve a plateau of the second (histogram difference: Nagasaka and Tanaka
  1991; twin comparison: Zhang, Kankanhalli and Smoliar 1993).
- `difference`: mean absolute difference of the pictures 1 frame apart; near 0 is frozen.
- `motion`: mean length of dense inverse search flow (Kroeger et al. 2016) in picture widths per second.
- `sharpness`: variance of the Laplacian (Pech-Pacheco et al. 2000) at a short side of 360 pixels.
- `hash`: 256 bits, the signs of the 16x16 lowest AC coefficients of the 64x64 DCT about their median (as PDQ,
  Facebook 2019); `informative` is false where the picture is too flat for its bits to mean anything.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.errors import InputError
from fairframe.media import decode
from fairframe.media.container import EXPORT_AGAIN, media_error, open_video
from fairframe.media.hashing import Hashes, hash_picture
from fairframe.media.orientation import Orientation, of_frame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

VERSION = "measures-1"
WIDTH, HEIGHT = 128, 72
BINS = 32
DRIFT_FRAMES = 12
MOTION_EVERY = 4
SHARPNESS_EVERY = 16
SHARPNESS_SIDE = 360
HASH_EVERY = 8
HASH_CUT = 0.25
"""A change that large gets a hash of its own, so that every shot has one."""
BLACK_LEVEL, BLACK_SHARE = 0.10, 0.98
FROZEN_DIFFERENCE = 0.15

FRAME_TYPE = np.dtype(
    [
        ("pts_ms", np.int64),
        ("cut", np.float32),  # 0 to 1
        ("drift", np.float32),  # 0 to 1
        ("difference", np.float32),  # 0 to 255
        ("motion", np.float32),  # picture widths per second; of the last frame it was taken at
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
        run = _Run()
        for frame in decode.decoded(video):
            run.add(frame)
    if not run.rows:
        raise media_error("undecodable", Path(path), "has no frame that can be decoded", EXPORT_AGAIN)
    return run.measures()


class _Run:
    """The state of one pass: the last pictures and histograms, and the rows so far."""

    def __init__(self) -> None:
        import cv2

        self.rows: list[tuple[Any, ...]] = []
        self.hashes: list[tuple[int, bytes, bool]] = []
        self._cv2: Any = cv2
        self._flow: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: Any = None
        self._last_ms = 0
        self._histograms: list[Any] = []
        self._motion = self._sharpness = 0.0
        self._low, self._high = 16, 235
        self._turn = Orientation()

    def add(self, frame: "VideoFrame") -> None:
        cv2, index = self._cv2, len(self.rows)
        luma = decode.luma(frame)
        if index == 0:
            self._begin(frame)
        # two taps per side are enough for statistics; averaging all pixels would cost twenty times as much
        small = cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        histogram = cv2.calcHist([small], [0], None, [256], [0, 256]).ravel()
        coarse = histogram.reshape(BINS, -1).sum(1)
        pts_ms = decode.pts_ms(frame)
        cut, drift = self._distance(coarse, 1), self._distance(coarse, DRIFT_FRAMES)
        difference = cv2.norm(small, self._last, cv2.NORM_L1) / small.size if index else 255.0
        if index % MOTION_EVERY == 1 or MOTION_EVERY == 1:
            self._motion = self._length(small, pts_ms - self._last_ms)
        if index % SHARPNESS_EVERY == 0:
            self._sharpness = self._laplacian(luma)
        if index % HASH_EVERY == 0 or cut >= HASH_CUT:
            self.hashes.append((index, *hash_picture(self._turn.apply(self._hashable(luma)))))
        self.rows.append((pts_ms, cut, drift, difference, self._motion, self._sharpness, histogram))
        self._last, self._last_ms = small, pts_ms
        self._histograms.append(coarse)
        if len(self._histograms) > DRIFT_FRAMES:
            del self._histograms[0]

    def measures(self) -> Measures:
        """The rows as arrays, exposure and flags computed for all frames at once."""
        table = np.zeros(len(self.rows), FRAME_TYPE)
        names = ("pts_ms", "cut", "drift", "difference", "motion", "sharpness")
        for column, name in enumerate(names):
            table[name] = [row[column] for row in self.rows]
        shares = np.stack([row[-1] for row in self.rows]) / (WIDTH * HEIGHT)
        level = np.clip((np.arange(256) - self._low) / (self._high - self._low), 0, 1)
        table["luma"] = shares @ level
        table["contrast"] = np.sqrt(np.maximum(shares @ level**2 - table["luma"] ** 2, 0))
        table["dark"] = shares[:, : self._low + 1].sum(1)
        table["bright"] = shares[:, self._high :].sum(1)
        table["black"] = shares[:, level <= BLACK_LEVEL].sum(1) >= BLACK_SHARE
        table["frozen"] = table["difference"] <= FROZEN_DIFFERENCE
        if len(table) > 1:
            # nothing moves before the second frame: the first takes its neighbor's values
            table["motion"][0], table["difference"][0] = table["motion"][1], table["difference"][1]
        return Measures(VERSION, table, Hashes.of(self.hashes))

    def _begin(self, frame: "VideoFrame") -> None:
        full = frame.color_range == 2 or frame.format.name.startswith(("yuvj", "gray"))
        self._low, self._high = (0, 255) if full else (16, 235)
        self._turn = of_frame(frame)

    def _distance(self, histogram: Any, back: int) -> float:
        """Half the L1 distance to the histogram `back` frames before (or the oldest there is), 0 to 1."""
        if not self._histograms:
            return 0.0
        other = self._histograms[max(0, len(self._histograms) - back)]
        return float(np.abs(histogram - other).sum()) / (2 * WIDTH * HEIGHT)

    def _length(self, small: Any, passed_ms: int) -> float:
        flow = self._flow.calc(self._last, small, None)
        # both axes in parts of the picture's side
        flow = np.hypot(flow[..., 0] / WIDTH, flow[..., 1] / HEIGHT)
        return float(flow.mean()) * 1000 / max(passed_ms, 1)

    def _laplacian(self, luma: Any) -> float:
        cv2 = self._cv2
        height, width = luma.shape
        scale = SHARPNESS_SIDE / min(height, width)
        if scale < 1:
            luma = cv2.resize(luma, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        edges = cv2.Laplacian(luma, cv2.CV_16S)
        mean, deviation = cv2.meanStdDev(edges)
        del mean
        return float(deviation[0, 0]) ** 2

    def _hashable(self, luma: Any) -> Any:
        """The picture at 128x128 or so: taps spread over all of it, so that a rescaled copy hashes alike."""
        cv2 = self._cv2
        return cv2.resize(luma, (256, 256), interpolation=cv2.INTER_LINEAR)
