import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairframe.core import keys
from fairframe.core.errors import InputError


def test_an_encrypted_key_is_refused() -> None:
    encryption = serialization.BestAvailableEncryption(b"password")
    pem = keys.generate().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    with pytest.raises(InputError) as caught:
        keys.load_private(pem)
    assert caught.value.code == "input.bad_key"


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN", "ü", b"x" * 10_000])
def test_anything_else_is_no_key(pem: bytes | str) -> None:
    with pytest.raises(InputError):
        keys.load_public(pem)


def test_a_key_of_another_kind_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(InputError):
        keys.load_public(public)
    with pytest.raises(InputError):
        keys.load_private(private)
