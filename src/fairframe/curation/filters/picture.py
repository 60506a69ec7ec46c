"""What the picture must be like: not black, not frozen, moving, sharp."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from fairframe.curation.filters.candidate import Candidate, Family

Part = Annotated[int, Field(ge=0, le=1000)]
Score = Annotated[int, Field(ge=0, le=10**9)]


class Picture(Family):
    """Limits on a shot's measures, in 1/1000; the scales are those of the table `shot`."""

    codes: ClassVar[tuple[str, ...]] = ("black", "frozen", "still", "blurred")

    max_black_milli: Part = 1000
    """Share of the frames that are black."""
    max_frozen_milli: Part = 1000
    """Share of the frames that repeat the one before."""
    min_motion_milli: Score = 0
    min_sharpness_milli: Score = 0

    def reasons(self, shot: Candidate) -> Iterator[str]:
        if shot.black_milli > self.max_black_milli:
            yield "black"
        if shot.frozen_milli > self.max_frozen_milli:
            yield "frozen"
        if shot.motion_milli < self.min_motion_milli:
            yield "still"
        if shot.sharpness_milli < self.min_sharpness_milli:
            yield "blurred"
