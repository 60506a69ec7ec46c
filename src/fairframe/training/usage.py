"""Usage: frames of each clip that training really consumed. Any trainer can call this; it needs no torch.

The counts live inside the checkpoint's state and are written with it, so a crash and resume never counts twice:
what was consumed after the last save is counted again only because it is consumed again, from the saved counts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from fairframe.core.ancestors import METHODS, Method
from fairframe.core.errors import BadDocument

Gather = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, order=True)
class UsageCount:
    """Frames of one item, from one source (a delivery's id, or "house"), that were consumed."""

    source: str
    item: str
    frames: int


class UsageRecorder:
    """Counts frames per (source, item) on one rank.

    method: "measured" (counted where the batch is consumed), "attested" (signed by who counted) or "declared".
    """

    def __init__(self, method: Method = "measured") -> None:
        if method not in METHODS:
            raise ValueError(f"unknown usage method {method!r}")
        self.method: Method = method
        self._frames: dict[tuple[str, str], int] = {}

    def count(self, item: str, source: str, frames: int) -> None:
        """Add frames of an item that an optimizer step consumes."""
        if frames < 0:
            raise ValueError("frames must not be negative")
        key = (source, item)
        self._frames[key] = self._frames.get(key, 0) + frames

    def counts(self) -> list[UsageCount]:
        """What was counted so far, sorted by source and item."""
        return [UsageCount(source, item, n) for (source, item), n in sorted(self._frames.items())]

    def total(self) -> int:
        return sum(self._frames.values())

    def state(self) -> dict[str, Any]:
        """Plain values for the checkpoint's state (strings and ints only)."""
        rows = [[c.source, c.item, c.frames] for c in self.counts()]
        return {"method": self.method, "frames": rows}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of state(). Raises BadDocument for anything else."""
        try:
            recorder = cls(state["method"])
            for source, item, frames in state["frames"]:
                if not (isinstance(source, str) and isinstance(item, str) and type(frames) is int):
                    raise TypeError("a row is [source, item, frames]")
                recorder.count(item, source, frames)
        except (KeyError, TypeError, ValueError) as error:
            raise BadDocument(f"not a usage state: {error}", remedy="Resume from an older state.") from error
        return recorder

    def add(self, others: Iterable[UsageCount]) -> None:
        """Add counts made elsewhere (an earlier stage, another rank)."""
        for other in others:
            self.count(other.item, other.source, other.frames)

    def merged(self, gather: Gather) -> "UsageRecorder":
        """The sum over ranks; `gather` is accelerate.utils.gather_object or alike (list in, all ranks' lists out)."""
        total = UsageRecorder(self.method)
        for count in gather(self.counts()):
            total.count(count.item, count.source, count.frames)
        return total
