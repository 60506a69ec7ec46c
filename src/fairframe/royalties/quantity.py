"""How much of what a fee was for, as people write it: clips and outputs as whole numbers, hours as a decimal."""

import re
from fractions import Fraction

from fairframe.core.errors import InputError

HOUR_MS = 3_600_000
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_HOURS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


def parse_quantity(kind: str, text: str) -> int | None:
    """Clips or outputs; for per_hour, hours in milliseconds. None for an empty text. Raises InputError."""
    if not text:
        return None
    if kind == "per_hour" and _HOURS.fullmatch(text):
        duration_ms = Fraction(text) * HOUR_MS
        if duration_ms.denominator == 1:
            return int(duration_ms)
    if kind != "per_hour" and _WHOLE.fullmatch(text):
        return int(text)
    wanted = "hours as a decimal, to the millisecond" if kind == "per_hour" else "a whole number"
    raise InputError(f"{text[:40]!r} is no quantity", code="revenue.quantity", remedy=f"Say {wanted}")


def quantity_words(kind: str, quantity: int | None) -> str:
    """A quantity for people, "" for none."""
    if quantity is None:
        return ""
    if kind == "per_hour":
        return f"{quantity // HOUR_MS}:{quantity % HOUR_MS // 60_000:02}:{quantity % 60_000 / 1000:06.3f} h"
    return f"{quantity} {'clips' if kind == 'per_clip' else 'outputs'}"
