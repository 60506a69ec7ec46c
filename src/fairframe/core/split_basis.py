"""The split basis of an agreement: one method, or a rational blend of several, as a term that both parties sign.

    basis   =  name  |  part { "+" part }        delivered_ms        1/2 delivered_ms + 1/2 usage
    part    =  share name                        share: num/den as core.rational reads it, above zero

The shares of a blend sum to exactly one, no method stands twice, and their common denominator is at most MOST_DEN.
One meaning has one spelling: reduced shares, methods in the order of the alphabet, single spaces.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from fairframe.core.errors import InputError
from fairframe.core.rational import Share

NAMES = ("clips", "delivered_ms", "scores", "usage")
"""The methods that an agreement can name."""
LINEAGE = "lineage"
"""How revenue of a model is split, whatever the agreement names: by what was consumed along its lineage."""
MOST_DEN = 1_000
MOST_CHARS = 120
_PART = re.compile(r"([0-9]{1,15}(?:/[0-9]{1,15})?) +([a-z_]{1,40})")
_SHARE = "[0-9]{1,15}(/[0-9]{1,15})?"
PATTERN = "^(({names})|{share} +({names})( *\\+ *{share} +({names}))*)$".format(names="|".join(NAMES), share=_SHARE)
"""What a JSON Schema can say of it."""


@dataclass(frozen=True)
class SplitBasis:
    """parts: (share, method) by method; a single method has a share of one."""

    parts: tuple[tuple[Share, str], ...]

    @classmethod
    def parse(cls, text: str) -> "SplitBasis":
        """Raises InputError: split_basis.form, .unknown, .repeated, .zero, .sum, .fine."""
        if len(text) > MOST_CHARS:
            raise _wrong("form", f"{text[:40]!r}... is longer than {MOST_CHARS} characters")
        if re.fullmatch("[a-z_]+", text):
            return cls(((Share(1), _known(text)),))
        parts = [_part(one.strip()) for one in text.split("+")]
        names = [name for _, name in parts]
        if len(set(names)) != len(names):
            raise _wrong("repeated", f"{text!r} names a method twice")
        total = sum((share.fraction for share, _ in parts), Fraction(0))
        if total != 1:
            raise _wrong("sum", f"the shares of {text!r} sum to {total}, not to 1")
        found = cls(tuple(sorted(parts, key=lambda part: part[1])))
        if found.den > MOST_DEN:
            raise _wrong("fine", f"the shares of {text!r} have no common denominator up to {MOST_DEN}")
        return found

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.parts)

    @property
    def den(self) -> int:
        """The common denominator of the shares."""
        return math.lcm(*(share.den for share, _ in self.parts))

    def __str__(self) -> str:
        if len(self.parts) == 1:
            return self.parts[0][1]
        return " + ".join(f"{share} {name}" for share, name in self.parts)


def _part(text: str) -> tuple[Share, str]:
    match = _PART.fullmatch(text)
    if match is None:
        raise _wrong("form", f"{text[:60]!r} is not a share and a method")
    share = Share.parse(match.group(1))
    if share.num == 0:
        raise _wrong("zero", f"the share in {text!r} is zero")
    return share, _known(match.group(2))


def _known(name: str) -> str:
    if name not in NAMES:
        raise _wrong("unknown", f"the split method {name!r} is unknown")
    return name


def _wrong(code: str, message: str) -> InputError:
    remedy = f"Name one of {', '.join(NAMES)}, or a blend such as '1/2 delivered_ms + 1/2 usage'"
    return InputError(message, code=f"split_basis.{code}", remedy=remedy)
