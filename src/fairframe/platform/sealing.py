"""A secret at rest: plain JSON, or encrypted under a passphrase.

The key comes from scrypt (RFC 7914) with N = 2^17, r = 8, p = 1, which needs 128 MiB for each guess; the cipher is
AES-256-GCM (NIST SP 800-38D) with a random nonce. Salt, nonce and parameters are authenticated along with the content.
"""

import base64
import binascii
import os
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from fairframe.core.canonical import Json, canonical, parse
from fairframe.core.errors import BadDocument, InputError, IntegrityFailure
from fairframe.core.fields import Fields

N, R, P = 2**17, 8, 1
MIN_CHARS, MAX_CHARS = 12, 1_024


def check_passphrase(text: str) -> str:
    """A new passphrase that will do. Raises InputError (keys.weak_passphrase), which never quotes it."""
    if not MIN_CHARS <= len(text) <= MAX_CHARS:
        raise InputError(
            f"a passphrase has {MIN_CHARS} to {MAX_CHARS} characters",
            code="keys.weak_passphrase",
            remedy="Choose several random words, or let a secret store make one",
        )
    return text


def seal(content: dict[str, Any], passphrase: str | None) -> bytes:
    """The bytes to store: encrypted, or as they are where there is no passphrase."""
    if passphrase is None:
        return canonical({"version": 1, "cipher": None, "content": content})
    salt, nonce = os.urandom(16), os.urandom(12)
    cipher = {"name": "AES-256-GCM", "kdf": "scrypt", "n": N, "r": R, "p": P, "salt": salt.hex(), "nonce": nonce.hex()}
    sealed = AESGCM(_derive(passphrase, salt, N, R, P)).encrypt(nonce, canonical(content), canonical(cipher))
    return canonical({"version": 1, "cipher": cipher, "sealed": base64.b64encode(sealed).decode()})


def is_encrypted(data: bytes) -> bool:
    """Whether stored bytes are encrypted. Raises IntegrityFailure (keys.damaged)."""
    try:
        return Fields(parse(data), "keyring").value("cipher") is not None
    except BadDocument as error:
        raise damaged() from error


def unseal(data: bytes, passphrase: str | None) -> Fields:
    """The content. `passphrase` is only used where it is encrypted.

    Raises InputError (keys.wrong_passphrase), IntegrityFailure (keys.damaged) on bytes that seal did not make.
    """
    try:
        fields = Fields(parse(data), "keyring")
        if fields.integer("version", least=1) != 1:
            raise damaged()
        if fields.value("cipher") is None:
            return fields.fields("content")
        return Fields(parse(_decrypt(fields, passphrase or "")), "keyring.content")
    except (BadDocument, binascii.Error) as error:
        raise damaged() from error


def _decrypt(fields: Fields, passphrase: str) -> bytes:
    cipher = fields.fields("cipher")
    cipher.text("name", one_of=["AES-256-GCM"])
    cipher.text("kdf", one_of=["scrypt"])
    n, r, p = cipher.integer("n", least=2), cipher.integer("r", least=1), cipher.integer("p", least=1)
    salt, nonce = bytes.fromhex(cipher.hex("salt", digits=32)), bytes.fromhex(cipher.hex("nonce", digits=24))
    cipher.close()
    if n & (n - 1) or n > 2**20 or r > 16 or p > 16:
        raise damaged()
    sealed = base64.b64decode(fields.text("sealed", max_chars=1 << 20), validate=True)
    told: Json = fields.value("cipher")
    try:
        return AESGCM(_derive(passphrase, salt, n, r, p)).decrypt(nonce, sealed, canonical(told))
    except InvalidTag:
        raise InputError(
            "the passphrase does not open this workspace's keys",
            code="keys.wrong_passphrase",
            remedy="See FAIRFRAME_PASSPHRASE or FAIRFRAME_PASSPHRASE_FILE; or restore DIR/keys if it was changed",
        ) from None


def _derive(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # NFC, as RFC 8265 (OpaqueString) has it: keyboards spell an accented letter in two ways
    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(secret)


def damaged() -> IntegrityFailure:
    """What to raise where the keyring is not what was written."""
    return IntegrityFailure(
        "the keyring of this workspace is damaged", code="keys.damaged", remedy="Restore DIR/keys from a backup"
    )
