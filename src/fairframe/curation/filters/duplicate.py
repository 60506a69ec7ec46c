"""Keep one shot of those that look alike."""

from collections.abc import Sequence
from typing import ClassVar

from fairframe.curation.filters.candidate import Candidate, Family


class Duplicate(Family):
    """The best of a near-duplicate group is the largest, then the longest, then the one with the smallest id."""

    codes: ClassVar[tuple[str, ...]] = ("near_duplicate",)

    one_per_group: bool = False

    def set_reasons(self, shots: Sequence[Candidate]) -> dict[int, str]:
        if not self.one_per_group:
            return {}
        best: dict[str, Candidate] = {}
        for shot in shots:
            kept = best.get(shot.group)
            if kept is None or _rank(shot) < _rank(kept):
                best[shot.group] = shot
        return {s.shot_id: "near_duplicate" for s in shots if best[s.group].shot_id != s.shot_id}


def _rank(shot: Candidate) -> tuple[int, int, str]:
    return (-shot.width * shot.height, -shot.duration_ms, shot.shot)
