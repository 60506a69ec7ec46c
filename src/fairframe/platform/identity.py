"""Who a workspace is: its Ed25519 signing key, the library secret, the content-credentials chain, its party document.

Private keys lie in DIR/keys (0700, files 0600), never in the database, a log, an error or an export.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import keys
from fairframe.core.errors import Conflict, NotFound
from fairframe.core.party import Party, PartyKey
from fairframe.core.time import DAY_MS
from fairframe.platform import trust
from fairframe.platform.certificates import C2paIdentity, make_c2pa_ca
from fairframe.platform.tables import party, signing_key
from fairframe.platform.tx import WriteTx

VALID_MS = 3650 * DAY_MS


@dataclass(frozen=True)
class Keys:
    """The private side of a workspace's identity."""

    folder: Path

    def create(self, party_id: str, name: str, now_ms: int) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity = make_c2pa_ca(name, now_ms)
        self._put("sign.pem", keys.dump_private(keys.generate()))
        self._put("pseudonyms.bin", secrets.token_bytes(32))
        self._put("c2pa-key.pem", identity.key_pem)
        self._put("c2pa-chain.pem", identity.chain_pem)
        self._put("c2pa-ca.pem", identity.ca_pem)

    def signing_key(self) -> tuple[str, Ed25519PrivateKey]:
        """(keyid, private key)"""
        private = keys.load_private(self._get("sign.pem"))
        return keys.keyid(private.public_key()), private

    def library_secret(self) -> bytes:
        """32 bytes under which pseudonyms are HMACs; only its holder can link them to assets and people."""
        return self._get("pseudonyms.bin")

    def c2pa(self) -> C2paIdentity:
        return C2paIdentity(self._get("c2pa-ca.pem"), self._get("c2pa-chain.pem"), self._get("c2pa-key.pem"))

    def _put(self, name: str, data: bytes) -> None:
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)

    def _get(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise NotFound(
                f"the key file {name} of this workspace cannot be read",
                code="keys.missing",
                remedy="Restore DIR/keys from a backup.",
            ) from error


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
    tx.insert(
        signing_key,
        keyid=keyid,
        purpose="sign",
        public_pem=keys.dump_public(private.public_key()),
        valid_from_ms=tx.now_ms,
        valid_to_ms=valid_to,
    )
    _insert_party(tx, who, envelope, is_self=True)
    return envelope


def pin(tx: WriteTx, envelope: bytes) -> tuple[Party, bool]:
    """Trust another party's document, also after it was unpinned; returns it and whether that is new.

    The caller compared fingerprints.

    Raises VerificationError on a document whose own signature fails, Conflict on another document under a pinned id.
    """
    other = Party.from_envelope(envelope)
    known = tx.row(party.select().where(party.c.public_id == other.id))
    if known is not None:
        if known["fingerprint"] == other.fingerprint:
            return other, trust.repin(tx, known)
        raise Conflict(
            f"the party {other.id} is pinned with another fingerprint",
            code="trust.changed",
            remedy="Ask the party through another channel before trusting anything.",
        )
    _insert_party(tx, other, envelope, is_self=False)
    return other, True


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
