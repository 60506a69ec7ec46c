"""DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0.2) with Ed25519 signatures.

Stricter than the specification where that costs nothing: an envelope must be canonical JSON with exactly the
known keys and padded standard base64, so that one signed statement has one spelling.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairframe.core.canonical import MAX_BYTES, Json, canonical, parse
from fairframe.core.errors import BadDocument, Conflict, VerificationError
from fairframe.core.keys import keyid

MAX_SIGNATURES = 16
MAX_ENVELOPE_BYTES = 24 * 1024 * 1024
"""Room for a payload of the largest size that canonical.parse reads, in base64, and its signatures."""


@dataclass(frozen=True)
class Opened:
    """A verified payload and the ids of the keys whose signatures hold, in the envelope's order."""

    payload: bytes
    payload_type: str
    keyids: tuple[str, ...]


@dataclass(frozen=True)
class Envelope:
    """A well-formed envelope. Nothing in it has been verified."""

    payload: bytes
    payload_type: str
    signatures: tuple[tuple[str, bytes], ...]

    def to_bytes(self) -> bytes:
        return canonical(
            {
                "payload": base64.b64encode(self.payload).decode("ascii"),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": key, "sig": base64.b64encode(signature).decode("ascii")}
                    for key, signature in self.signatures
                ],
            }
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, private_key: Ed25519PrivateKey) -> bytes:
    """An envelope with one signature, as canonical JSON bytes; BadDocument when nobody could parse the payload."""
    if len(payload) > MAX_BYTES:
        raise BadDocument(f"The document is longer than {MAX_BYTES} bytes", code="document.too_large")
    signature = private_key.sign(pae(payload_type, payload))
    return Envelope(payload, payload_type, ((keyid(private_key.public_key()), signature),)).to_bytes()


def add_signature(data: bytes, private_key: Ed25519PrivateKey) -> bytes:
    """The same envelope with one more signature (a countersignature).

    The caller has opened and read it before; this checks its form only. Conflict when the key has signed.
    """
    envelope = read_envelope(data)
    key = keyid(private_key.public_key())
    if any(key == signer for signer, _ in envelope.signatures):
        raise Conflict("This key has already signed the envelope", code="conflict.already_signed")
    signature = private_key.sign(pae(envelope.payload_type, envelope.payload))
    signatures = (*envelope.signatures, (key, signature))
    return Envelope(envelope.payload, envelope.payload_type, signatures).to_bytes()


def open_envelope(data: bytes, keys: Mapping[str, Ed25519PublicKey], *, payload_type: str | None = None) -> Opened:
    """Verify an envelope against known keys (keyid -> key) and return its payload.

    Every signature by a known key must hold, and there must be one; signatures by other keys are left out of
    `keyids`. Raises VerificationError with code dsse.malformed, dsse.wrong_type, dsse.unknown_key or
    dsse.bad_signature.
    """
    envelope = read_envelope(data)
    if payload_type is not None and envelope.payload_type != payload_type:
        raise VerificationError(
            f"The envelope holds {envelope.payload_type[:80]!r}, not {payload_type!r}", code="dsse.wrong_type"
        )
    message = pae(envelope.payload_type, envelope.payload)
    verified: list[str] = []
    for signer, signature in envelope.signatures:
        public = keys.get(signer)
        if public is None:
            continue
        try:
            public.verify(signature, message)
        except InvalidSignature as error:
            raise VerificationError(
                f"The signature by key {signer[:16]} does not hold: the document was changed or forged",
                code="dsse.bad_signature",
                remedy="Ask its sender for the original file",
            ) from error
        verified.append(signer)
    if not verified:
        signers = ", ".join(signer[:16] for signer, _ in envelope.signatures)
        raise VerificationError(
            f"Signed by an unknown key ({signers})",
            code="dsse.unknown_key",
            remedy="Add its sender's party document to the trusted ones after comparing the fingerprint",
        )
    return Opened(envelope.payload, envelope.payload_type, tuple(verified))


def read_envelope(data: bytes) -> Envelope:
    """Parse an envelope without verifying it; VerificationError dsse.malformed when its form is wrong."""
    try:
        value = parse(data, max_bytes=MAX_ENVELOPE_BYTES)
        if canonical(value) != data:
            raise _malformed("it is not canonical JSON")
    except BadDocument as error:
        raise _malformed(str(error)) from error
    fields = _exactly(value, {"payload", "payloadType", "signatures"})
    payload_type, signatures = fields["payloadType"], fields["signatures"]
    if not isinstance(payload_type, str) or not 0 < len(payload_type) <= 256:
        raise _malformed("payloadType is not a short text")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise _malformed(f"it needs between 1 and {MAX_SIGNATURES} signatures")
    read = tuple(_signature(item) for item in signatures)
    if len({signer for signer, _ in read}) != len(read):
        raise _malformed("two signatures name the same key")
    return Envelope(_base64(fields["payload"]), payload_type, read)


def _signature(value: Json) -> tuple[str, bytes]:
    fields = _exactly(value, {"keyid", "sig"})
    signer, signature = fields["keyid"], _base64(fields["sig"])
    if not isinstance(signer, str) or len(signer) != 64 or not set(signer) <= set("0123456789abcdef"):
        raise _malformed("a keyid is not 64 hex digits")
    if len(signature) != 64:
        raise _malformed("a signature is not 64 bytes")
    return signer, signature


def _exactly(value: Json, names: set[str]) -> dict[str, Json]:
    if not isinstance(value, dict) or set(value) != names:
        raise _malformed(f"expected an object with exactly {', '.join(sorted(names))}")
    return value


def _base64(value: Json) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        raw = None
    # encoding again refuses spare bits in the last character, which several spellings would share
    if raw is None or base64.b64encode(raw).decode("ascii") != value:
        raise _malformed("a field is not padded standard base64")
    return raw


def _malformed(why: str) -> VerificationError:
    return VerificationError(f"This is not a signed envelope: {why}", code="dsse.malformed")
