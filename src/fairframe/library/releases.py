"""Document releases: the signed paper of a model or of the owner of a property, kept with the asset.

What its words say stands beside it: whether they cover training of models, where, from when and until when they hold,
and, of a model, whether it is a minor for whom a guardian signed. Who the guardian is enters the audit tree as a salted
commitment only. What of this an agreement needs is decided by rights/papers.py.
"""

from collections.abc import Container, Sequence
from typing import Any

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.core.territory import WORLD, Territory
from fairframe.library.release_words import FOREVER_MS, Words, check, must_agree, values_of
from fairframe.library.tables import document_release
from fairframe.platform import audit
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx

MAX_BYTES = 32 * 1024 * 1024
MARKS = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
"""How PDF, PNG, JPEG and TIFF files start; text in UTF-8 is taken too."""
CHUNK = 400
Place = tuple[int, str, str]
"""(asset id, kind, the document's SHA-256): where a document is one release."""


def add(
    tx: WriteTx,
    asset: Row,
    kind: str,
    document: bytes,
    ai_training: bool,
    *,
    territory: Territory = WORLD,
    from_ms: int | None = None,
    until_ms: int | None = None,
    minor: bool = False,
    guardian: str = "",
) -> Row:
    """Keep a release for an asset (see Words).

    The same document again is the same release. Raises InputError (input.bad_release) on what is no document or
    contradicts itself, Conflict where the document is on file and is said to say otherwise (release.differs), or was
    revoked for this asset (release.revoked): who withdrew is not overruled by a copy of what they withdrew.
    """
    words = Words(kind, ai_training, territory, from_ms, until_ms, minor, guardian)
    check(words, tx.now_ms)
    return add_many(tx, [(asset, keep(tx, document), words)])[0]


def keep(tx: Tx, document: bytes) -> str:
    """Store a release's document; returns its SHA-256. Raises InputError (input.bad_release) on what is none."""
    check_document(document)
    return tx.ws.objects.put_bytes(document)


def add_many(tx: WriteTx, papers: Sequence[tuple[Row, str, Words]]) -> list[Row]:
    """Keep (asset, the document's SHA-256, what it says) for each of many; the rows in their order. Raises as `add`."""
    audit.lock(tx.conn)  # the same document twice at once is one release
    found, ended = on_file(tx, [asset["id"] for asset, _, _ in papers])
    chosen: list[str] = []
    fresh: list[dict[str, Any]] = []
    for asset, content, words in papers:
        values, guardian = values_of(words, tx.now_ms)
        place = asset["id"], words.kind, content
        if place in found:
            must_agree(found[place], values, words)
        else:
            must_stand(place, ended, asset)
            found[place] = {"public_id": new_id("drl"), "asset_id": asset["id"], "document_hash": content, **values}
            fresh.append(found[place])
            said = {name: values[name] for name in values if name != "guardian"} | {"document_hash": content}
            body = {"release": found[place]["public_id"], **said, "guardian_signed": values["guardian"]}
            tx.record("release.added", asset["public_id"], body, {"guardian": guardian} if guardian else None)
        chosen.append(found[place]["public_id"])
    tx.insert_many(document_release, fresh)
    rows = _by_ids(tx, chosen)
    return [rows[one] for one in chosen]


def revoke(tx: WriteTx, release: Row, asset: Row) -> Row:
    """End a release from now on, by a row that names it. Raises Conflict where it was ended before."""
    audit.lock(tx.conn)  # it is ended once
    standing = in_force(history(tx, asset["id"]), FOREVER_MS)
    if release["revokes_id"] is not None or release["id"] not in {row["id"] for row in standing}:
        raise Conflict(f"{release['public_id']} is not in force for {asset['public_id']}", code="release.ended")
    return revoke_many(tx, [(release, asset)])[0]


def revoke_many(tx: WriteTx, papers: Sequence[tuple[Row, Row]]) -> list[Row]:
    """End many (release, its asset) from now on; the caller has seen that none was ended before."""
    rows: list[dict[str, Any]] = [
        {name: release[name] for name in ("asset_id", "kind", "document_hash", "ai_training")}
        | {"public_id": new_id("drl"), "revokes_id": release["id"], "valid_from_ms": tx.now_ms}
        for release, _ in papers
    ]
    tx.insert_many(document_release, rows)
    for release, asset in papers:
        tx.record("release.revoked", asset["public_id"], {"release": release["public_id"]})
    found = _by_ids(tx, [row["public_id"] for row in rows])
    return [found[row["public_id"]] for row in rows]


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
    """Of `history`, the releases that had begun by `at_ms` and were not revoked, as it was known at `known_at_ms`; one
    whose term has ended stays on file. Pure."""
    said = [
        row
        for row in rows
        if row["valid_from_ms"] <= at_ms and (known_at_ms is None or row["recorded_at_ms"] <= known_at_ms)
    ]
    ended = {row["revokes_id"] for row in said}
    return [row for row in said if row["revokes_id"] is None and row["id"] not in ended]


def current(tx: Tx, asset_id: int) -> list[Row]:
    """The releases of an asset (its BIGINT id) that are on file now."""
    return in_force(history(tx, asset_id), tx.now_ms)


def on_file(tx: Tx, asset_ids: Sequence[int]) -> tuple[dict[Place, Any], set[Place]]:
    """The release of each place that was not revoked, whenever it begins; and the places where one was."""
    where = among(tx.conn, document_release.c.asset_id, sorted(set(asset_ids)))
    rows = tx.rows(document_release.select().where(where).order_by(document_release.c.id))
    ended = {_place(row) for row in rows if row["revokes_id"] is not None}
    return {_place(row): row for row in in_force(rows, FOREVER_MS)}, ended


def must_stand(place: Place, ended: Container[Place], asset: Row) -> None:
    """Raises Conflict (release.revoked) where the document was revoked for the asset as a paper of that kind."""
    if place in ended:
        raise Conflict(
            f"the document {place[2]} was revoked as its {place[1]} release",
            code="release.revoked",
            where=asset["public_id"],
            remedy="Put on file what was signed anew, or a new scan where the revocation was a mistake",
        )


def _place(row: Row) -> Place:
    return row["asset_id"], row["kind"], row["document_hash"]


def _by_ids(tx: Tx, public_ids: Sequence[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for start in range(0, len(public_ids), CHUNK):
        where = document_release.c.public_id.in_(public_ids[start : start + CHUNK])
        found.update({row["public_id"]: row for row in tx.rows(document_release.select().where(where))})
    return found


def check_document(document: bytes) -> bytes:
    """The same bytes. Raises InputError (input.bad_release) on what is no document."""
    if not 0 < len(document) <= MAX_BYTES:
        size = "is empty" if not document else f"is over {MAX_BYTES // 1024**2} MiB"
        raise InputError(f"the release document {size}", code="input.bad_release", remedy="Give a PDF, image or text")
    if document.startswith(MARKS):
        return document
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
    return document
