"""No contributor may fill a selection."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from fairframe.curation.filters.candidate import Candidate, Family


class Share(Family):
    """A cap per contributor."""

    codes: ClassVar[tuple[str, ...]] = ("contributor_share",)

    max_contributor_milli: Annotated[int, Field(ge=1, le=1000)] = 1000
    """The largest part, in 1/1000, that one contributor may keep of the milliseconds that reached this filter.

    It is measured before anything is dropped here: against what is left, two contributors could never hold at most
    a third each, and the selection would empty itself.
    """

    def set_reasons(self, shots: Sequence[Candidate]) -> dict[int, str]:
        if self.max_contributor_milli == 1000:
            return {}
        total_ms = sum(shot.duration_ms for shot in shots)
        held_ms: dict[int, int] = defaultdict(int)
        dropped: dict[int, str] = {}
        for shot in shots:
            held = held_ms[shot.contributor_id] + shot.duration_ms
            if 1000 * held > self.max_contributor_milli * total_ms:
                dropped[shot.shot_id] = "contributor_share"
            else:
                held_ms[shot.contributor_id] = held
        return dropped
