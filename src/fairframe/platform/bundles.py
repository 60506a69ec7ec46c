"""Signed bundles between parties: issuing them, accepting them, finding them again.

Every bundle that leaves or arrives is a row of `document` and a leaf of the audit tree. Accepting is idempotent; a
bundle that is not addressed to us, not signed by a pinned party's valid key, older than one already taken, or that
says something else under a known id is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core import bundle as core_bundle
from fairframe.core import dsse
from fairframe.core.bundle import AgreementRef, Bundle
from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import BadDocument, Conflict, NotFound, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.party import Party
from fairframe.core.time import DAY_MS
from fairframe.platform import audit, identity, trust
from fairframe.platform.tables import document, peer_head
from fairframe.platform.tx import Row, Tx, WriteTx

# clocks of honest parties differ; a document from further in the future is refused
CLOCK_SKEW_MS = DAY_MS

NEWEST_COUNTS = frozenset({"feed", "lease"})
"""Types in which an older document must not follow a newer one; the others stand beside each other in any order.
Of usage reports the newest on each checkpoint counts: training.reported compares those."""


@dataclass(frozen=True)
class Accepted:
    bundle: Bundle
    new: bool
    envelope: bytes


def issue(
    tx: WriteTx,
    kind: str,
    recipient: str,
    body: Mapping[str, Any],
    agreement: AgreementRef | None = None,
    *,
    id: str | None = None,
    private: Mapping[str, str] | None = None,
) -> bytes:
    """Sign a bundle to `recipient` (a party id, or "" for anyone) and remember it. Returns the envelope.

    Raises Refused (trust.unpinned) for what grants something to a party that is no longer believed, BadDocument where
    the body is too large for a document, (keys.ended) where the workspace's key has ended, and what reading the
    keyring raises.
    """
    audit.lock(tx.conn)  # a number is given once
    if kind in trust.GRANTING:
        trust.refuse_unpinned(tx, recipient, f"no {kind} is signed for it")
    mine, key = identity.signer(tx)
    seq = _last_seq(tx, _numbered(tx.ws.party_id, recipient, kind, agreement)) + 1
    bundle = Bundle(
        type=kind,
        version=1,
        id=id or new_id("doc"),
        sender=tx.ws.party_id,
        recipient=recipient,
        seq=seq,
        # a key that was made while this transaction waited for the lock is younger than the transaction
        issued_at_ms=max(tx.now_ms, mine.valid_from_ms),
        agreement=agreement,
        audit_head=audit.head(tx.conn),
        body=dict(body),
    )
    envelope = core_bundle.seal(bundle, key)
    _remember(tx, bundle, envelope, "out", private)
    return envelope


def accept(tx: WriteTx, data: bytes, expect: str) -> Accepted:
    """Verify a bundle of another party against pinned keys and remember it.

    Raises VerificationError (signature, key, recipient, sequence, time), BadDocument (form, type), Conflict (same id
    or number, other content), Refused (the sender was unpinned). The same bundle again returns Accepted(new=False).
    """
    audit.lock(tx.conn)  # the same bundle twice at once is taken once
    bundle = check(tx, data, expect)
    if bundle.recipient not in (tx.ws.party_id, ""):
        raise VerificationError("the bundle is addressed to another party", code="bundle.recipient", where=bundle.id)
    known = tx.row(document.select().where(document.c.public_id == bundle.id))
    if known is not None:
        if known["digest"] == sha256_hex(data):
            return Accepted(bundle, False, data)
        raise Conflict("another document with this id was already taken", code="bundle.conflict", where=bundle.id)
    trust.refuse_unpinned(tx, bundle.sender, f"this {bundle.type} is not taken")
    refuse_revoked(tx, data, bundle.sender)
    numbered = _numbered(bundle.sender, bundle.recipient, expect, bundle.agreement)
    last = _last_seq(tx, numbered)
    if expect in NEWEST_COUNTS and bundle.seq <= last:
        raise VerificationError(
            f"the bundle has number {bundle.seq}, but number {last} was already taken",
            code="bundle.stale",
            where=bundle.id,
            remedy="Ask the sender for the newest one.",
        )
    other = tx.scalar(sa.select(document.c.public_id).where(numbered, document.c.seq == bundle.seq))
    if other is not None:
        raise Conflict(
            f"its sender gave the number {bundle.seq} to {other} already",
            code="bundle.conflict",
            where=bundle.id,
            remedy="Ask the sender for one with a number of its own: it may have been restored from an old backup.",
        )
    if bundle.issued_at_ms > tx.now_ms + CLOCK_SKEW_MS:
        raise VerificationError("the bundle comes from the future", code="bundle.future", where=bundle.id)
    document_id = _remember(tx, bundle, data, "in", None)
    if bundle.audit_head is not None:
        _keep_head(tx, bundle, document_id)
    return Accepted(bundle, True, data)


def check(tx: Tx, data: bytes, expect: str | None = None) -> Bundle:
    """Open a bundle with the keys of the pinned party that it names as sender, valid when it was issued."""
    known = trust.documents(tx)
    keys = {key.keyid: key.public for one in known.values() for key in one.keys}
    bundle, signers = core_bundle.open_signed(data, keys)
    if expect is not None and bundle.type != expect:
        raise BadDocument(f"this document is of type {bundle.type}, not {expect}", code="bundle.type", where=bundle.id)
    sender = pinned(tx, bundle.sender)
    if not set(signers) & set(sender.keys_at(bundle.issued_at_ms)):
        code, why = sender.key_fault(signers, bundle.issued_at_ms) or ("wrong_key", "not signed by a key of its sender")
        raise VerificationError(why, code=f"bundle.{code}", where=bundle.id, remedy="Ask its sender for a new one")
    return bundle


def refuse_revoked(tx: Tx, data: bytes, party_id: str) -> None:
    """Raise VerificationError (bundle.key_revoked) on a new document that a party signed with keys revoked since.

    Whatever its date: whoever stole the key writes any. What was taken before the revocation was known keeps its date.
    """
    signers = {keyid for keyid, _ in dsse.read_envelope(data).signatures}
    mine = [key for key in pinned(tx, party_id).keys if key.keyid in signers]
    if mine and all(key.revoked_ms is not None for key in mine):
        raise VerificationError(
            f"signed with the key {mine[0].keyid[:16]}, which its owner revoked: its date shows nothing",
            code="bundle.key_revoked",
            remedy="Ask its sender to issue it anew",
        )


def pinned(tx: Tx, party_id: str) -> Party:
    """A pinned party (or our own), also one that is no longer believed. Raises NotFound with the remedy."""
    known = trust.documents(tx, party_id).get(party_id)
    if known is None:
        raise NotFound(
            f"the party {party_id} is not trusted here",
            code="trust.unknown",
            remedy="Compare its fingerprint with the party, then: fairframe trust add party.json",
        )
    return known


def find(tx: Tx, public_id: str) -> Row:
    """The row of a document that was made or taken here. Raises NotFound."""
    row = tx.row(document.select().where(document.c.public_id == public_id))
    if row is None:
        raise NotFound(
            f"no document {public_id[:60]!r} was made or taken here",
            code="document.missing",
            remedy="See: fairframe audit acts",
        )
    return row


def latest_signed_ms(tx: Tx) -> int:
    """The latest signed time this workspace has seen: its own clock is never believed to be earlier."""
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(document.c.issued_at_ms), 0))))


def trusted_now_ms(tx: Tx) -> int:
    """The latest of the machine's clock, the last audit entry's time and the latest signed time seen.

    A lab controls its machine: this only notices a clock that goes back behind a document it already took. And a
    transaction may have waited for a lock while an agreement ended: what was recorded meanwhile is in force by now.
    """
    return max(tx.now_ms, audit.last_ms(tx.conn), latest_signed_ms(tx))


def _numbered(sender: str, recipient: str, kind: str, agreement: AgreementRef | None) -> "sa.ColumnElement[bool]":
    """The documents that are numbered with each other."""
    return sa.and_(
        document.c.sender == sender,
        document.c.recipient == recipient,
        document.c.type == kind,
        document.c.agreement == _agreement_key(agreement),
    )


def _last_seq(tx: Tx, numbered: "sa.ColumnElement[bool]") -> int:
    return int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(document.c.seq), 0)).where(numbered)))


def _agreement_key(agreement: AgreementRef | None) -> str:
    return agreement.id if agreement is not None else ""


def _remember(tx: WriteTx, bundle: Bundle, data: bytes, direction: str, private: Mapping[str, str] | None) -> int:
    digest = sha256_hex(data)
    row_id = tx.insert(
        document,
        public_id=bundle.id,
        type=bundle.type,
        version=bundle.version,
        sender=bundle.sender,
        recipient=bundle.recipient,
        seq=bundle.seq,
        agreement=_agreement_key(bundle.agreement),
        direction=direction,
        digest=digest,
        envelope=data.decode(),
        issued_at_ms=bundle.issued_at_ms,
    )
    body = {"type": bundle.type, "seq": bundle.seq, "digest": digest}
    tx.record(f"document.{'sent' if direction == 'out' else 'received'}", bundle.id, body, private)
    return row_id


def _keep_head(tx: WriteTx, bundle: Bundle, document_id: int) -> None:
    assert bundle.audit_head is not None
    tx.insert(
        peer_head,
        party=bundle.sender,
        tree_size=bundle.audit_head.size,
        root=bundle.audit_head.root,
        document_id=document_id,
    )
