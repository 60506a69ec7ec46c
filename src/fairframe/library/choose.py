"""Choosing some of a contributor's assets by what the library knows of them."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.library import assets
from fairframe.library.search import saying
from fairframe.library.tables import asset, collection_asset, contributor, ownership
from fairframe.platform.tx import Row, Tx

CHUNK = 400
MAX_PATTERN = 500


@dataclass(frozen=True)
class Which:
    """Which assets; what is None or empty does not narrow, and all that is said has to hold.

    words: all of them are said of the asset (search.listing). match: a pattern for the whole filename in any case, with
    * and ? and [abc]. collection: its BIGINT id. since_ms, until_ms: taken in at or after the one, before the other.
    min_ms, max_ms: length. min_side, max_side: pixels of the shorter side. The bounds of both are included.
    """

    words: str = ""
    match: str = ""
    collection: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    min_side: int | None = None
    max_side: int | None = None

    @property
    def all(self) -> bool:
        """Whether it narrows nothing."""
        return all(getattr(self, one.name) in ("", None) for one in fields(self))


def theirs(contributor_id: int) -> "sa.ColumnElement[bool]":
    """The assets that a contributor brought or ever had a share in: about these a word of theirs is asked."""
    shared = sa.select(ownership.c.asset_id).where(ownership.c.contributor_id == contributor_id)
    return (asset.c.contributor_id == contributor_id) | asset.c.id.in_(shared)


def choose(tx: Tx, who: Row, which: Which) -> Sequence[Row]:
    """A contributor's assets that `which` names, in the order of ingest. Raises InputError on words or a pattern."""
    named = _pattern(which.match)
    short = sa.case((asset.c.width < asset.c.height, asset.c.width), else_=asset.c.height)
    statement = sa.select(asset.c.id, asset.c.filename).join(contributor, contributor.c.id == asset.c.contributor_id)
    statement = statement.where(theirs(who["id"]), *saying(tx, which.words)).order_by(asset.c.id)
    if which.collection is not None:
        members = sa.select(collection_asset.c.asset_id).where(collection_asset.c.collection_id == which.collection)
        statement = statement.where(asset.c.id.in_(members))
    for column, least, most in (
        (asset.c.recorded_at_ms, which.since_ms, None if which.until_ms is None else which.until_ms - 1),
        (asset.c.duration_ms, which.min_ms, which.max_ms),
        (short, which.min_side, which.max_side),
    ):
        if least is not None:
            statement = statement.where(column >= least)
        if most is not None:
            statement = statement.where(column <= most)
    return assets.by_ids(tx, [row["id"] for row in tx.rows(statement) if named.fullmatch(row["filename"].casefold())])


def named(tx: Tx, who: Row | None, names: "list[str]") -> dict[str, list[Row]]:
    """name -> assets of that id or filename: a contributor's or (None) anybody's. A name that none has is left out."""
    wanted = sorted({name for name in names if "\x00" not in name})
    found: dict[str, list[Row]] = {}
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        where = asset.c.public_id.in_(some) | asset.c.filename.in_(some)
        whose = sa.true() if who is None else theirs(who["id"])
        for row in tx.rows(asset.select().where(where, whose).order_by(asset.c.id)):
            for name in {row["public_id"], row["filename"]} & set(some):
                found.setdefault(name, []).append(row)
    return found


def _pattern(text: str) -> re.Pattern[str]:
    """In Python and not in SQL: the two databases do not agree about cases."""
    if len(text) > MAX_PATTERN or "\x00" in text:
        raise InputError(
            "the pattern is too long or has a NUL byte",
            code="input.bad_search",
            remedy=f"Give {MAX_PATTERN} characters at most, such as 'harbor*'",
        )
    return re.compile(fnmatch.translate(text.casefold() or "*"))
