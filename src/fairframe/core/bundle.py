"""The bundle: the one shape of every document that passes between a library and a lab."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairframe.core import dsse
from fairframe.core.canonical import Json, canonical, parse
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.time import DAY_MS, to_rfc3339

PAYLOAD_TYPE = "application/vnd.fairframe.bundle+json"

MAX_OPEN_DAYS = 36_500

_TYPE = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True)
class Head:
    """A sender's audit tree when it issued: number of leaves and root (hex)."""

    size: int
    root: str


@dataclass(frozen=True)
class AgreementRef:
    """The agreement, and its version, under which a bundle is issued."""

    id: str
    version: int


@dataclass(frozen=True)
class Bundle:
    """What is signed. `sender` and `recipient` are "from" and "to" in JSON; `recipient` may be "".

    `seq` counts a sender's bundles of one type to one recipient. `issued_at_ms` is RFC 3339 in JSON.
    """

    type: str
    version: int
    id: str
    sender: str
    recipient: str
    seq: int
    issued_at_ms: int
    agreement: AgreementRef | None
    audit_head: Head | None
    body: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        agreement, head = self.agreement, self.audit_head
        return {
            "type": self.type,
            "version": self.version,
            "id": self.id,
            "from": self.sender,
            "to": self.recipient,
            "seq": self.seq,
            "issued_at": to_rfc3339(self.issued_at_ms),
            "agreement": {"id": agreement.id, "version": agreement.version} if agreement else None,
            "audit_head": {"size": head.size, "root": head.root} if head else None,
            "body": self.body,
        }

    @classmethod
    def from_json(cls, value: Json) -> "Bundle":
        """Read a bundle strictly; BadDocument on a missing, unknown or mistyped field or a malformed id."""
        fields = Fields(value, "bundle")
        kind = fields.text("type", max_chars=40)
        if not _TYPE.fullmatch(kind):
            raise BadDocument("Field 'type' is not a lower-case name", code="document.field", where="bundle")
        recipient = fields.value("to")
        bundle = cls(
            type=kind,
            version=fields.integer("version", least=1),
            id=fields.id("id"),
            sender=fields.id("from", "pty"),
            recipient="" if recipient == "" else fields.id("to"),
            seq=fields.integer("seq"),
            issued_at_ms=fields.time_ms("issued_at"),
            agreement=_agreement(fields),
            audit_head=_head(fields),
            body=fields.object("body"),
        )
        if bundle.recipient and bundle.recipient[:3] not in ("pty", "ctr"):
            raise BadDocument("Field 'to' is not a party or contributor", code="document.field", where="bundle")
        fields.close()
        return bundle


def seal(bundle: Bundle, private_key: Ed25519PrivateKey) -> bytes:
    """The signed envelope of a bundle. A bundle that would not read back raises BadDocument here."""
    payload = canonical(bundle.to_json())
    Bundle.from_json(parse(payload))
    return dsse.sign(PAYLOAD_TYPE, payload, private_key)


def open_signed(data: bytes, keys: Mapping[str, Ed25519PublicKey]) -> tuple[Bundle, tuple[str, ...]]:
    """Verify an envelope against known keys: its bundle, and the ids of the keys whose signatures hold.

    Raises VerificationError (see dsse.open_envelope) or BadDocument. Whether one of these keys is the sender's is for
    the caller to compare.
    """
    opened = dsse.open_envelope(data, keys, payload_type=PAYLOAD_TYPE)
    return read_payload(opened.payload), opened.keyids


def read_payload(payload: bytes) -> Bundle:
    """The bundle in a payload; nothing is verified. BadDocument unless it is canonical and well-formed."""
    value = parse(payload)
    if canonical(value) != payload:
        raise BadDocument("The bundle is not canonical JSON", code="document.not_canonical")
    return Bundle.from_json(value)


def signable_until_ms(agreement: Bundle) -> int:
    """Until when an offer was open for the countersignature, which carries no time of its own; never before its issue.

    By `terms.open_days` of its body; a body without it was open in the moment of its issue only.
    """
    terms = agreement.body.get("terms")
    days = terms.get("open_days") if isinstance(terms, dict) else None
    return agreement.issued_at_ms + (days * DAY_MS if isinstance(days, int) and 0 < days <= MAX_OPEN_DAYS else 0)


def _agreement(fields: Fields) -> AgreementRef | None:
    if fields.value("agreement") is None:
        return None
    inner = fields.fields("agreement")
    found = AgreementRef(inner.id("id", "agr"), inner.integer("version", least=1))
    inner.close()
    return found


def _head(fields: Fields) -> Head | None:
    if fields.value("audit_head") is None:
        return None
    inner = fields.fields("audit_head")
    found = Head(inner.integer("size"), inner.hex("root"))
    inner.close()
    return found
