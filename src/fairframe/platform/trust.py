"""Whom a workspace still believes. A pinned party is never deleted: what it signed stays, and stays provable.

Unpinning a party, and pinning it again, are entries of the audit tree about it; the newest one counts. From then on its
new documents are refused, and nothing that grants it something is signed for it. What takes back (a feed) still goes to
it.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.party import Party
from fairframe.core.time import to_rfc3339
from fairframe.platform.tables import audit_entry, party, party_document
from fairframe.platform.tx import Row, Tx, WriteTx

PINNED, UNPINNED = "party.pinned", "party.unpinned"
GRANTING = frozenset({"agreement", "delivery", "grant"})
"""Types of documents that are not signed for a party that was unpinned."""
MAX_REASON = 2_000


def find(tx: Tx, text: str) -> Row:
    """A party by its id, fingerprint or name. Raises NotFound, InputError where several have the name."""
    later = sa.select(party_document.c.party_id).where(party_document.c.fingerprint == text)
    where = (party.c.public_id == text) | (party.c.fingerprint == text) | (party.c.name == text)
    where |= party.c.id.in_(later)
    rows = tx.rows(party.select().where(where).order_by(party.c.id))
    if not rows:
        raise NotFound(
            f"no party {text[:80]!r} was pinned here", code="trust.unknown", remedy="See: fairframe trust list"
        )
    if len(rows) > 1:
        raise InputError(f"{len(rows)} parties are called {text[:80]!r}", code="trust.several", remedy="Give the id")
    return rows[0]


def unpinned_ms(tx: Tx, party_id: str) -> int | None:
    """When a party was unpinned; None where it is believed, or was never pinned."""
    return unpinned(tx, party_id).get(party_id)


def unpinned(tx: Tx, party_id: str | None = None) -> Mapping[str, int]:
    """The parties that are no longer believed (or that one, if so) with the time of it."""
    entry = audit_entry.c
    statement = sa.select(entry.subject, entry.kind, entry.recorded_at_ms).order_by(entry.seq)
    statement = statement.where(entry.kind.in_((PINNED, UNPINNED)))
    parties = sa.select(party.c.public_id) if party_id is None else [party_id]
    newest = {row["subject"]: row for row in tx.rows(statement.where(entry.subject.in_(parties)))}
    return {key: int(row["recorded_at_ms"]) for key, row in newest.items() if row["kind"] == UNPINNED}


def believed(tx: Tx) -> list[Party]:
    """Everybody whom this workspace believes, itself included."""
    gone = unpinned(tx)
    return [one for public_id, one in documents(tx).items() if public_id not in gone]


def documents(tx: Tx, party_id: str | None = None) -> Mapping[str, Party]:
    """The newest document of every party (or of that one), also of those that are no longer believed."""
    return {public_id: Party.from_envelope(data) for public_id, data in envelopes(tx, party_id).items()}


def envelopes(tx: Tx, party_id: str | None = None) -> Mapping[str, bytes]:
    """Like documents, as they were signed."""
    newest = sa.select(sa.func.max(party_document.c.id)).group_by(party_document.c.party_id)
    joined = party.outerjoin(
        party_document, (party_document.c.party_id == party.c.id) & party_document.c.id.in_(newest)
    )
    told = sa.func.coalesce(party_document.c.document, party.c.document).label("told")
    statement = sa.select(party.c.public_id, told).select_from(joined).order_by(party.c.id)
    if party_id is not None:
        statement = statement.where(party.c.public_id == party_id)
    return {row["public_id"]: row["told"].encode() for row in tx.rows(statement)}


def unpin(tx: WriteTx, row: Row, reason: str = "") -> bool:
    """Believe a party no more; whether it was believed. `reason` stays here. Raises Refused (ourselves), InputError."""
    if row["is_self"]:
        raise Refused("this is the workspace's own party", code="trust.own", where=row["public_id"])
    if len(reason) > MAX_REASON or "\x00" in reason:
        raise InputError(f"a reason has at most {MAX_REASON} characters", code="input.bad_reason")
    if unpinned_ms(tx, row["public_id"]) is not None:
        return False
    _record(tx, UNPINNED, row, {"reason": reason} if reason else {})
    return True


def repin(tx: WriteTx, row: Row) -> bool:
    """Believe an unpinned party again; whether it was unpinned. The caller compared fingerprints."""
    if unpinned_ms(tx, row["public_id"]) is None:
        return False
    _record(tx, PINNED, row, {})
    return True


def refuse_unpinned(tx: Tx, party_id: str, what: str) -> None:
    """Raise Refused (trust.unpinned) where a party is no longer believed. what: what is refused for that reason."""
    since = unpinned_ms(tx, party_id)
    if since is not None:
        raise Refused(
            f"{find(tx, party_id)['name']} is no longer trusted here, since {to_rfc3339(since)[:10]}: {what}",
            code="trust.unpinned",
            where=party_id,
            remedy="To believe it again, compare its fingerprint and: fairframe trust add party.json",
        )


def _record(tx: WriteTx, kind: str, row: Row, private: Mapping[str, str]) -> None:
    fingerprint = documents(tx, row["public_id"])[row["public_id"]].fingerprint
    tx.record(kind, row["public_id"], {"name": row["name"], "role": row["role"], "fingerprint": fingerprint}, private)
