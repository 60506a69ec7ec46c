"""What a split method decides on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivered:
    """A delivered item: a span [start, end) of an asset in its unit, that lasts duration_ms."""

    item: str
    asset: int
    start: int
    end: int
    duration_ms: int


@dataclass(frozen=True)
class Used:
    """Frames of an item that one reported checkpoint consumed."""

    item: str
    frames: int
