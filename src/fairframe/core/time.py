"""Time is integer milliseconds since 1970-01-01T00:00Z inside, and RFC 3339 in documents."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fairframe.core.errors import InputError

Clock = Callable[[], int]
"""Gives the present in milliseconds; a workspace holds one, so that tests can turn it."""

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIN_MS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_MAX_MS = (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,3}))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


def now_ms() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000


def to_rfc3339(ms: int) -> str:
    """Milliseconds as "2026-11-23T02:25:05.123Z": UTC, three digits, so text order is time order."""
    if not _MIN_MS <= ms <= _MAX_MS:
        raise InputError(f"{ms} ms lies outside the years 1 to 9999", code="input.bad_time")
    moment = _EPOCH + timedelta(milliseconds=ms)
    return (
        f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"
        f"T{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d}.{moment.microsecond // 1000:03d}Z"
    )


def moment_ms(text: str) -> int:
    """A time (RFC 3339), or a date, which is its first moment in UTC. Raises InputError."""
    return from_rfc3339(f"{text}T00:00:00.000Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text)


def from_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 time with zone and at most three fraction digits; InputError otherwise."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise _bad(text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, zone_hours, zone_minutes = match.groups()[6:]
    offset_min = int(zone_hours) * 60 + int(zone_minutes) if sign else 0
    if sign and (int(zone_hours) > 23 or int(zone_minutes) > 59):
        raise _bad(text)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _bad(text) from error
    ms = (moment - _EPOCH) // timedelta(milliseconds=1) + int((fraction or "").ljust(3, "0"))
    ms -= (-1 if sign == "-" else 1) * offset_min * 60_000
    if not _MIN_MS <= ms <= _MAX_MS:
        raise _bad(text)
    return ms


def _bad(text: str) -> InputError:
    return InputError(
        f"{text[:40]!r} is not a time",
        code="input.bad_time",
        remedy="Write it like 2026-11-23T02:25:05.123Z",
    )
