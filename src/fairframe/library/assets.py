"""Assets: one row per (contributor, content), written once with everything that is known at ingest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fairframe.core.errors import Conflict, NotFound
from fairframe.core.ids import new_id
from fairframe.library import facts, signals
from fairframe.library.metadata import Described
from fairframe.library.tables import asset, contributor, ownership
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx

if TYPE_CHECKING:
    from fairframe.media.probe import Probe

KEPT = ("title", "description", "keywords", "source", "source_license", "extra")
"""Columns that are told once; a later ingest does not overwrite them."""


@dataclass(frozen=True)
class Opened:
    """What opening a stored file in the limited child brought."""

    content_hash: str
    size_bytes: int
    probe: "Probe"
    poster_key: str | None
    signals: Sequence[signals.Found]


def add(tx: WriteTx, owner: Row, described: Described, opened: Opened) -> Row:
    """A new video asset with its facts, full ownership and signals; one audit entry says all of it.

    Raises sqlalchemy IntegrityError where the contributor has this content already: look with `known` first.
    """
    public_id = new_id("ast")
    probe = opened.probe
    key = tx.insert(
        asset,
        public_id=public_id,
        contributor_id=owner["id"],
        filename=described.filename,
        kind="video",
        quantity=probe.duration_ms,
        unit="ms",
        **_kept(described),
        content_hash=opened.content_hash,
        size_bytes=opened.size_bytes,
        poster_key=opened.poster_key,
        container=probe.container,
        codec=probe.codec,
        width=probe.width,
        height=probe.height,
        fps_num=probe.fps.num,
        fps_den=probe.fps.den,
        vfr=probe.vfr,
        frames=probe.frames,
        duration_ms=probe.duration_ms,
        bit_depth=probe.bit_depth,
        audio=probe.audio,
        probe=probe.to_json(),
    )
    tx.insert(
        ownership,
        asset_id=key,
        contributor_id=owner["id"],
        share_num=1,
        share_den=1,
        valid_from_ms=tx.now_ms,
    )
    body = {
        "contributor": owner["public_id"],
        "content_hash": opened.content_hash,
        "kind": "video",
        "quantity": probe.duration_ms,
        "unit": "ms",
        "share": "1/1",
        "facts": facts.first_words(tx, key, described.facts),
        "signals": signals.add(tx, key, opened.signals),
    }
    # one leaf for all of it: a library of millions would else carry half a dozen per asset
    tx.record("asset.added", public_id, body, {"filename": described.filename})
    return _by_key(tx, key)


def known(tx: Tx, contributor_id: int, content_hash: str) -> Row | None:
    """The contributor's asset with this content."""
    return tx.row(asset.select().where(asset.c.contributor_id == contributor_id, asset.c.content_hash == content_hash))


def same_content(tx: Tx, content_hash: str) -> Sequence[Row]:
    """Every asset with this content, whoever brought it."""
    return tx.rows(asset.select().where(asset.c.content_hash == content_hash).order_by(asset.c.id))


def lock_content(tx: WriteTx, content_hash: str) -> None:
    """Until commit, let no other transaction add or drop this content (on SQLite, being a writer is enough).

    Else two contributors who bring the same bytes at the same moment would not see each other.
    """
    if tx.conn.dialect.name == "postgresql":
        number = int(content_hash[:16], 16) - (1 << 63)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(number, sa.BigInteger))))


def differing(row: Row, described: Described) -> list[str]:
    """Which of KEPT a later line of metadata tells otherwise (blank cells and absent columns tell nothing)."""
    return [name for name, value in _kept(described).items() if value and row[name] != value]


def find(tx: Tx, id_or_filename: str) -> Row:
    """By ast_ id, or by filename where only one asset has it. Raises NotFound, Conflict."""
    missing = NotFound(f"no asset {id_or_filename[:80]!r}", code="asset.missing", remedy="See: fairframe library list")
    if "\x00" in id_or_filename:
        raise missing
    where = (asset.c.public_id == id_or_filename) | (asset.c.filename == id_or_filename)
    found = tx.rows(asset.select().where(where).order_by(asset.c.id).limit(6))
    if not found:
        raise missing
    if len(found) > 1:
        ids = ", ".join(row["public_id"] for row in found[:5])
        raise Conflict(
            f"{len(found) if len(found) < 6 else 'many'} assets are named {id_or_filename[:80]!r}",
            code="asset.ambiguous",
            remedy=f"Give one id: {ids}",
        )
    return found[0]


def by_ids(tx: Tx, ids: Sequence[int]) -> Sequence[Row]:
    """The rows of assets (their BIGINT ids, however many), in the order of ingest."""
    return tx.rows(asset.select().where(among(tx.conn, asset.c.id, ids)).order_by(asset.c.id))


def owner(tx: Tx, row: Row) -> Row:
    """The contributor who brought an asset."""
    statement = contributor.select().where(contributor.c.id == row["contributor_id"])
    return tx.conn.execute(statement).mappings().one()


def _by_key(tx: Tx, key: int) -> Row:
    return tx.conn.execute(asset.select().where(asset.c.id == key)).mappings().one()


def _kept(described: Described) -> Mapping[str, object]:
    values = {name: getattr(described, name) for name in KEPT}
    return {**values, "keywords": list(described.keywords), "extra": dict(described.extra)}
