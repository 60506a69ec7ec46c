"""A signing key gives way to another, on both databases; what the other side learns of it, and how."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairframe.core import bundle as core_bundle
from fairframe.core import keys
from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import Conflict, FairframeError, InputError, Refused, VerificationError
from fairframe.core.party import Party, PartyKey
from fairframe.core.party_key import introduce
from fairframe.core.time import DAY_MS
from fairframe.flows.verify import trust_of, verify_audit
from fairframe.platform import bundles, identity, rotation, trust
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace, publish
from fairframe.verify.registry import verify


def told(ws: Workspace) -> bytes:
    return (ws.root / "party.json").read_bytes()


def learn(ws: Workspace, data: bytes) -> bool:
    with ws.write() as tx:
        return identity.pin(tx, data)[1]


def compare(ws: Workspace, data: bytes) -> Party:
    with ws.write() as tx:
        return identity.replace(tx, data)


def issue(ws: Workspace, to: Workspace, kind: str = "usage_report") -> bytes:
    with ws.write() as tx:
        return bundles.issue(tx, kind, to.party_id, {"n": 1})


def take(ws: Workspace, data: bytes, kind: str = "usage_report") -> bool:
    with ws.write() as tx:
        return bundles.accept(tx, data, kind).new


def code_of(act: object) -> str:
    with pytest.raises(FairframeError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code


def current(ws: Workspace) -> str:
    with ws.read() as tx:
        return identity.signer(tx)[0].keyid


def test_rotation(library: Workspace, lab: Workspace, clock) -> None:
    before, first, old = issue(lab, library), told(lab), current(lab)
    unsent = issue(lab, library)
    clock.advance(DAY_MS)
    who = rotation.rotate(lab)
    assert current(lab) != old and lab.keys.held() == (current(lab),), "the old private half is gone"
    assert told(lab) != first and Party.from_envelope(told(lab)) == who
    after = issue(lab, library)
    assert take(library, before), "signed in the old key's time"
    assert code_of(lambda: take(library, after)) == "dsse.unknown_key"
    assert learn(library, told(lab)) and not learn(library, told(lab)), "without a comparison"
    assert take(library, after) and take(library, unsent)
    assert code_of(lambda: learn(library, first)) == "trust.changed", "an older document takes nothing back"
    with library.read() as tx:
        assert bundles.pinned(tx, lab.party_id).version == 2
        assert {one.version for one in trust.believed(tx)} == {1, 2}
        kinds = [row["kind"] for row in tx.rows(audit_entry.select().where(audit_entry.c.subject == lab.party_id))]
        assert kinds[-1] == "party.keys_changed"
        assert trust.find(tx, who.fingerprint)["public_id"] == lab.party_id
    assert verify_audit(library, []).holds and verify_audit(lab, [after]).holds


def test_a_signature_dated_after_its_keys_end_is_refused(library: Workspace, lab: Workspace, clock) -> None:
    private = lab.keys.signing_key()[1]
    first = read_payload(read_envelope(issue(lab, library)).payload)
    clock.advance(DAY_MS)
    rotation.rotate(lab)
    learn(library, told(lab))
    clock.advance(DAY_MS)
    late = core_bundle.seal(replace(first, id="doc_" + "0" * 26, seq=2, issued_at_ms=clock.now), private)
    assert code_of(lambda: take(library, late)) == "bundle.key_ended"
    path = library.root / "late.json"
    path.write_bytes(late)
    report = verify(path, trust_of(library, []), clock.now)
    assert "document.key_ended" in {one.code for one in report.findings if one.ok is False}


def test_several_rotations_at_once_with_a_clock_that_stands_still(library: Workspace, lab: Workspace) -> None:
    made = [issue(lab, library)]
    for _ in range(3):
        rotation.rotate(lab)
        made.append(issue(lab, library))
    assert learn(library, told(lab)), "over keys that the library never saw"
    assert [take(library, one) for one in made] == [True] * 4
    again = trust_of(library, [])
    for number, one in enumerate(made):
        path = library.root / f"{number}.json"
        path.write_bytes(one)
        report = verify(path, again, lab.clock() + DAY_MS)
        judged = [one.ok for one in report.findings if one.code.startswith(("document.signature", "document.key"))]
        assert judged and all(judged), "its body says nothing, but its key was the lab's at that time"


def test_a_stolen_key_is_revoked(library: Workspace, lab: Workspace, clock) -> None:
    stolen, taken = lab.keys.signing_key()[1], issue(lab, library)
    assert take(library, taken)
    first = read_payload(read_envelope(taken).payload)
    clock.advance(DAY_MS)
    since = clock.now
    clock.advance(DAY_MS)
    void = issue(lab, library)
    with lab.read() as tx:
        assert rotation.signed_since(tx, identity.signer(tx)[0], since) == 1
    rotation.revoke(lab, current(lab), since, "the laptop is gone")
    assert code_of(lambda: learn(library, told(lab))) == "trust.changed", "it cannot introduce its successor"
    assert compare(library, told(lab)).version == 2
    assert code_of(lambda: take(library, void)) == "bundle.key_revoked"
    backdated = core_bundle.seal(replace(first, id="doc_" + "0" * 26, seq=9), stolen)
    assert code_of(lambda: take(library, backdated)) == "bundle.key_revoked", "a thief writes any date"
    assert not take(library, taken), "what was taken before keeps its date"
    with library.read() as tx:
        assert bundles.check(tx, taken).id == first.id
    assert take(library, issue(lab, library))
    with lab.read() as tx:
        last = tx.rows(audit_entry.select().order_by(audit_entry.c.seq))[-3:]
    assert not any("laptop" in row["body"] for row in last), "the reason stays out of the tree"


def test_a_revocation_is_final_for_who_heard_of_it(library: Workspace, lab: Workspace, clock) -> None:
    first, stolen = Party.from_envelope(told(lab)), lab.keys.signing_key()[1]
    clock.advance(DAY_MS)
    rotation.revoke(lab, current(lab), None, "")
    compare(library, told(lab))
    clock.advance(DAY_MS)
    thief = replace(first, version=7, created_at_ms=clock.now).seal(stolen)
    assert code_of(lambda: learn(library, thief)) == "trust.changed"
    assert code_of(lambda: compare(library, thief)) == "trust.revoked_key"
    # and the next rotation goes on from the new key
    rotation.rotate(lab)
    assert learn(library, told(lab))


def test_a_revoked_key_introduces_nobody(library: Workspace, lab: Workspace, clock) -> None:
    stolen = lab.keys.signing_key()[1]
    clock.advance(DAY_MS)
    rotation.revoke(lab, current(lab), None, "")
    true = compare(library, told(lab))
    clock.advance(DAY_MS)
    own = keys.generate()
    mark = introduce(true.id, own.public_key(), clock.now, stolen)
    made = PartyKey(keys.keyid(own.public_key()), own.public_key(), "sign", clock.now, None, introduction=mark)
    forged = replace(true, version=true.version + 1, created_at_ms=clock.now, keys=(*true.keys, made)).seal(own)
    assert code_of(lambda: learn(library, forged)) == "trust.changed"
    signed = core_bundle.seal(replace(read_payload(read_envelope(issue(lab, library)).payload), seq=9), own)
    assert code_of(lambda: take(library, signed)) == "dsse.unknown_key"


def test_a_party_document_from_before_the_revocation_is_refused(library: Workspace, lab: Workspace, clock) -> None:
    first = told(lab)
    clock.advance(DAY_MS)
    rotation.revoke(lab, current(lab), None, "")
    compare(library, told(lab))
    assert code_of(lambda: learn(library, first)) == "trust.changed", "it was pinned once, and is no longer"
    assert code_of(lambda: compare(library, first)) == "trust.revoked_key", "also for who compares fingerprints anew"
    assert take(library, issue(lab, library)), "nothing of it stuck"


def test_what_cannot_be_revoked(lab: Workspace, clock) -> None:
    key = current(lab)
    cases = [(key[:4], None, "keys.short_id"), ("f" * 64, None, "keys.unknown")]
    cases += [(key, clock.now - DAY_MS, "keys.since"), (key, clock.now + DAY_MS, "keys.since")]
    for text, since, code in cases:
        assert code_of(lambda text=text, since=since: rotation.revoke(lab, text, since, "")) == code
    with pytest.raises(InputError):
        rotation.revoke(lab, key, None, "x" * 3_000)
    clock.advance(DAY_MS)
    rotation.revoke(lab, key, None, "")
    with pytest.raises(Conflict):
        rotation.revoke(lab, key, None, "")
    rotation.revoke(lab, key, clock.now - DAY_MS, "earlier than was thought")
    assert len(lab.keys.held()) == 1


def test_ones_own_document_is_made_here_only(library: Workspace, lab: Workspace, clock) -> None:
    clock.advance(DAY_MS)
    first = told(lab)
    rotation.rotate(lab)
    assert code_of(lambda: learn(lab, first)) == "trust.changed"
    with pytest.raises(Refused):
        compare(lab, first)


def test_an_unpinned_party_is_not_pinned_again_by_its_new_key(library: Workspace, lab: Workspace, clock) -> None:
    with library.write() as tx:
        trust.unpin(tx, trust.find(tx, lab.party_id))
    clock.advance(DAY_MS)
    rotation.rotate(lab)
    assert code_of(lambda: learn(library, told(lab))) == "trust.changed"
    compare(library, told(lab))
    assert take(library, issue(lab, library))


def test_a_key_that_has_ended_signs_nothing(library: Workspace, lab: Workspace, clock) -> None:
    clock.advance(3651 * DAY_MS)
    assert code_of(lambda: issue(lab, library)) == "keys.ended"
    rotation.rotate(lab)
    assert issue(lab, library)
    assert code_of(lambda: learn(library, told(lab))) == "trust.changed", "an ended key introduces nobody"


@pytest.mark.parametrize("step", ["_commit", "publish", "Keys.keep"])
def test_a_rotation_that_is_cut_off(library: Workspace, lab: Workspace, clock, monkeypatch, step: str) -> None:
    """After the new key is on the disk; after the commit; before the old one is forgotten."""

    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    old = current(lab)
    clock.advance(DAY_MS)
    with monkeypatch.context() as patch, pytest.raises(Cut):
        where = "fairframe.platform.keyring." if "." in step else "fairframe.platform.rotation."
        patch.setattr(where + step, cut)
        rotation.rotate(lab)
    assert (current(lab) == old) == (step == "_commit")
    publish(lab)  # as the next opening does
    if step != "_commit":
        assert learn(library, told(lab))
    assert take(library, issue(lab, library)), "signed by a key that the other side knows"
    rotation.rotate(lab)
    assert lab.keys.held() == (current(lab),) and learn(library, told(lab))


def test_an_encrypted_workspace_rotates(tmp_path: Path, clock, library: Workspace, monkeypatch) -> None:
    from fairframe.platform.workspace import create_workspace

    ws = create_workspace(tmp_path / "e", "lab", "West Lab", clock, passphrase="correct horse battery")
    learn(library, told(ws))
    clock.advance(DAY_MS)
    rotation.rotate(ws)
    assert ws.keys.encrypted and b"PRIVATE" not in (ws.keys.folder / "keyring.json").read_bytes()
    assert learn(library, told(ws)) and take(library, issue(ws, library))
    ws.close()


def test_a_strangers_signature_is_named(library: Workspace, lab: Workspace, clock) -> None:
    data = issue(lab, library)
    bad = replace(read_payload(read_envelope(data).payload), sender=library.party_id)
    with pytest.raises(VerificationError) as caught:
        take(library, core_bundle.seal(bad, lab.keys.signing_key()[1]))
    assert caught.value.code == "bundle.wrong_key"
