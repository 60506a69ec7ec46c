import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core import dsse, keys
from fairframe.core.errors import Conflict, VerificationError

TYPE = "application/vnd.test+json"
ANN = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
BOB = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
ANN_ID, BOB_ID = keys.keyid(ANN.public_key()), keys.keyid(BOB.public_key())
KNOWN = {ANN_ID: ANN.public_key()}
BOTH = {**KNOWN, BOB_ID: BOB.public_key()}


def code_of(data: bytes, known: object = KNOWN, **options: str) -> str:
    with pytest.raises(VerificationError) as caught:
        dsse.open_envelope(data, known, **options)  # type: ignore[arg-type]
    return caught.value.code


def rewrite(data: bytes, **changes: object) -> bytes:
    value = {**json.loads(data), **changes}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_the_pre_authentication_encoding_of_the_specification() -> None:
    # github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors"
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_in_the_encoding_are_bytes() -> None:
    assert dsse.pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


@given(st.binary(max_size=200))
def test_opens_what_it_signed(payload: bytes) -> None:
    opened = dsse.open_envelope(dsse.sign(TYPE, payload, ANN), KNOWN, payload_type=TYPE)
    assert opened == dsse.Opened(payload, TYPE, (ANN_ID,))


def test_the_envelope_has_the_fields_of_the_specification() -> None:
    value = json.loads(dsse.sign(TYPE, b"hi", ANN))
    assert value["payload"] == "aGk="
    assert value["payloadType"] == TYPE
    assert [set(item) for item in value["signatures"]] == [{"keyid", "sig"}]
    ANN.public_key().verify(base64.b64decode(value["signatures"][0]["sig"]), dsse.pae(TYPE, b"hi"))


@given(st.binary(max_size=40), st.data())
def test_no_single_byte_edit_opens(payload: bytes, data: st.DataObject) -> None:
    sealed = bytearray(dsse.sign(TYPE, payload, ANN))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != sealed[at]))
    with pytest.raises(VerificationError):
        dsse.open_envelope(bytes(sealed), KNOWN)


@given(st.data())
def test_no_insertion_or_deletion_opens(data: st.DataObject) -> None:
    sealed = dsse.sign(TYPE, b"payload", ANN)
    at = data.draw(st.integers(0, len(sealed) - 1))
    insert = data.draw(st.binary(max_size=1))
    edited = sealed[:at] + insert + sealed[at if insert else at + 1 :]
    with pytest.raises(VerificationError):
        dsse.open_envelope(edited, KNOWN)


def test_a_countersigned_envelope_names_both_signers() -> None:
    both = dsse.add_signature(dsse.sign(TYPE, b"x", ANN), BOB)
    assert dsse.open_envelope(both, BOTH).keyids == (ANN_ID, BOB_ID)
    assert dsse.open_envelope(both, KNOWN).keyids == (ANN_ID,)


def test_a_key_signs_once() -> None:
    with pytest.raises(Conflict):
        dsse.add_signature(dsse.sign(TYPE, b"x", ANN), ANN)


def test_one_good_signature_does_not_cover_for_a_bad_one() -> None:
    value = json.loads(dsse.add_signature(dsse.sign(TYPE, b"x", ANN), BOB))
    value["signatures"][1]["sig"] = value["signatures"][0]["sig"]
    assert code_of(rewrite(b"{}", **value), BOTH) == "dsse.bad_signature"


def test_an_unknown_key() -> None:
    assert code_of(dsse.sign(TYPE, b"x", BOB)) == "dsse.unknown_key"
    assert code_of(dsse.sign(TYPE, b"x", BOB), {}) == "dsse.unknown_key"


def test_a_signature_under_somebody_elses_keyid() -> None:
    value = json.loads(dsse.sign(TYPE, b"x", BOB))
    value["signatures"][0]["keyid"] = ANN_ID
    assert code_of(rewrite(b"{}", **value)) == "dsse.bad_signature"


def test_another_payload_or_payload_type() -> None:
    sealed = dsse.sign(TYPE, b"x", ANN)
    assert code_of(rewrite(sealed, payload="eQ==")) == "dsse.bad_signature"
    assert code_of(rewrite(sealed, payloadType="text/plain")) == "dsse.bad_signature"
    assert code_of(sealed, payload_type="text/plain") == "dsse.wrong_type"


SIGNATURE = json.loads(dsse.sign(TYPE, b"x", ANN))["signatures"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"signatures": []},
        {"signatures": None},
        {"signatures": [SIGNATURE, SIGNATURE]},
        {"signatures": [{**SIGNATURE, "note": "x"}]},
        {"signatures": [{**SIGNATURE, "sig": SIGNATURE["sig"][:-4]}]},
        {"signatures": [{**SIGNATURE, "keyid": ANN_ID.upper()}]},
        {"signatures": [{"sig": SIGNATURE["sig"]}]},
        {"signatures": [SIGNATURE] * 17},
        {"payload": "eA"},
        {"payload": "eB=="},  # the spare bits of "eA==" set: the same byte, spelled otherwise
        {"payload": "eA==\n"},
        {"payload": "_-8="},
        {"payload": "é"},
        {"payload": None},
        {"payloadType": ""},
        {"payloadType": 1},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_malformed_envelope(changes: dict[str, object]) -> None:
    assert code_of(rewrite(dsse.sign(TYPE, b"x", ANN), **changes)) == "dsse.malformed"


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":1,"a":1}'])
def test_something_else_altogether(data: bytes) -> None:
    assert code_of(data) == "dsse.malformed"


def test_a_second_spelling_of_the_same_envelope() -> None:
    sealed = dsse.sign(TYPE, b"x", ANN)
    assert code_of(sealed + b"\n") == "dsse.malformed"
    assert code_of(json.dumps(json.loads(sealed), indent=1).encode()) == "dsse.malformed"


def test_keys_survive_their_pem_files() -> None:
    again = keys.load_private(keys.dump_private(ANN))
    public = keys.load_public(keys.dump_public(again.public_key()))
    assert keys.keyid(public) == ANN_ID
    assert keys.grouped(keys.keyid(public)).replace(" ", "") == ANN_ID
