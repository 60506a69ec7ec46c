"""Papers: what the document releases on file leave open, for the agreement that is asked about.

A release covers where it was not revoked, its words cover training of models, it holds in all of the agreement's
territory, it ends neither before the agreement does nor by the moment asked, and it is not of a minor without a
guardian's signature. One that covers is enough: which person a release is of, nobody can compare. So three things are
asked beyond that. Each is answered only by a paper that covers and comes after it, by all three of when it begins, when
it was recorded and its id: what was on file before somebody withdrew is no answer to that, whenever it begins, and
what is dated back is no older for it.

- A revocation stands against the asset until a release that covers comes on file after it: somebody withdrew, and
  another's release is no answer to that.
- A minor's release without a guardian's signature, revoked or not, stands against it until one that covers, with a
  guardian's signature, comes on file after it.
- Where none covers, everything that those on file lack is told.

A property release is asked for only once one came on file; until then the metadata's word holds. Revoking a release
never grants more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fairframe.core.time import to_rfc3339

Place = tuple[int, int, int]
"""(valid_from, recorded_at, id)"""
NEVER_MS = 2**62
Lack = Literal["no_ai", "territory", "term"]


@dataclass(frozen=True)
class ReleaseView:
    """A document release that had begun. until_ms: the first moment at which it holds no more. territory: as
    core/territory.py writes it. revoked: the place of its revocation; of several, the latest in each part."""

    label: str
    kind: str
    ai_training: bool
    place: Place = (0, 0, 0)
    territory: str = "world"
    until_ms: int = NEVER_MS
    minor: bool = False
    guardian: bool = False
    revoked: Place | None = None

    @property
    def unguarded(self) -> bool:
        return self.kind == "model" and self.minor and not self.guardian


@dataclass(frozen=True)
class Needed:
    """What a release has to cover: a territory, and all of the time from `at_ms` until `until_ms`."""

    territory: str
    at_ms: int
    until_ms: int


@dataclass(frozen=True)
class Open:
    """What papers leave open: the end of the finding's code, why, and when the paper was recorded where a person's
    ruling has to be later than it (0 elsewhere)."""

    code: str
    text: str
    since_ms: int = 0


def lacks(paper: ReleaseView, needed: Needed | None) -> Iterator[tuple[Lack, str]]:
    """What the words of a release do not cover, and how to say that; where None, for any agreement."""
    if not paper.ai_training:
        yield "no_ai", "does not cover training of models"
    if needed is None:
        return
    if not within(needed.territory, paper.territory):
        yield "territory", f"holds in {paper.territory or 'no place'}, not in all of {needed.territory}"
    if paper.until_ms <= needed.at_ms:
        yield "term", f"ended at {to_rfc3339(paper.until_ms)}"
    elif paper.until_ms < needed.until_ms:
        yield "term", f"ends at {to_rfc3339(paper.until_ms)}, before the agreement does"


def within(inner: str, outer: str) -> bool:
    """Whether one written territory lies in another. Total: what is no territory holds nowhere."""
    if outer == "world":
        return True
    return inner != "world" and set(inner.split(",")) <= set(outer.split(","))


def left_open(papers: Sequence[ReleaseView], needed: Needed | None) -> Iterator[Open]:
    """What the releases of one kind leave open: lack by lack, "revoked", "minor"; "missing" where none is on file.

    needed: None for what is open whatever the agreement.
    """
    standing = [one for one in papers if one.revoked is None]
    covering = [one for one in standing if not one.unguarded and not any(lacks(one, needed))]
    if not standing:
        yield Open("missing", "no release is on file")
    if not covering:
        for paper in standing:
            yield from (Open(lack, f"{paper.label} {text}") for lack, text in lacks(paper, needed))
    for paper in papers:
        if paper.revoked is not None and not _answered(paper.revoked, covering):
            yield Open("revoked", f"{paper.label} was revoked, and none that covers came after it")
    signed = [one for one in covering if one.minor and one.guardian]
    for paper in papers:
        if paper.unguarded and not _answered(paper.place, signed):
            text = f"{paper.label} is of a minor, and no guardian signed it, nor one that covers after it"
            yield Open("minor", text, paper.place[1])


def _answered(place: Place, by: Iterable[ReleaseView]) -> bool:
    return any(one.place[0] >= place[0] and one.place[1] >= place[1] and one.place[2] > place[2] for one in by)
