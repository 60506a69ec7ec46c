"""Filters: which shots become clips. One file per family, and its name in the list of bases below."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from fairframe.curation.filters.candidate import Candidate, Family
from fairframe.curation.filters.duplicate import Duplicate
from fairframe.curation.filters.picture import Picture
from fairframe.curation.filters.share import Share
from fairframe.curation.filters.size import Size
from fairframe.curation.filters.words import Keywords

__all__ = ["FAMILIES", "Candidate", "Family", "Filtered", "Filters", "apply"]


class Filters(Size, Picture, Keywords, Duplicate, Share):
    """All filters of a selection. Integers only: it is part of a release's signed recipe. Unknown keys are refused."""


FAMILIES = cast(tuple[type[Family], ...], Filters.__bases__)
"""In the order in which they are asked."""


@dataclass(frozen=True)
class Filtered:
    """What passed, in the order asked, and the reason code of each shot (by id) that did not."""

    kept: list[Candidate]
    dropped: dict[int, str]


def apply(filters: Filters, shots: Iterable[Candidate]) -> Filtered:
    """Ask every family in turn; a shot falls out once, for the first reason found. Pure and deterministic."""
    kept = sorted(shots, key=lambda shot: (shot.asset, shot.start))
    dropped: dict[int, str] = {}
    for family in FAMILIES:
        found = {shot.shot_id: code for shot in kept if (code := next(family.reasons(filters, shot), None))}
        rest = [shot for shot in kept if shot.shot_id not in found]
        found |= family.set_reasons(filters, rest)
        kept = [shot for shot in rest if shot.shot_id not in found]
        dropped |= found
    return Filtered(kept, dropped)
