"""Frame rates as exact fractions, spans of frames, and SMPTE non-drop timecode."""

import math
import re
from dataclasses import dataclass

from fairframe.core.errors import InputError

_RATE = re.compile(r"([0-9]{1,9})(?:/([0-9]{1,9}))?")
_TIMECODE = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2}):([0-9]{2,3})")


@dataclass(frozen=True)
class Rate:
    """Frames per second, reduced: Rate(48, 2) == Rate(24, 1). InputError unless both are above zero."""

    num: int
    den: int = 1

    def __post_init__(self) -> None:
        if self.num <= 0 or self.den <= 0:
            raise InputError(f"{self.num}/{self.den} is not a frame rate", code="input.bad_rate")
        divisor = math.gcd(self.num, self.den)
        object.__setattr__(self, "num", self.num // divisor)
        object.__setattr__(self, "den", self.den // divisor)

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """ "24/1", "30000/1001" or "25"."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise InputError(
                f"{text[:40]!r} is not a frame rate", code="input.bad_rate", remedy="Write it like 30000/1001"
            )
        return cls(int(match.group(1)), int(match.group(2) or 1))

    @property
    def nominal(self) -> int:
        """The whole rate that timecode counts with: 30 for 30000/1001."""
        return -(-self.num // self.den)

    def duration_ms(self, frames: int) -> int:
        """How long `frames` frames last, to the nearest millisecond, halves up."""
        return (2 * frames * 1000 * self.den + self.num) // (2 * self.num)

    def frame_at(self, ms: int) -> int:
        """The frame shown at a time: the last one that has begun."""
        return ms * self.num // (1000 * self.den)

    def __str__(self) -> str:
        return f"{self.num}/{self.den}"


@dataclass(frozen=True, order=True)
class FrameSpan:
    """Frames from `start` up to, not including, `end`; never empty. InputError otherwise."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise InputError(f"frames {self.start} to {self.end} are not a span", code="input.bad_span")

    @property
    def frames(self) -> int:
        return self.end - self.start

    def contains(self, frame: int) -> bool:
        return self.start <= frame < self.end

    def intersect(self, other: "FrameSpan") -> "FrameSpan | None":
        start, end = max(self.start, other.start), min(self.end, other.end)
        return FrameSpan(start, end) if start < end else None

    def shift(self, frames: int) -> "FrameSpan":
        return FrameSpan(self.start + frames, self.end + frames)

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


@dataclass(frozen=True)
class Timecode:
    """A frame number read as SMPTE ST 12-1 non-drop timecode, which counts to 24 hours."""

    frame: int
    rate: Rate

    def __post_init__(self) -> None:
        if not 0 <= self.frame < 86_400 * self.rate.nominal:
            raise InputError(f"frame {self.frame} lies outside a day of timecode", code="input.bad_timecode")

    @classmethod
    def parse(cls, text: str, rate: Rate) -> "Timecode":
        """ "01:02:03:04"; InputError on a field out of range and on drop-frame notation (with ";")."""
        match = _TIMECODE.fullmatch(text)
        hours, minutes, seconds, frames = (int(part) for part in match.groups()) if match else (24, 0, 0, 0)
        if hours > 23 or minutes > 59 or seconds > 59 or frames >= rate.nominal:
            raise InputError(
                f"{text[:40]!r} is not a timecode at {rate} frames a second",
                code="input.bad_timecode",
                remedy="Write non-drop timecode like 01:02:03:04",
            )
        return cls(((hours * 60 + minutes) * 60 + seconds) * rate.nominal + frames, rate)

    def __str__(self) -> str:
        seconds, frame = divmod(self.frame, self.rate.nominal)
        width = max(2, len(str(self.rate.nominal - 1)))
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:0{width}d}"
