"""Claims: a contributor says that a film copies a clip of theirs. A case in the review queue, with an outcome.

The case keeps what was found when it was lodged, since the film may be gone later: the nearest clips, with distances
that a person can judge, and what the film says of its origin. A person decides; the outcome is a signed document with
a reason. It places no hold and ends no agreement: what follows is another act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from fairframe.core.claim_outcome_body import ClaimOutcome
from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.library.tables import asset, contributor, ownership
from fairframe.library.wording import visible
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.outcomes import decided, reason_of
from fairframe.rights.tables import claim, claim_outcome

Outcome = Literal["upheld", "dismissed"]
MAX_WORDS = 2_000
MAX_NAME = 200


@dataclass(frozen=True)
class Film:
    """The film that a claim is about; the file itself stays with whoever has it."""

    name: str
    bytes_hash: str
    size_bytes: int


def lodge(tx: WriteTx, who: Row, film: Film, found: Mapping[str, Any], *, of: Row | None = None, words: str) -> str:
    """Lodge a contributor's claim (a row) against a film, about one asset (a row) where they name it; returns its id.

    `found`: JSON without floats. Raises InputError (input.bad_words; input.foreign_asset where the asset is another's),
    Conflict (claim.open) where their claim about the same film, and the same asset, waits already.
    """
    said = _words(words)
    check_owner(tx, who, of)
    audit.lock(tx.conn)
    same = (claim.c.contributor_id == who["id"]) & (claim.c.film_hash == film.bytes_hash)
    same &= claim.c.asset_id.is_(None) if of is None else claim.c.asset_id == of["id"]
    waiting = tx.row(_cases().where(same, claim_outcome.c.id.is_(None)))
    if waiting is not None:
        raise Conflict("their claim about this film waits already", code="claim.open", where=waiting["public_id"])
    public_id = new_id("clm")
    tx.insert(
        claim,
        public_id=public_id,
        contributor_id=who["id"],
        asset_id=None if of is None else of["id"],
        film_name=visible(film.name)[:MAX_NAME],
        film_hash=film.bytes_hash,
        film_bytes=film.size_bytes,
        words=said,
        found=dict(found),
    )
    body = {
        "contributor": who["public_id"],
        "asset": "" if of is None else of["public_id"],
        "film": film.bytes_hash,
    }
    tx.record("claim.lodged", public_id, body, {"words": said} if said else None)
    return public_id


def settle(tx: WriteTx, claim_public_id: str, outcome: Outcome, *, reason: str, by: str = "") -> bytes:
    """Settle a claim: uphold or dismiss it. Returns the signed document that says so.

    `by`: who decided; it enters the audit tree as a commitment only. Raises NotFound, InputError (input.bad_reason),
    Conflict (claim.settled).
    """
    text = reason_of(reason)
    audit.lock(tx.conn)
    found = find(tx, claim_public_id)
    if found["state"] != "open":
        raise Conflict(f"the claim is settled: {found['state']}", code="claim.settled", where=claim_public_id)
    body = ClaimOutcome(
        claim=claim_public_id,
        contributor=found["contributor"],
        asset=found["asset"] or "",
        film_hash=found["film_hash"],
        outcome=outcome,
        reason=text,
        decided_at_ms=tx.now_ms,
    )
    document, envelope = decided(tx, "claim_outcome", body.to_json(), by)
    tx.insert(claim_outcome, claim_id=found["id"], outcome=outcome, reason=text, document=document)
    tx.record(f"claim.{outcome}", claim_public_id, {"film": found["film_hash"], "document": document})
    return envelope


def find(tx: Tx, claim_public_id: str) -> Row:
    """One case, with the columns of `listing` and `found`. Raises NotFound."""
    row = tx.row(_cases(claim.c.found).where(claim.c.public_id == claim_public_id))
    if row is None:
        what = f"no claim {claim_public_id[:60]!r}"
        raise NotFound(what, code="claim.missing", remedy="See: fairframe rights claims list")
    return row


def listing(tx: Tx, *, settled: bool = False) -> Sequence[Row]:
    """The claims that wait, oldest first; with `settled` all. `state`: open, upheld, dismissed."""
    statement = _cases()
    if not settled:
        statement = statement.where(claim_outcome.c.id.is_(None))
    return tx.rows(statement.order_by(claim.c.id))


def check_owner(tx: Tx, who: Row, of: Row | None) -> None:
    """Raise InputError (input.foreign_asset) where an asset is neither a contributor's own nor shared by them."""
    if of is None or of["contributor_id"] == who["id"]:
        return
    shares = ownership.select().where(ownership.c.asset_id == of["id"], ownership.c.contributor_id == who["id"])
    if tx.row(shares.limit(1)) is None:
        raise InputError(
            "the asset is another contributor's",
            code="input.foreign_asset",
            where=of["public_id"],
            remedy="Only who brought an asset, or owns a share of it, can claim that it was copied",
        )


def _cases(*more: Any) -> "sa.Select[*tuple[Any, ...]]":
    joined = (
        claim.join(contributor, contributor.c.id == claim.c.contributor_id)
        .outerjoin(asset, asset.c.id == claim.c.asset_id)
        .outerjoin(claim_outcome, claim_outcome.c.claim_id == claim.c.id)
    )
    return sa.select(
        claim.c.id,
        claim.c.public_id,
        contributor.c.public_id.label("contributor"),
        contributor.c.name.label("contributor_name"),
        asset.c.public_id.label("asset"),
        asset.c.filename,
        claim.c.film_name,
        claim.c.film_hash,
        claim.c.film_bytes,
        claim.c.words,
        claim.c.recorded_at_ms,
        claim_outcome.c.reason.label("outcome_reason"),
        claim_outcome.c.document,
        sa.func.coalesce(claim_outcome.c.outcome, "open").label("state"),
        *more,
    ).select_from(joined)


def _words(text: str) -> str:
    if not text.strip():
        return ""
    if len(text) > MAX_WORDS or "\x00" in text:
        what = f"it needs words, {MAX_WORDS:,} characters at most"
        raise InputError(what, code="input.bad_words", remedy="Say --words")
    return text.strip()
