"""How large and how long a shot must be."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from fairframe.curation.filters.candidate import Candidate, Family

Count = Annotated[int, Field(ge=0, le=10**9)]


class Size(Family):
    """Pixels after rotation, frames, milliseconds. 0 asks for nothing."""

    codes: ClassVar[tuple[str, ...]] = ("too_small", "too_few_frames", "too_short")

    min_short_side: Count = 0
    """Pixels of the shorter side."""
    min_frames: Count = 0
    min_ms: Count = 0

    def reasons(self, shot: Candidate) -> Iterator[str]:
        if shot.short_side < self.min_short_side:
            yield "too_small"
        if shot.frames < self.min_frames:
            yield "too_few_frames"
        if shot.duration_ms < self.min_ms:
            yield "too_short"
