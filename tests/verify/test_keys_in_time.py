"""Expired, revoked and untrusted keys, each found and named by the standalone verifier."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import dsse, keys
from fairframe.core.bundle import seal
from fairframe.core.party import Party, PartyKey
from fairframe.core.party_key import introduce
from fairframe.core.time import DAY_MS
from fairframe.verify.trust import Trust

Failing = Callable[[Any], set[str]]
NEW = Ed25519PrivateKey.from_private_bytes(b"n" * 32)


def rotated(one: Any, at: int) -> Party:
    """The party after it changed its key at a time."""
    old = replace(one.party.keys[0], valid_to_ms=at)
    public = NEW.public_key()
    told = introduce(one.id, public, at, one.private)
    new = PartyKey(keys.keyid(public), public, "sign", at, at + 100 * DAY_MS, introduction=told)
    return replace(one.party, created_at_ms=at, version=2, keys=(old, new))


def revoked(one: Any, since: int, at: int) -> Party:
    public = NEW.public_key()
    gone = replace(one.party.keys[0], revoked_ms=since)
    new = PartyKey(keys.keyid(public), public, "sign", at, None)
    return replace(one.party, created_at_ms=at, version=2, keys=(gone, new))


@pytest.fixture
def now(world: Any) -> int:
    return world.library.party.created_at_ms + 100 * DAY_MS


def lease(world: Any, private: Ed25519PrivateKey, at: int) -> Any:
    data = seal(replace(world.bundle("lease", body(world)), issued_at_ms=at), private)
    return world.write("lease.json", data)


def body(world: Any) -> dict[str, Any]:
    from fairframe.core.bundle import read_payload

    return read_payload(dsse.read_envelope(world.lease()).payload).body


def test_old_signatures_hold_for_their_time_and_new_ones_by_the_new_key(world: Any, now: int, failing: Failing) -> None:
    at = now - 10 * DAY_MS
    trust = Trust.of([rotated(world.library, at), world.lab.party])
    old, new = world.library.private, NEW
    assert world.check(lease(world, old, at - 1), trust).holds
    assert world.check(lease(world, new, at), trust).holds
    late = world.check(lease(world, old, at), trust)
    assert failing(late) == {"document.signature", "document.key_ended"}
    assert any("had ended on" in one.text for one in late.findings)
    assert failing(world.check(lease(world, new, at - 1), trust)) == {"document.signature", "document.key_early"}


def test_a_revoked_key(world: Any, now: int, failing: Failing) -> None:
    since = now - 10 * DAY_MS
    trust = Trust.of([revoked(world.library, since, now - DAY_MS), world.lab.party])
    bad = world.check(lease(world, world.library.private, since), trust)
    assert failing(bad) == {"document.signature", "document.key_revoked"}
    early = world.check(lease(world, world.library.private, since - 1), trust)
    assert early.holds
    assert [one.code for one in early.findings if one.ok is None] == ["document.key_revoked_later"]
    assert "document.recipient" in {one.code for one in early.findings}, "nothing is left unchecked for it"


def test_an_untrusted_key(world: Any, now: int, failing: Failing) -> None:
    assert failing(world.check(lease(world, NEW, now))) == {"dsse.unknown_key"}


def test_a_delivery_from_before_the_change_still_holds(world: Any, now: int, failing: Failing) -> None:
    folder = world.deliver()
    trust = Trust.of([rotated(world.library, now + DAY_MS), world.lab.party])
    assert world.check(folder, trust).holds
    gone = Trust.of([revoked(world.library, now - DAY_MS, now + DAY_MS), world.lab.party])
    assert "document.key_revoked" in failing(world.check(folder, gone))


FORM = {"document.field"}


def test_a_countersignature_by_a_key_that_is_younger_than_the_offer(world: Any, now: int, failing: Failing) -> None:
    at = now - 10 * DAY_MS
    trust = Trust.of([world.library.party, rotated(world.lab, at)])
    terms = {"offer": "research", "family": world.agreement_ref.id, "terms": {"open_days": 30}}
    offered = {"id": world.agreement_ref.id, "issued_at_ms": at - DAY_MS}
    signed = dsse.add_signature(world.sealed("agreement", terms, **offered), NEW)
    # these terms are no whole agreement, which is another finding
    assert failing(world.check(world.write("a.json", signed), trust)) <= FORM
    closed = {**terms, "terms": {"open_days": 1}}
    late = dsse.add_signature(world.sealed("agreement", closed, **{**offered, "issued_at_ms": at - 2 * DAY_MS}), NEW)
    found = failing(world.check(world.write("a.json", late), trust))
    assert found - FORM == {"document.signature", "document.key_early"}


def test_a_partys_newer_document(world: Any, now: int, failing: Failing) -> None:
    told = rotated(world.library, now - DAY_MS).seal(NEW)
    report = world.check(world.write("party.json", told))
    assert report.holds and any("its key vouches" in one.text for one in report.findings)
    lost = revoked(world.library, now - DAY_MS, now).seal(NEW)
    report = world.check(world.write("party.json", lost))
    assert failing(report) == {"party.trusted"}
