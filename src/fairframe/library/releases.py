"""Document releases: the signed paper of a model or of the owner of a property, kept with the asset."""

from collections.abc import Sequence
from typing import Literal

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.library.tables import document_release
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx

Kind = Literal["model", "property"]

MAX_BYTES = 32 * 1024 * 1024
MARKS = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
"""How PDF, PNG, JPEG and TIFF files start; text in UTF-8 is taken too."""


def add(tx: WriteTx, asset: Row, kind: str, document: bytes, ai_training: bool) -> Row:
    """Keep a release for an asset; `ai_training` says whether its words cover training of models.

    The same document again is the same release. Raises InputError on what is no document, Conflict where the
    document is on file with another `ai_training`.
    """
    if kind not in ("model", "property"):
        raise InputError(f"{kind!r} is no kind of release", code="input.bad_release", remedy="Say model or property")
    _check(document)
    content = tx.ws.objects.put_bytes(document)
    audit.lock(tx.conn)  # the same document twice at once is one release
    for row in current(tx, asset["id"]):
        if row["kind"] == kind and row["document_hash"] == content:
            if bool(row["ai_training"]) is ai_training:
                return row
            raise Conflict(
                f"this document is on file as {row['public_id']} and says otherwise about training",
                code="release.differs",
                remedy="Revoke that one first",
            )
    public_id = new_id("drl")
    values = {"kind": kind, "document_hash": content, "ai_training": ai_training}
    tx.insert(document_release, public_id=public_id, asset_id=asset["id"], valid_from_ms=tx.now_ms, **values)
    tx.record("release.added", asset["public_id"], {"release": public_id, **values})
    return find(tx, public_id)


def revoke(tx: WriteTx, release: Row, asset: Row) -> Row:
    """End a release from now on, by a row that names it. Raises Conflict where it was ended before."""
    audit.lock(tx.conn)  # it is ended once
    if release["revokes_id"] is not None or release["id"] not in {r["id"] for r in current(tx, asset["id"])}:
        raise Conflict(f"{release['public_id']} is not in force for {asset['public_id']}", code="release.ended")
    public_id = new_id("drl")
    values = {name: release[name] for name in ("kind", "document_hash", "ai_training")}
    tx.insert(
        document_release,
        public_id=public_id,
        asset_id=asset["id"],
        revokes_id=release["id"],
        valid_from_ms=tx.now_ms,
        **values,
    )
    tx.record("release.revoked", asset["public_id"], {"release": release["public_id"]})
    return find(tx, public_id)


def find(tx: Tx, public_id: str) -> Row:
    """By drl_ id. Raises NotFound."""
    found = tx.row(document_release.select().where(document_release.c.public_id == public_id))
    if found is None:
        raise NotFound(
            f"no document release {public_id[:80]!r}",
            code="release.missing",
            remedy="See: fairframe library show ASSET",
        )
    return found


def history(tx: Tx, asset_id: int) -> Sequence[Row]:
    """Every release and revocation of an asset (its BIGINT id), oldest first."""
    where = document_release.c.asset_id == asset_id
    return tx.rows(document_release.select().where(where).order_by(document_release.c.id))


def in_force(rows: Sequence[Row], at_ms: int, *, known_at_ms: int | None = None) -> list[Row]:
    """Of `history`, the releases that hold at `at_ms` as it was known at `known_at_ms`. Pure."""
    said = [
        row
        for row in rows
        if row["valid_from_ms"] <= at_ms and (known_at_ms is None or row["recorded_at_ms"] <= known_at_ms)
    ]
    ended = {row["revokes_id"] for row in said}
    return [row for row in said if row["revokes_id"] is None and row["id"] not in ended]


def current(tx: Tx, asset_id: int) -> list[Row]:
    """The releases of an asset (its BIGINT id) that hold now."""
    return in_force(history(tx, asset_id), tx.now_ms)


def _check(document: bytes) -> None:
    if not 0 < len(document) <= MAX_BYTES:
        size = "is empty" if not document else f"is over {MAX_BYTES // 1024**2} MiB"
        raise InputError(f"the release document {size}", code="input.bad_release", remedy="Give a PDF, image or text")
    if document.startswith(MARKS):
        return
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise InputError(
            "the release document is no PDF, PNG, JPEG, TIFF or UTF-8 text",
            code="input.bad_release",
            remedy="Scan it or save it as PDF",
        )
