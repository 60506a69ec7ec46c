"""Ed25519 keys: their ids and PEM files."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairframe.core.errors import InputError

_MAX_PEM_BYTES = 8_192


def generate() -> Ed25519PrivateKey:
    """A new random signing key."""
    return Ed25519PrivateKey.generate()


def keyid(public: Ed25519PublicKey) -> str:
    """The hex SHA-256 of the raw 32-byte public key."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def grouped(digest_hex: str) -> str:
    """Hex digits in groups of four, for two people to compare aloud."""
    return " ".join(digest_hex[at : at + 4] for at in range(0, len(digest_hex), 4))


def dump_public(public: Ed25519PublicKey) -> str:
    """The public key as PEM text (SubjectPublicKeyInfo)."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(
        "ascii"
    )


def load_public(pem: str | bytes) -> Ed25519PublicKey:
    """The Ed25519 public key in a PEM text; InputError on anything else."""
    data = pem.encode("utf-8", "surrogatepass") if isinstance(pem, str) else pem
    try:
        key = serialization.load_pem_public_key(data) if len(data) <= _MAX_PEM_BYTES else None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("This is not an Ed25519 public key in PEM form", code="input.bad_key")
    return key


def dump_private(private: Ed25519PrivateKey) -> bytes:
    """The private key as PEM bytes (PKCS #8), not encrypted: it goes into a keyring, which can be."""
    plain = serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def load_private(pem: bytes) -> Ed25519PrivateKey:
    """The Ed25519 private key in PEM bytes; InputError on anything else, an encrypted one included."""
    try:
        key = serialization.load_pem_private_key(pem, None) if len(pem) <= _MAX_PEM_BYTES else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("This is not an Ed25519 private key in PEM form without a password", code="input.bad_key")
    return key
