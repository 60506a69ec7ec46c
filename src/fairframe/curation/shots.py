"""Shots: spans of frames without a cut, decided from stored measures without decoding anything again."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairframe.core.timecode import FrameSpan, Rate
from fairframe.curation.cuts import fades, hard_cuts
from fairframe.curation.dissolves import find
from fairframe.media.measure import Measures

MIN_FRAMES = 8
"""Shorter pieces are no shots. Every span of that length holds a hash (one is taken each 8 frames)."""
MAX_HASHES = 8

Span = tuple[int, int]


@dataclass(frozen=True)
class Shot:
    """A cut-free span, in frames and in milliseconds from the stream's zero, with its measures in 1/1000.

    motion: sides of the picture per second. sharpness: variance of the Laplacian. luma: of the nominal range. black,
    frozen: share of the frames. hashes: up to eight of 256 bits as hex, spread over the shot, flat ones left out.
    """

    span: FrameSpan
    start_ms: int
    end_ms: int
    motion_milli: int
    sharpness_milli: int
    luma_milli: int
    black_milli: int
    frozen_milli: int
    hashes: tuple[str, ...]


def decide(measures: Measures, fps: Rate) -> list[Shot]:
    """The shots of an asset, in order, at least one. Pure: the same measures give the same shots.

    `fps` is used for times where the file's own do not rise from frame to frame.
    """
    times = frame_times(measures.frames["pts_ms"], fps)
    return [_describe(measures, times, FrameSpan(start, end)) for start, end in spans(measures)]


def spans(measures: Measures) -> list[Span]:
    """Frames [start, end) of every shot: never through a hard cut, without the frames of a dissolve or fade."""
    frames, hashes = measures.frames, measures.hashes
    cuts = hard_cuts(frames)
    known = hashes.informative
    gaps = [(fade.start, fade.end) for fade in fades(frames)]
    gaps += [(d.start, d.end) for d in find(frames, hashes.frames[known].astype(np.int64), hashes.bits[known], cuts)]
    gaps += [(cut, cut) for cut in cuts.tolist()]
    pieces: list[Span] = []
    at = 0
    for start, end in sorted(gaps):
        pieces.append((at, start))
        at = max(at, end)
    pieces.append((at, len(frames)))
    long = [(start, end) for start, end in pieces if end - start >= MIN_FRAMES]
    if long:
        return long
    # a clip of a few frames is still one shot, and so is a black one: filters judge them, with a reason
    longest = max(pieces, key=lambda piece: piece[1] - piece[0])
    return [longest] if longest[1] > longest[0] else [(0, len(frames))]


def frame_times(pts_ms: NDArray[np.int64], fps: Rate) -> NDArray[np.int64]:
    """(T + 1,) milliseconds at which each frame begins and the last one ends."""
    count = len(pts_ms)
    if count < 2 or bool((np.diff(pts_ms) <= 0).any()):
        return np.array([fps.duration_ms(i) for i in range(count + 1)], np.int64)
    last = int(pts_ms[-1]) + max(1, int(np.median(np.diff(pts_ms))))
    return np.concatenate([pts_ms, np.array([last])]).astype(np.int64)


def _describe(measures: Measures, times: NDArray[np.int64], span: FrameSpan) -> Shot:
    frames = measures.frames[span.start : span.end]
    return Shot(
        span=span,
        start_ms=int(times[span.start]),
        end_ms=int(times[span.end]),
        motion_milli=_milli(_inner(frames, "motion")),
        sharpness_milli=_milli(frames["sharpness"]),
        luma_milli=_milli(frames["luma"]),
        black_milli=_milli(frames["black"]),
        frozen_milli=_milli(_inner(frames, "frozen")),
        hashes=_hashes(measures, span),
    )


def _inner(frames: NDArray[Any], name: str) -> NDArray[Any]:
    """What compares a frame with the one before says nothing of the shot at the shot's first frame."""
    return frames[name][1:] if len(frames) > 1 else frames[name]


def _milli(values: NDArray[Any]) -> int:
    # each value is rounded first: integers add up alike in any order and on any machine
    parts = np.floor(values.astype(np.float64) * 1000 + 0.5).astype(np.int64)
    return (2 * int(parts.sum()) + len(parts)) // (2 * len(parts))


def _hashes(measures: Measures, span: FrameSpan) -> tuple[str, ...]:
    hashes = measures.hashes
    inside = np.flatnonzero((hashes.frames >= span.start) & (hashes.frames < span.end) & hashes.informative)
    count = min(len(inside), MAX_HASHES)
    chosen = [inside[(2 * i + 1) * len(inside) // (2 * count)] for i in range(count)]
    return tuple(bytes(hashes.bits[i]).hex() for i in chosen)
