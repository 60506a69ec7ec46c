"""Which document of a party may take the place of another, and for what time a key counts."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core import keys, succession
from fairframe.core.errors import BadDocument, VerificationError
from fairframe.core.ids import encode_id
from fairframe.core.party import Party, PartyKey
from fairframe.core.party_key import introduce, introduced_by

ONE, TWO, THREE, THIEF = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 5))
ID = encode_id("pty", bytes(16))
END = 1_000_000


def key(private: Ed25519PrivateKey, start: int, by: Ed25519PrivateKey | None = None, end: int | None = END) -> PartyKey:
    public = private.public_key()
    told = None if by is None else introduce(ID, public, start, by)
    return PartyKey(keys.keyid(public), public, "sign", start, end, introduction=told)


def party(version: int, at: int, *listed: PartyKey) -> Party:
    return Party(ID, "Harbor Stock", "library", at, listed, "", version)


def ended(one: PartyKey, ms: int) -> PartyKey:
    return replace(one, valid_to_ms=ms)


def why(pinned: Party, new: Party, by: Ed25519PrivateKey, at: int = 5_000) -> str:
    sealed = Party.from_envelope(new.seal(by))
    assert sealed == new
    return succession.objection(pinned, sealed, [keys.keyid(by.public_key())], at)


FIRST = party(1, 0, key(ONE, 0))
SECOND = party(2, 1_000, ended(key(ONE, 0), 1_000), key(TWO, 1_000, ONE))
THIRD = party(3, 2_000, *SECOND.keys[:1], ended(SECOND.keys[1], 2_000), key(THREE, 2_000, TWO))


def test_a_pinned_key_introduces_the_next_also_over_several() -> None:
    assert why(FIRST, SECOND, TWO) == why(SECOND, THIRD, THREE) == why(FIRST, THIRD, THREE) == ""


def test_what_does_not_follow() -> None:
    k1, k2 = SECOND.keys
    forged = replace(key(THIEF, 3_000), introduction=key(THIEF, 3_000, THIEF).introduction)
    stolen = party(4, 3_000, *THIRD.keys, key(THIEF, 900, ONE))
    cases = {
        "its number": (SECOND, replace(SECOND, created_at_ms=1_500), TWO),
        "another party": (FIRST, replace(SECOND, name="Harbour Stock"), TWO),
        "drops": (SECOND, party(3, 2_000, k2), TWO),
        "drops, or changes": (SECOND, party(3, 2_000, ended(k1, 1_001), k2), TWO),
        "vouches": (FIRST, replace(SECOND, keys=(k1, replace(k2, introduction=None))), TWO),
        "no key": (SECOND, party(3, 3_000, *SECOND.keys, forged), THIEF),
        "unrevoked and in its time": (THIRD, stolen, THIEF),  # the old key was stolen after its time
    }
    for said, (pinned, new, by) in cases.items():
        assert said in why(pinned, new, by), said


def test_a_revoked_key_introduces_nobody() -> None:
    gone = replace(FIRST.keys[0], revoked_ms=900)
    after = party(2, 1_000, gone, key(TWO, 1_000))
    assert "vouches" in why(FIRST, after, TWO), "the successor is not introduced: compare"
    assert "vouches" in why(FIRST, replace(after, keys=(gone, key(TWO, 1_000, ONE))), TWO)
    assert "vouches" in why(
        party(2, 1_000, gone, key(TWO, 1_000)), party(3, 2_000, *after.keys, key(THIEF, 950, ONE)), THIEF
    )
    # the thief's own document leaves the revocation out
    late = party(9, 2_000, FIRST.keys[0], *after.keys[1:], key(THIEF, 1_500, ONE))
    assert "drops, or changes" in why(after, late, THIEF)
    assert succession.revived(after, late) == [FIRST.keys[0].keyid]
    assert succession.revived(after, party(3, 2_000, *after.keys)) == []


def test_an_older_revoked_key_is_told_of_by_the_one_that_signs() -> None:
    told = party(3, 3_000, replace(SECOND.keys[0], revoked_ms=500), SECOND.keys[1])
    assert why(SECOND, told, TWO) == ""
    assert "vouches" in why(FIRST, told, TWO), "who only knows the revoked one compares"


def test_an_introduction_is_for_one_key_of_one_party_at_one_time() -> None:
    new, by = SECOND.keys[1], FIRST.keys[0]
    assert introduced_by(ID, new, by)
    assert not introduced_by(encode_id("pty", b"1" * 16), new, by)
    assert not introduced_by(ID, replace(new, valid_from_ms=1_001), by)
    assert not introduced_by(ID, replace(key(THIEF, 1_000), introduction=new.introduction), by)
    assert not introduced_by(ID, new, ended(by, 999))
    assert not introduced_by(ID, new, replace(by, revoked_ms=END))


@pytest.mark.parametrize("bad", [{"by": "00", "sig": ""}, {"by": "0" * 64, "sig": "AA=="}, {"by": "0" * 64}, 1])
def test_an_introduction_of_another_shape(bad: object) -> None:
    from fairframe.core import dsse
    from fairframe.core.canonical import canonical
    from fairframe.core.party import PAYLOAD_TYPE

    document = SECOND.to_json()
    document["keys"][1]["introduction"] = bad
    with pytest.raises(BadDocument):
        Party.from_envelope(dsse.sign(PAYLOAD_TYPE, canonical(document), TWO))


def test_a_revoked_key_does_not_sign_its_partys_document() -> None:
    with pytest.raises(VerificationError):
        party(2, 1_000, replace(FIRST.keys[0], revoked_ms=1_000)).seal(ONE)


times = st.integers(0, 20)
optional = st.none() | times


@given(times, optional, optional, times)
def test_when_a_key_counts(start: int, end: int | None, revoked: int | None, at: int) -> None:
    one = replace(key(ONE, start, end=end), revoked_ms=revoked)
    counts = start <= at and (end is None or at < end) and (revoked is None or at < revoked)
    assert one.valid_at(at) == counts
    who = party(1, 0, one)
    assert (who.key_fault([one.keyid], at) is None) == counts
    assert (one.keyid in who.keys_at(at)) == counts


@given(times, optional, optional, times, times)
def test_a_span_counts_where_a_moment_of_it_does(
    start: int, end: int | None, revoked: int | None, a: int, b: int
) -> None:
    one = replace(key(ONE, start, end=end), revoked_ms=revoked)
    low, high = min(a, b), max(a, b)
    # a key whose end is not after its start never counts, whatever the span
    if one.ends_ms is None or start < one.ends_ms:
        assert one.valid_within(low, high) == any(one.valid_at(ms) for ms in range(low, high + 1))


@given(times, optional, optional, times)
def test_a_revocation_never_lets_more_count(start: int, end: int | None, revoked: int | None, at: int) -> None:
    one = key(ONE, start, end=end)
    assert not replace(one, revoked_ms=revoked).valid_at(at) or one.valid_at(at)
