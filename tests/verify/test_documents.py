import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.bundle import read_payload, seal
from fairframe.core.canonical import canonical
from fairframe.core.dsse import add_signature, read_envelope
from fairframe.core.errors import InputError
from fairframe.core.time import DAY_MS
from fairframe.verify.documents import ISSUER
from fairframe.verify.trust import Trust

Failing = Callable[[Any], set[str]]


def issued(world: Any, kind: str, **changes: Any) -> bytes:
    """A document of a kind, signed by the side that issues it."""
    by_lab = ISSUER[kind] == "lab"
    sender, recipient = (world.lab, world.library) if by_lab else (world.library, world.lab)
    bodies = {"lease": world.lease, "feed": world.feed, "grant": world.grant}
    body = read_payload(read_envelope(bodies[kind]()).payload).body if kind in bodies else {"n": 1}
    bundle = world.bundle(kind, body, sender=sender.id, recipient=recipient.id, **changes)
    return seal(bundle, sender.private)


# a statement is recomputed too: see tests/royalties
@pytest.mark.parametrize("kind", sorted(set(ISSUER) - {"agreement", "statement"}))
def test_an_honest_document_holds(world: Any, kind: str) -> None:
    assert world.check(world.write("x.json", issued(world, kind))).holds


def test_an_agreement_needs_both_signatures(world: Any, failing: Failing) -> None:
    assert world.check(world.write("x.json", world.agreement())).holds
    one = world.write("x.json", world.sealed("agreement", {}))
    assert failing(world.check(one)) == {"document.signature"}


def test_an_agreement_with_only_one_party_trusted(world: Any, failing: Failing) -> None:
    path = world.write("x.json", world.agreement())
    report = world.check(path, Trust.of([world.library.party]))
    assert failing(report) == {"document.signature", "document.unchecked_signature"}


def test_a_signature_by_the_other_party(world: Any, failing: Failing) -> None:
    forged = seal(world.bundle("lease", {}), world.lab.private)
    assert failing(world.check(world.write("x.json", forged))) == {"document.signature"}


def test_a_document_issued_by_the_wrong_side(world: Any, failing: Failing) -> None:
    for kind, role in ISSUER.items():
        sender = world.library if role == "lab" else world.lab
        bundle = world.bundle(kind, {}, sender=sender.id, recipient="")
        assert "document.issuer" in failing(world.check(world.write("x.json", seal(bundle, sender.private))))


def test_a_type_that_nobody_knows(world: Any, failing: Failing) -> None:
    assert failing(world.check(world.write("x.json", world.sealed("poem", {})))) == {"document.issuer"}


def test_a_stranger(world: Any, failing: Failing) -> None:
    bundle = world.bundle("lineage", {}, sender=world.stranger.id)
    path = world.write("x.json", seal(bundle, world.stranger.private))
    assert failing(world.check(path)) == {"dsse.unknown_key"}


def test_an_added_signature_that_cannot_be_checked(world: Any, failing: Failing) -> None:
    path = world.write("x.json", add_signature(issued(world, "lease"), world.stranger.private))
    assert failing(world.check(path)) == {"document.unchecked_signature"}


@pytest.mark.parametrize("days", [-101, 101])
def test_a_key_that_was_not_valid_then(world: Any, failing: Failing, days: int) -> None:
    when = world.library.party.created_at_ms + (100 + days) * DAY_MS
    path = world.write("x.json", issued(world, "lease", issued_at_ms=when))
    assert "document.signature" in failing(world.check(path))


def test_a_document_from_the_future(world: Any, failing: Failing) -> None:
    when = world.library.party.created_at_ms + 102 * DAY_MS
    path = world.write("x.json", issued(world, "lease", issued_at_ms=when))
    assert failing(world.check(path)) == {"document.time"}


@pytest.mark.parametrize("data", [b"", b"{}", b"\x00" * 100, b"[" * 100_000, b"not json"], ids=lambda d: repr(d)[:12])
def test_a_file_that_is_no_document(world: Any, failing: Failing, data: bytes) -> None:
    assert failing(world.check(world.write("x.json", data))) == {"dsse.malformed"}


def test_whom_a_document_is_for(world: Any, failing: Failing) -> None:
    path, parties = world.write("x.json", issued(world, "feed")), [world.library.party, world.lab.party]
    texts = {one.code: one for one in world.check(path).findings}
    assert texts["document.recipient"].ok and "North Lab" in texts["document.recipient"].text
    for own in parties:
        assert world.check(path, Trust.of(parties, own.id)).holds
    here = Trust.of([*parties, world.stranger.party], world.stranger.id)
    assert failing(world.check(path, here)) == {"document.recipient"}, "in another lab's workspace"
    (unseen,) = [one for one in world.check(path, Trust.of(parties[:1])).findings if one.ok is None]
    assert unseen.code == "document.recipient", "a stranger's document is not said to be for us"


def test_a_party_document(world: Any, failing: Failing) -> None:
    assert world.check(world.write("party.json", world.library.document())).holds
    untold = world.check(world.write("party.json", world.stranger.document()), Trust.of([]))
    assert not untold.holds and {one.ok for one in untold.findings} == {None}, "its own word shows nothing"
    assert untold.outcome == "nothing of it could be checked"
    assert failing(world.check(world.write("party.json", world.stranger.document()))) == {"party.trusted"}


def test_a_party_document_changed_after_it_was_pinned(world: Any, failing: Failing) -> None:
    other = replace(world.library.party, name="Harbour Stock").seal(world.library.private)
    assert failing(world.check(world.write("party.json", other))) == {"party.trusted"}


def test_a_broken_party_document(world: Any, failing: Failing) -> None:
    value = json.loads(world.library.document())
    value["signatures"][0]["sig"] = json.loads(world.lab.document())["signatures"][0]["sig"]
    assert failing(world.check(world.write("party.json", canonical(value)))) == {"dsse.bad_signature"}


def test_trusting_a_party_twice(world: Any) -> None:
    with pytest.raises(InputError):
        Trust.of([world.library.party, world.library.party])
    with pytest.raises(InputError):
        Trust.of([world.library.party, replace(world.lab.party, keys=world.library.party.keys)])


def test_nothing_to_read(world: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        world.check(tmp_path / "absent.json")
    assert caught.value.code == "input.no_file"


def test_a_file_too_large_to_be_a_document(world: Any) -> None:
    path = world.write("x.json", b"")
    with path.open("ab") as stream:
        stream.truncate(1 << 36)
    with pytest.raises(InputError) as caught:
        world.check(path)
    assert caught.value.code == "input.too_large"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_byte_edit_of_a_countersigned_agreement_holds(world: Any, data: st.DataObject) -> None:
    sealed = bytearray(world.agreement())
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert not world.check(world.write("x.json", bytes(sealed))).holds
