"""What a filter sees of a shot, and what a family of filters is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Candidate:
    """A shot with its asset's description. `start` and `end` in frames, half-open; `_milli` in 1/1000."""

    shot_id: int
    shot: str
    asset_id: int
    asset: str
    contributor_id: int
    start: int
    end: int
    start_ms: int
    end_ms: int
    width: int
    height: int
    motion_milli: int
    sharpness_milli: int
    luma_milli: int
    black_milli: int
    frozen_milli: int
    words: frozenset[str]
    group: str
    """Id of the near-duplicate group; the shot's own id where nothing looks like it."""

    @property
    def frames(self) -> int:
        return self.end - self.start

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def short_side(self) -> int:
        return min(self.width, self.height)


class Family(BaseModel):
    """Options of one kind and what they reject. Pure: values in, reason codes out.

    `reasons` looks at one shot. `set_reasons` looks at all that passed so far, in a fixed order, and returns the code
    by shot id of each that it drops. A family overrides one of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    codes: ClassVar[tuple[str, ...]] = ()
    """Every reason code that this family gives."""

    def reasons(self, shot: Candidate) -> Iterator[str]:
        yield from ()

    def set_reasons(self, shots: Sequence[Candidate]) -> dict[int, str]:
        return {}
