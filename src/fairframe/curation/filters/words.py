"""Which keywords a shot's asset must have, and which it must not."""

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from fairframe.curation.filters.candidate import Candidate, Family

Word = Annotated[str, StringConstraints(min_length=1, max_length=100, to_lower=True, strip_whitespace=True)]
Words = Annotated[tuple[Word, ...], Field(max_length=1000, strict=False)]


def words(keywords: Iterable[str]) -> frozenset[str]:
    """Keywords as they are compared: lower case, single spaces."""
    return frozenset(" ".join(word.lower().split()) for word in keywords) - {""}


class Keywords(Family):
    """Whole keywords, regardless of case."""

    codes: ClassVar[tuple[str, ...]] = ("keyword_missing", "keyword_excluded")

    include: Words = ()
    """At least one of these; empty asks for nothing."""
    exclude: Words = ()
    """None of these."""

    def reasons(self, shot: Candidate) -> Iterator[str]:
        if self.include and shot.words.isdisjoint(self.include):
            yield "keyword_missing"
        if not shot.words.isdisjoint(self.exclude):
            yield "keyword_excluded"
