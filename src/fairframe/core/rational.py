"""A share of something: an exact fraction from 0 to 1."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from fairframe.core.errors import InputError

_SHARE = re.compile(r"([0-9]{1,15})(?:/([0-9]{1,15}))?")


@dataclass(frozen=True)
class Share:
    """num/den, reduced: Share(2, 10) == Share(1, 5). InputError when outside 0 to 1."""

    num: int
    den: int = 1

    def __post_init__(self) -> None:
        if self.den <= 0 or not 0 <= self.num <= self.den:
            raise InputError(
                f"{self.num}/{self.den} is not a share from 0 to 1",
                code="input.bad_share",
                remedy="Write it like 1/5",
            )
        divisor = math.gcd(self.num, self.den)
        object.__setattr__(self, "num", self.num // divisor)
        object.__setattr__(self, "den", self.den // divisor)

    @classmethod
    def parse(cls, text: str) -> "Share":
        """ "1/5", "0" or "1"; no decimals, which would hide a rounding."""
        match = _SHARE.fullmatch(text)
        if match is None:
            raise InputError(f"{text[:40]!r} is not a share", code="input.bad_share", remedy="Write it like 1/5")
        return cls(int(match.group(1)), int(match.group(2) or 1))

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.num, self.den)

    def of(self, amount: int) -> int:
        """The share of a whole amount of zero or more, rounded down."""
        if amount < 0:
            raise ValueError("a share is taken of zero or more")
        return amount * self.num // self.den

    def complement(self) -> "Share":
        return Share(self.den - self.num, self.den)

    def __lt__(self, other: "Share") -> bool:
        return self.num * other.den < other.num * self.den

    def __str__(self) -> str:
        return f"{self.num}/{self.den}"
