from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core import dsse, keys
from fairframe.core.bundle import PAYLOAD_TYPE, AgreementRef, Bundle, Head, open_signed, seal
from fairframe.core.canonical import MAX_BYTES, canonical
from fairframe.core.errors import BadDocument, FairframeError, VerificationError
from fairframe.core.ids import encode_id

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KNOWN = {keys.keyid(KEY.public_key()): KEY.public_key()}


def made_id(prefix: str, seed: int = 0) -> str:
    return encode_id(prefix, bytes([seed] * 16))


LEASE = Bundle(
    type="lease",
    version=1,
    id=made_id("lse"),
    sender=made_id("pty", 1),
    recipient=made_id("pty", 2),
    seq=3,
    issued_at_ms=1_795_400_705_123,
    agreement=AgreementRef(made_id("agr"), 1),
    audit_head=Head(12, "ab" * 32),
    body={"delivery": made_id("dlv"), "days": 30},
)

bundles = st.builds(
    Bundle,
    type=st.sampled_from(["lease", "feed", "usage_report"]),
    version=st.integers(1, 9),
    id=st.just(made_id("doc")),
    sender=st.just(made_id("pty", 1)),
    recipient=st.sampled_from(["", made_id("pty", 2), made_id("ctr", 2)]),
    seq=st.integers(0, 10**9),
    issued_at_ms=st.integers(0, 4_000_000_000_000),
    agreement=st.none() | st.builds(AgreementRef, st.just(made_id("agr")), st.integers(1, 5)),
    audit_head=st.none() | st.builds(Head, st.integers(0, 10**9), st.just("0f" * 32)),
    body=st.dictionaries(st.sampled_from("abc"), st.integers(0, 5) | st.lists(st.booleans(), max_size=2)),
)


@given(bundles)
def test_opens_what_it_sealed(bundle: Bundle) -> None:
    assert open_signed(seal(bundle, KEY), KNOWN) == (bundle, tuple(KNOWN))


def test_the_json_is_the_documented_one() -> None:
    assert canonical(LEASE.to_json()).decode() == (
        '{"agreement":{"id":"agr_00000000000000000000000000","version":1},'
        '"audit_head":{"root":"' + "ab" * 32 + '","size":12},'
        '"body":{"days":30,"delivery":"dlv_00000000000000000000000000"},'
        f'"from":"{LEASE.sender}","id":"lse_00000000000000000000000000",'
        f'"issued_at":"2026-11-23T02:25:05.123Z","seq":3,"to":"{LEASE.recipient}",'
        '"type":"lease","version":1}'
    )


@settings(max_examples=300)
@given(st.data())
def test_no_single_byte_edit_of_a_sealed_bundle_verifies(data: st.DataObject) -> None:
    sealed = bytearray(seal(LEASE, KEY))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VerificationError):
        open_signed(bytes(sealed), KNOWN)


_PLAIN = LEASE.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Lease"},
        {"type": 1},
        {"version": True},
        {"version": 0},
        {"version": "1"},
        {"id": "lse_1"},
        {"id": "zzz_00000000000000000000000000"},
        {"from": made_id("agr")},
        {"from": ""},
        {"to": made_id("ast")},
        {"to": None},
        {"seq": False},
        {"seq": -1},
        {"issued_at": 1_795_400_705_123},
        {"issued_at": "2026-11-23T02:25:05Z"},
        {"issued_at": "2026-11-23T03:25:05.123+01:00"},
        {"agreement": made_id("agr")},
        {"agreement": {"id": made_id("agr")}},
        {"agreement": {"id": made_id("agr"), "version": True}},
        {"agreement": {"id": made_id("ast"), "version": 1}},
        {"agreement": {"id": made_id("agr"), "version": 1, "note": ""}},
        {"audit_head": {"size": 1, "root": "AB" * 32}},
        {"audit_head": {"size": 1, "root": "ab" * 31}},
        {"audit_head": {"size": True, "root": "ab" * 32}},
        {"body": []},
        {"body": None},
        {"comment": "x"},
    ],
    ids=str,
)
def test_refuses_a_bundle_of_another_shape(changes: dict[str, object]) -> None:
    with pytest.raises(BadDocument) as caught:
        Bundle.from_json({**_PLAIN, **changes})
    assert caught.value.code == "document.field"


@pytest.mark.parametrize("name", sorted(_PLAIN))
def test_refuses_a_bundle_with_a_field_missing(name: str) -> None:
    with pytest.raises(BadDocument):
        Bundle.from_json({key: value for key, value in _PLAIN.items() if key != name})


def test_refuses_a_signed_payload_with_a_second_spelling() -> None:
    payload = canonical(_PLAIN) + b"\n"
    with pytest.raises(BadDocument) as caught:
        open_signed(dsse.sign(PAYLOAD_TYPE, payload, KEY), KNOWN)
    assert caught.value.code == "document.not_canonical"


def test_refuses_a_signed_document_of_another_type() -> None:
    with pytest.raises(VerificationError) as caught:
        open_signed(dsse.sign("text/plain", canonical(_PLAIN), KEY), KNOWN)
    assert caught.value.code == "dsse.wrong_type"


@pytest.mark.parametrize("bad", [{"seq": -1}, {"sender": "me"}, {"body": {"share": 0.2}}], ids=str)
def test_does_not_seal_what_nobody_could_open(bad: dict[str, object]) -> None:
    with pytest.raises(FairframeError):
        seal(replace(LEASE, **bad), KEY)  # type: ignore[arg-type]


def test_the_largest_document_can_be_opened_and_a_larger_one_is_not_sealed() -> None:
    room = MAX_BYTES - len(canonical(LEASE.to_json()["body"] | {"x": ""})) - 1_000
    large = replace(LEASE, body={"x": "y" * room})
    assert open_signed(seal(large, KEY), KNOWN)[0] == large
    with pytest.raises(BadDocument) as caught:
        seal(replace(LEASE, body={"x": "y" * MAX_BYTES}), KEY)
    assert caught.value.code == "document.too_large"
