"""Listing and searching assets, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.library import assets
from fairframe.library.tables import asset, collection_asset, contributor
from fairframe.platform.tx import Row, Tx

MAX_LIMIT = 1_000
MAX_WORDS = 16
MAX_TEXT = 500


@dataclass(frozen=True)
class Page:
    """Rows of asset with `contributor` and `contributor_name`; `next` is the `after` of the next page, if any."""

    rows: Sequence[Row]
    next: str | None


def listing(
    tx: Tx,
    *,
    text: str = "",
    contributor_row: Row | None = None,
    collection_row: Row | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Assets in the order of ingest, after the asset `after` (its ast_ id), at most `limit`.

    Every word of `text` must stand in the title, description, keywords, filename or contributor's name, in any
    case. Raises InputError (limit, too long a text), NotFound (`after`).
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"a page of {limit} rows", code="input.bad_limit", remedy=f"Ask for 1 to {MAX_LIMIT}")
    statement = (
        sa.select(asset, contributor.c.public_id.label("contributor"), contributor.c.name.label("contributor_name"))
        .join(contributor, contributor.c.id == asset.c.contributor_id)
        .where(*saying(tx, text))
        .order_by(asset.c.id)
        .limit(limit + 1)
    )
    if contributor_row is not None:
        statement = statement.where(asset.c.contributor_id == contributor_row["id"])
    if collection_row is not None:
        members = sa.select(collection_asset.c.asset_id).where(collection_asset.c.collection_id == collection_row["id"])
        statement = statement.where(asset.c.id.in_(members))
    if after is not None:
        statement = statement.where(asset.c.id > assets.find(tx, after)["id"])
    rows = tx.rows(statement)
    more = len(rows) > limit
    return Page(rows[:limit], rows[limit - 1]["public_id"] if more else None)


def search(tx: Tx, text: str, *, after: str | None = None, limit: int = 50) -> Page:
    """`listing` for a text that must not be blank."""
    if not text.strip():
        raise InputError("there is nothing to search for", code="input.bad_search", remedy="Give a word")
    return listing(tx, text=text, after=after, limit=limit)


def saying(tx: Tx, text: str) -> "list[sa.ColumnElement[bool]]":
    """Conditions on asset joined with contributor: every word of `text` stands in what is said of the asset."""
    return [_matches(tx, word) for word in _words(text)]


def _words(text: str) -> list[str]:
    words = list(dict.fromkeys(text.split()))
    if len(text) > MAX_TEXT or len(words) > MAX_WORDS or "\x00" in text:
        raise InputError(
            "the search is too long or has a NUL byte",
            code="input.bad_search",
            remedy=f"Give {MAX_WORDS} words at most",
        )
    return words


def _matches(tx: Tx, word: str) -> sa.ColumnElement[bool]:
    """lower() of SQLite knows ASCII only, so a word with other letters is looked for in each of its cases."""
    patterns = {_escape(_ascii_lower(v)) for v in (word, word.lower(), word.upper(), word.title())}
    each: sa.TableValuedAlias
    if tx.conn.dialect.name == "postgresql":
        each = sa.func.json_array_elements_text(asset.c.keywords).table_valued("value", name="keyword")
    else:
        each = sa.func.json_each(asset.c.keywords).table_valued("value", name="keyword")
    columns: tuple[sa.ColumnElement[Any], ...] = (
        asset.c.title,
        asset.c.description,
        asset.c.filename,
        contributor.c.name,
    )
    keyword = sa.exists(sa.select(sa.literal(1)).select_from(each).where(_like(each.c.value, patterns)))
    return sa.or_(*(_like(column, patterns) for column in columns), keyword)


def _like(column: sa.ColumnElement[Any], patterns: set[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(sa.func.lower(column).like(f"%{p}%", escape="\\") for p in sorted(patterns)))


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
