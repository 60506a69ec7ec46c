"""The party document: who someone is, and the keys that they sign with.

It is signed by its own key, which shows only that its maker holds that key. Trust comes from a person who
compares the fingerprint over another channel and pins it. A party that changes its keys makes a new document, with
the next `version`, that carries the old keys with the time in which they count (core/succession.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairframe.core import dsse, keys
from fairframe.core.canonical import Json, canonical, parse, sha256_hex
from fairframe.core.errors import BadDocument, InputError, VerificationError
from fairframe.core.fields import Fields
from fairframe.core.party_key import PartyKey as PartyKey
from fairframe.core.time import to_rfc3339

PAYLOAD_TYPE = "application/vnd.fairframe.party+json"

ROLES = ("library", "lab")
MAX_BYTES = 256 * 1024
MAX_NAME = 64
"""Characters of a party's name: its certificate bears it, and X.520 gives a commonName no more."""


@dataclass(frozen=True)
class Party:
    """A library or a lab. `c2pa_ca_pem` is the certificate of its content-credentials CA ("" if none).

    created_at_ms: when this document was made. version: its number; a party's first one has 1.
    """

    id: str
    name: str
    role: str
    created_at_ms: int
    keys: tuple[PartyKey, ...]
    c2pa_ca_pem: str
    version: int = 1

    @classmethod
    def from_envelope(cls, data: bytes) -> "Party":
        """Read a party document and verify its own signature.

        Raises BadDocument on a wrong shape, and VerificationError when the signature does not hold or its key
        is not one of the document's keys valid at `created_at`.
        """
        if len(data) > MAX_BYTES:
            raise BadDocument("A party document is far smaller than this file", code="document.too_large")
        envelope = dsse.read_envelope(data)
        if envelope.payload_type != PAYLOAD_TYPE:
            raise VerificationError(
                f"This is not a party document but {envelope.payload_type[:80]!r}", code="dsse.wrong_type"
            )
        value = parse(envelope.payload)
        if canonical(value) != envelope.payload:
            raise BadDocument("The party document is not canonical JSON", code="document.not_canonical")
        party = cls.from_json(value)
        dsse.open_envelope(data, party.keys_at(party.created_at_ms), payload_type=PAYLOAD_TYPE)
        return party

    @classmethod
    def from_json(cls, value: Json) -> "Party":
        fields = Fields(value, "party")
        fields.text("type", one_of=["party"])
        party = cls(
            version=fields.integer("version", least=1),
            id=fields.id("id", "pty"),
            name=fields.text("name", max_chars=MAX_NAME),
            role=fields.text("role", one_of=ROLES),
            created_at_ms=fields.time_ms("created_at"),
            keys=tuple(PartyKey.from_json(item) for item in fields.list("keys", max_items=64)),
            c2pa_ca_pem=_authority(fields.text("c2pa_ca_pem", max_chars=16_384)),
        )
        fields.close()
        if not _is_name(party.name):
            raise BadDocument("Field 'name' is not printable", code="document.field", where="party")
        if len({key.keyid for key in party.keys}) != len(party.keys):
            raise BadDocument("A key is listed twice", code="document.field", where="party.keys")
        return party

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "party",
            "version": self.version,
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "created_at": to_rfc3339(self.created_at_ms),
            "keys": [key.to_json() for key in self.keys],
            "c2pa_ca_pem": self.c2pa_ca_pem,
        }

    def seal(self, private_key: Ed25519PrivateKey) -> bytes:
        """The signed party document; raises what from_envelope raises if it would not read back."""
        data = dsse.sign(PAYLOAD_TYPE, canonical(self.to_json()), private_key)
        Party.from_envelope(data)
        return data

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the whole document in groups of four: it pins name, role, every key and the CA."""
        return keys.grouped(sha256_hex(canonical(self.to_json())))

    def keys_at(self, ms: int) -> Mapping[str, Ed25519PublicKey]:
        """keyid -> public key of the keys that are valid for signing at a time."""
        return self.keys_within(ms, ms)

    def keys_within(self, start_ms: int, end_ms: int) -> Mapping[str, Ed25519PublicKey]:
        """keyid -> public key of the keys that are valid for signing at some moment from start to end."""
        return {
            key.keyid: key.public for key in self.keys if key.purpose == "sign" and key.valid_within(start_ms, end_ms)
        }

    def key_fault(self, keyids: Collection[str], ms: int) -> tuple[str, str] | None:
        """Why a signature by a key of this party, dated at a time, does not count: a short code and words.

        None where the party has none of the keys, or one that was valid then.
        """
        mine = [key for key in self.keys if key.keyid in keyids]
        if not mine or any(key.valid_at(ms) for key in mine):
            return None
        key = mine[0]
        what = f"signed on {to_rfc3339(ms)} with the key {key.keyid[:16]} of {self.name}, which"
        if ms < key.valid_from_ms:
            return "key_early", f"{what} is valid from {to_rfc3339(key.valid_from_ms)} on only"
        if key.revoked_ms is not None and ms >= key.revoked_ms:
            return "key_revoked", f"{what} is revoked from {to_rfc3339(key.revoked_ms)} on"
        assert key.valid_to_ms is not None
        return "key_ended", f"{what} had ended on {to_rfc3339(key.valid_to_ms)}"


def _authority(pem: str) -> str:
    """ "" or exactly one CA certificate as PEM, and nothing beside it: others hand this text to their libraries."""
    if pem and not _is_authority(pem):
        raise BadDocument(
            "Field 'c2pa_ca_pem' is not one PEM certificate of an authority", code="document.field", where="party"
        )
    return pem


def _is_authority(pem: str) -> bool:
    try:
        data = pem.encode("ascii")
        found = x509.load_pem_x509_certificates(data)
        if len(found) != 1 or found[0].public_bytes(serialization.Encoding.PEM) != data:
            return False
        found[0].public_key()
        return found[0].extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ):
        return False


def check_name(name: str) -> None:
    """Raise InputError (input.bad_name) on what cannot name a party."""
    if not _is_name(name):
        raise InputError(
            f"a party's name has 1 to {MAX_NAME} printable characters",
            code="input.bad_name",
            remedy="Choose a shorter name.",
        )


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_NAME and text.isprintable()
