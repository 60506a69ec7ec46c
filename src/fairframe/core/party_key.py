"""A key of a party document: when it counts, and which older key introduced it.

An introduction is the older key's Ed25519 signature over the new key's identity, in DSSE's pre-authentication
encoding. It lets whoever pinned the older key learn the new one without comparing fingerprints again.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairframe.core import dsse, keys
from fairframe.core.canonical import Json, canonical
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339

INTRODUCTION_TYPE = "application/vnd.fairframe.key-introduction+json"


@dataclass(frozen=True)
class Introduction:
    """The key (its keyid) that introduced another one, and its signature over that one."""

    by: str
    signature: bytes

    def to_json(self) -> dict[str, str]:
        return {"by": self.by, "sig": base64.b64encode(self.signature).decode("ascii")}


@dataclass(frozen=True)
class PartyKey:
    """One Ed25519 key, valid from `valid_from_ms` up to, not including, `valid_to_ms` (None: open-ended).

    revoked_ms: since when its signatures count no more, None where it was not revoked. It may lie before the
    revocation became known: since then somebody else may have held the key.
    """

    keyid: str
    public: Ed25519PublicKey
    purpose: str
    valid_from_ms: int
    valid_to_ms: int | None
    revoked_ms: int | None = None
    introduction: Introduction | None = None

    @property
    def ends_ms(self) -> int | None:
        """The first moment at which it counts no more, by its end or its revocation; None: open-ended."""
        ends = [ms for ms in (self.valid_to_ms, self.revoked_ms) if ms is not None]
        return min(ends) if ends else None

    def valid_at(self, ms: int) -> bool:
        return self.valid_within(ms, ms)

    def valid_within(self, start_ms: int, end_ms: int) -> bool:
        """Whether it counts at some moment from start to end, both included."""
        return self.valid_from_ms <= end_ms and (self.ends_ms is None or start_ms < self.ends_ms)

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "keyid": self.keyid,
            "public_pem": keys.dump_public(self.public),
            "purpose": self.purpose,
            "valid_from": to_rfc3339(self.valid_from_ms),
            "valid_to": None if self.valid_to_ms is None else to_rfc3339(self.valid_to_ms),
        }
        # a document without them reads, and hashes, as one that was made before keys could be revoked
        if self.revoked_ms is not None:
            told["revoked_from"] = to_rfc3339(self.revoked_ms)
        if self.introduction is not None:
            told["introduction"] = self.introduction.to_json()
        return told

    @classmethod
    def from_json(cls, value: Json) -> "PartyKey":
        fields = Fields(value, "party.keys")
        pem = fields.text("public_pem", max_chars=1_024)
        try:
            public = keys.load_public(pem)
        except InputError as error:
            raise BadDocument(error.message, code="document.field", where="party.keys") from error
        found = cls(
            keyid=fields.hex("keyid"),
            public=public,
            purpose=fields.text("purpose", one_of=["sign"]),
            valid_from_ms=fields.time_ms("valid_from"),
            valid_to_ms=None if fields.value("valid_to") is None else fields.time_ms("valid_to"),
            revoked_ms=fields.time_ms("revoked_from") if fields.has("revoked_from") else None,
            introduction=_introduction(fields.fields("introduction")) if fields.has("introduction") else None,
        )
        fields.close()
        # a key under another key's id would let one signer pass as another
        if found.keyid != keys.keyid(public) or pem != keys.dump_public(public):
            raise BadDocument("A keyid or PEM text does not match its key", code="document.field", where="party.keys")
        return found


def introduce(party_id: str, public: Ed25519PublicKey, valid_from_ms: int, by: Ed25519PrivateKey) -> Introduction:
    """The introduction of a new signing key of a party by an older one."""
    message = _message(party_id, keys.keyid(public), valid_from_ms)
    return Introduction(keys.keyid(by.public_key()), by.sign(message))


def introduced_by(party_id: str, key: PartyKey, by: PartyKey) -> bool:
    """Whether `by` introduced `key` of that party, while it counted itself: at its very end at the latest."""
    told = key.introduction
    if told is None or told.by != by.keyid or by.revoked_ms is not None:
        return False
    if key.valid_from_ms < by.valid_from_ms or (by.valid_to_ms is not None and key.valid_from_ms > by.valid_to_ms):
        return False
    try:
        by.public.verify(told.signature, _message(party_id, key.keyid, key.valid_from_ms))
    except InvalidSignature:
        return False
    return True


def _message(party_id: str, keyid: str, valid_from_ms: int) -> bytes:
    told = {"party": party_id, "keyid": keyid, "purpose": "sign", "valid_from": to_rfc3339(valid_from_ms)}
    return dsse.pae(INTRODUCTION_TYPE, canonical(told))


def _introduction(fields: Fields) -> Introduction:
    by, text = fields.hex("by"), fields.text("sig", max_chars=88)
    fields.close()
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != 64 or base64.b64encode(signature).decode("ascii") != text:
        raise BadDocument("Field 'sig' is not a signature in base64", code="document.field", where="party.keys")
    return Introduction(by, signature)
