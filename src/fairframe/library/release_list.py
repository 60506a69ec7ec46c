"""Which document releases are on file: a page at a time, each with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from fairframe.core.errors import NotFound
from fairframe.library import assets, releases
from fairframe.library.tables import asset, document_release
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx

State = Literal["in force", "not yet", "ended", "revoked"]
MAX_LIMIT = 1_000


@dataclass(frozen=True)
class Listed:
    """`row`: the release with its asset's public id (`asset`) and filename. revoked_ms: since when it is revoked."""

    row: Row
    revoked_ms: int | None
    state: State


def listing(
    tx: Tx, *, asset_row: Row | None = None, document: str | None = None, after: str | None = None, limit: int = 50
) -> list[Listed]:
    """Releases in the order in which they came, of one asset or of one document (its SHA-256), after one (its drl_ id).

    Raises NotFound.
    """
    statement = sa.select(document_release, asset.c.public_id.label("asset"), asset.c.filename).join_from(
        document_release, asset, asset.c.id == document_release.c.asset_id
    )
    statement = statement.where(document_release.c.revokes_id.is_(None)).order_by(document_release.c.id)
    if asset_row is not None:
        statement = statement.where(document_release.c.asset_id == asset_row["id"])
    if document is not None:
        statement = statement.where(document_release.c.document_hash == document.lower())
    if after is not None:
        statement = statement.where(document_release.c.id > releases.find(tx, after)["id"])
    rows = tx.rows(statement.limit(limit))
    revoked = _revoked(tx, [row["id"] for row in rows])
    return [Listed(row, revoked.get(row["id"]), _state(row, revoked.get(row["id"]), tx.now_ms)) for row in rows]


def of_document(tx: Tx, document: str) -> list[tuple[Row, Row]]:
    """(release, asset) of all that rest on a document (its SHA-256) and were not revoked. Raises NotFound."""
    where = document_release.c.document_hash == document.lower()
    rows = releases.in_force(tx.rows(document_release.select().where(where)), releases.FOREVER_MS)
    if not rows:
        raise NotFound(
            f"no release rests on a document {document[:64]!r}",
            code="release.missing",
            remedy="See: fairframe library release list",
        )
    found = {row["id"]: row for row in assets.by_ids(tx, [row["asset_id"] for row in rows])}
    return [(row, found[row["asset_id"]]) for row in rows]


def _revoked(tx: Tx, ids: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in tx.rows(document_release.select().where(among(tx.conn, document_release.c.revokes_id, ids))):
        since = row["valid_from_ms"]
        found[row["revokes_id"]] = min(since, found.get(row["revokes_id"], since))
    return found


def _state(row: Row, revoked_ms: int | None, now_ms: int) -> State:
    if revoked_ms is not None:
        return "revoked"
    if row["valid_from_ms"] > now_ms:
        return "not yet"
    return "ended" if row["valid_until_ms"] is not None and row["valid_until_ms"] <= now_ms else "in force"
