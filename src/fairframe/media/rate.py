"""The frame rate that time stamps really have, and whether they keep it."""

from collections.abc import Sequence
from fractions import Fraction

from fairframe.core.timecode import Rate

_NTSC = (24, 30, 60, 120, 15)
STANDARD = (
    *(Fraction(whole) for whole in (24, 25, 30, 50, 60, 48, 10, 12, 15, 20, 100, 120, 240)),
    *(Fraction(whole * 1000, 1001) for whole in _NTSC),
    Fraction(25, 2),
)
"""Rates that cameras and encoders mean when their time stamps are rounded."""
LARGEST_DENOMINATOR = 1001
HIGHEST = 1000


def measure(stamps: Sequence[int], end: int, time_base: Fraction, named: Fraction) -> tuple[Rate, bool, int]:
    """(rate, varies, duration in ms) of sorted presentation stamps in units of `time_base` seconds.

    `end` is where the last frame stops, if the file says so, else any value up to the last stamp; `named` is the
    rate in the header. The rate is constant if some grid of frames fits every stamp to within a quarter of a frame:
    then frame i stands for i / rate. A variable rate is given as its average.
    """
    span = (stamps[-1] - stamps[0]) * time_base if stamps else Fraction(0)
    if span <= 0:
        fps = _bounded(named)
        return fps, False, fps.duration_ms(max(len(stamps), 1))
    mean = Fraction(len(stamps) - 1) / span
    likely = sorted(STANDARD, key=lambda r: abs(r - mean))
    likely = [named, *likely] if named in STANDARD else [*likely, named]
    fps = next((r for r in likely if _fits(stamps, time_base, r)), mean)
    tail = (end - stamps[-1]) * time_base if end > stamps[-1] else 1 / fps
    # a bogus header may have the last frame last for hours
    return _bounded(fps), not _fits(stamps, time_base, fps), round(1000 * (span + min(tail, max(span, 2 / fps))))


def _fits(stamps: Sequence[int], time_base: Fraction, fps: Fraction) -> bool:
    """Whether every stamp lies within a quarter of a frame of the grid that starts at the first."""
    step = 1 / (fps * time_base)
    # in integers, scaled by the step's denominator: a Fraction per frame would cost seconds on a long file
    first, allowed = stamps[0], step.numerator / 4
    return all(
        abs((stamp - first) * step.denominator - i * step.numerator) <= allowed for i, stamp in enumerate(stamps)
    )


def _bounded(fps: Fraction) -> Rate:
    fps = min(fps, Fraction(HIGHEST)) if fps > 0 else Fraction(25)
    near = fps if fps in STANDARD else fps.limit_denominator(LARGEST_DENOMINATOR)
    return Rate(max(near.numerator, 1), near.denominator)
