"""Who a workspace is, whom it pins, and how a party's document gives way to a later one with other keys."""

from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import dsse, keys, succession
from fairframe.core.errors import Conflict, Refused
from fairframe.core.party import Party, PartyKey
from fairframe.core.time import DAY_MS
from fairframe.platform import trust
from fairframe.platform.tables import party, party_document, signing_key
from fairframe.platform.tx import Row, Tx, WriteTx

VALID_MS = 3650 * DAY_MS
How = Literal["made", "introduced", "compared"]


def create_identity(tx: WriteTx) -> bytes:
    """Register this workspace's own party and keys; return the self-signed party document (a DSSE envelope)."""
    ws = tx.ws
    if tx.row(party.select().where(party.c.is_self)):
        raise Conflict("the database already holds another workspace", remedy="Use a database of its own.")
    keyid, private = ws.keys.signing_key()
    valid_to = tx.now_ms + VALID_MS
    who = Party(
        id=ws.party_id,
        name=ws.name,
        role=ws.role,
        created_at_ms=tx.now_ms,
        keys=(PartyKey(keyid, private.public_key(), "sign", tx.now_ms, valid_to),),
        c2pa_ca_pem=ws.keys.c2pa().ca_pem.decode(),
    )
    envelope = who.seal(private)
    insert_key(tx, who.keys[0])
    _insert_party(tx, who, envelope, is_self=True)
    return envelope


def signer(tx: Tx) -> tuple[PartyKey, Ed25519PrivateKey]:
    """The newest key that this workspace may sign with now, and its private half.

    Raises Refused (keys.ended) where none counts any more, and what reading the keyring raises.
    """
    key = current(own(tx), tx.now_ms)
    if key is None:
        raise Refused("this workspace's signing key has ended", code="keys.ended", remedy="fairframe keys rotate")
    return key, tx.ws.keys.signing_key(key.keyid)[1]


def current(who: Party, now_ms: int) -> PartyKey | None:
    """The key that a party signs with: its newest one that has neither ended nor been revoked."""
    left = [key for key in who.keys if key.revoked_ms is None and (key.ends_ms is None or now_ms < key.ends_ms)]
    return max(left, key=lambda key: key.valid_from_ms, default=None)


def own(tx: Tx) -> Party:
    """This workspace's own party, by its newest document."""
    return trust.documents(tx, tx.ws.party_id)[tx.ws.party_id]


def pin(tx: WriteTx, envelope: bytes) -> tuple[Party, bool]:
    """Trust another party's document, also after it was unpinned; returns it and whether that is new.

    The caller compared fingerprints, unless the document follows from the pinned one (core/succession.py): then a key
    that was compared vouches for it.

    Raises VerificationError on a document whose own signature fails, Conflict (trust.changed) on another document
    under a pinned id that does not follow from it.
    """
    other = Party.from_envelope(envelope)
    known = tx.row(party.select().where(party.c.public_id == other.id))
    if known is None:
        _insert_party(tx, other, envelope, is_self=False)
        return other, True
    if trust.documents(tx, other.id)[other.id].fingerprint == other.fingerprint:
        return other, trust.repin(tx, known)
    why = objection(tx, envelope)
    if why:
        raise Conflict(
            f"the party {other.id} is pinned with another fingerprint, from which this does not follow: {why}",
            code="trust.changed",
            remedy="Ask the party through another channel before trusting anything.",
        )
    succeed(tx, known, other, envelope, "introduced")
    return other, True


def objection(tx: Tx, envelope: bytes) -> str:
    """Why a pinned party's other document needs its fingerprint compared; "" where a pinned key vouches for it."""
    other = Party.from_envelope(envelope)
    if other.id == tx.ws.party_id:
        return "it is this workspace's own party"
    if trust.unpinned_ms(tx, other.id) is not None:
        return "the party is no longer trusted"
    opened = dsse.open_envelope(envelope, other.keys_at(other.created_at_ms))
    return succession.objection(trust.documents(tx, other.id)[other.id], other, opened.keyids, tx.now_ms)


def replace(tx: WriteTx, envelope: bytes) -> Party:
    """Take a pinned party's other document, whose fingerprint the caller compared anew.

    Raises VerificationError, Conflict (trust.unknown) on a party that is not pinned, Refused (trust.own,
    trust.revoked_key) on our own, and on one in which a key counts again that the party revoked.
    """
    other = Party.from_envelope(envelope)
    known = tx.row(party.select().where(party.c.public_id == other.id))
    if known is None:
        raise Conflict(f"the party {other.id} is not pinned", code="trust.unknown", remedy="Pin it")
    if known["is_self"]:
        raise Refused("this is the workspace's own party", code="trust.own", where=other.id)
    for data in _every_document(tx, known):
        if again := succession.revived(Party.from_envelope(data), other):
            raise Refused(
                f"the key {again[0][:16]} would count again, which {other.name} revoked: a revocation is final",
                code="trust.revoked_key",
                where=other.id,
                remedy="Ask the party for its newest party.json through another channel",
            )
    if trust.unpinned_ms(tx, other.id) is not None:
        trust.repin(tx, known)
    succeed(tx, known, other, envelope, "compared")
    return other


def succeed(tx: WriteTx, known: Row, who: Party, envelope: bytes, how: How) -> None:
    """Let a document take the place of a party's earlier ones. The caller judged it."""
    tx.insert(
        party_document,
        party_id=known["id"],
        version=who.version,
        fingerprint=who.fingerprint,
        document=envelope.decode(),
        how=how,
    )
    counting = [key.keyid for key in who.keys if key.revoked_ms is None]
    body = {"version": who.version, "fingerprint": who.fingerprint, "how": how, "unrevoked": counting}
    tx.record("party.keys_changed", who.id, body)


def insert_key(tx: WriteTx, key: PartyKey) -> None:
    """Remember a key of our own. How long it counts in the end, the newest party document says."""
    assert key.valid_to_ms is not None
    tx.insert(
        signing_key,
        keyid=key.keyid,
        purpose=key.purpose,
        public_pem=keys.dump_public(key.public),
        valid_from_ms=key.valid_from_ms,
        valid_to_ms=key.valid_to_ms,
    )


def _every_document(tx: Tx, known: Row) -> list[bytes]:
    later = tx.rows(party_document.select().where(party_document.c.party_id == known["id"]))
    return [known["document"].encode(), *(row["document"].encode() for row in later)]


def _insert_party(tx: WriteTx, who: Party, envelope: bytes, *, is_self: bool) -> None:
    tx.insert(
        party,
        public_id=who.id,
        name=who.name,
        role=who.role,
        fingerprint=who.fingerprint,
        document=envelope.decode(),
        is_self=is_self,
    )
    tx.record(
        "party.created" if is_self else trust.PINNED,
        who.id,
        {"name": who.name, "role": who.role, "fingerprint": who.fingerprint},
    )
