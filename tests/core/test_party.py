from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core import dsse, keys
from fairframe.core.canonical import canonical
from fairframe.core.errors import BadDocument, FairframeError, VerificationError
from fairframe.core.ids import encode_id
from fairframe.core.party import PAYLOAD_TYPE, Party, PartyKey
from fairframe.platform.certificates import make_c2pa_ca

OLD, NEW, THIEF = (Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"o", b"n", b"t"))


IDENTITY = make_c2pa_ca("Aperture Library", 1_780_000_000_000)
CA = IDENTITY.ca_pem.decode()


def party_key(private: Ed25519PrivateKey, start: int, end: int | None) -> PartyKey:
    public = private.public_key()
    return PartyKey(keys.keyid(public), public, "sign", start, end)


LIBRARY = Party(
    id=encode_id("pty", bytes(16)),
    name="Aperture Library",
    role="library",
    created_at_ms=1_500,
    keys=(party_key(OLD, 0, 1_000), party_key(NEW, 1_000, None)),
    c2pa_ca_pem="",
)


def signed(document: dict[str, Any], private: Ed25519PrivateKey = NEW) -> bytes:
    return dsse.sign(PAYLOAD_TYPE, canonical(document), private)


def test_reads_what_it_seals() -> None:
    read = Party.from_envelope(LIBRARY.seal(NEW))
    assert read.to_json() == LIBRARY.to_json()
    assert read.fingerprint == LIBRARY.fingerprint
    assert len(read.fingerprint.replace(" ", "")) == 64


def test_keys_are_valid_from_and_up_to() -> None:
    old, new = (keys.keyid(private.public_key()) for private in (OLD, NEW))
    assert [set(LIBRARY.keys_at(ms)) for ms in (-1, 0, 999, 1_000, 10**15)] == [set(), {old}, {old}, {new}, {new}]


def test_a_key_that_has_ended_does_not_sign_the_document() -> None:
    with pytest.raises(VerificationError):
        LIBRARY.seal(OLD)


def test_a_stranger_does_not_sign_the_document() -> None:
    with pytest.raises(VerificationError) as caught:
        Party.from_envelope(signed(LIBRARY.to_json(), THIEF))
    assert caught.value.code == "dsse.unknown_key"


def test_a_key_cannot_be_listed_under_anothers_id() -> None:
    document = LIBRARY.to_json()
    document["keys"][1]["public_pem"] = keys.dump_public(THIEF.public_key())
    with pytest.raises(BadDocument):
        Party.from_envelope(signed(document, THIEF))


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Another"), ("role", "lab"), ("c2pa_ca_pem", CA), ("id", encode_id("pty", b"1" * 16))],
)
def test_the_fingerprint_pins_every_field(field: str, value: str) -> None:
    changed = Party.from_envelope(signed({**LIBRARY.to_json(), field: value}))
    assert changed.fingerprint != LIBRARY.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "lease"},
        {"version": True},
        {"id": "pty_1"},
        {"name": " "},
        {"name": "a\x1b[2Jb"},
        {"role": "auditor"},
        {"created_at": 0},
        {"keys": LIBRARY.to_json()["keys"] * 2},
        {"keys": [{**LIBRARY.to_json()["keys"][1], "note": 1}]},
        {"keys": [{**LIBRARY.to_json()["keys"][1], "purpose": "encrypt"}]},
        {"keys": [{key: v for key, v in LIBRARY.to_json()["keys"][1].items() if key != "valid_to"}]},
        {"c2pa_ca_pem": None},
        {"c2pa_ca_pem": "not a certificate"},
        {"c2pa_ca_pem": "é" * 10},
        {"c2pa_ca_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n"},
        {"c2pa_ca_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"c2pa_ca_pem": CA[:-1]},
        {"c2pa_ca_pem": CA * 2},
        {"c2pa_ca_pem": "note\n" + CA},
        {"c2pa_ca_pem": IDENTITY.chain_pem.decode()},
        {"extra": 1},
    ],
    ids=lambda changes: str(changes)[:30],
)
def test_refuses_a_document_of_another_shape(changes: dict[str, Any]) -> None:
    with pytest.raises(BadDocument):
        Party.from_envelope(signed({**LIBRARY.to_json(), **changes}))


def test_refuses_a_document_without_keys() -> None:
    with pytest.raises(VerificationError):
        Party.from_envelope(signed({**LIBRARY.to_json(), "keys": []}))


@given(st.data())
def test_no_single_byte_edit_is_read(data: st.DataObject) -> None:
    sealed = bytearray(LIBRARY.seal(NEW))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FairframeError):
        Party.from_envelope(bytes(sealed))
