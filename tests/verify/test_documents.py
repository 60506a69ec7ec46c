import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.appeal_outcome_body import AppealOutcome
from fairframe.core.attestation_body import AttestationBody, Model, Settled
from fairframe.core.breach_body import BreachBody, OverdueItem, Told
from fairframe.core.bundle import Head, read_payload, seal
from fairframe.core.canonical import canonical
from fairframe.core.claim_outcome_body import ClaimOutcome
from fairframe.core.dsse import add_signature, read_envelope
from fairframe.core.errors import InputError
from fairframe.core.incident_outcome_body import Decided, Delivered, IncidentOutcome, InSpite, Trained
from fairframe.core.log_proof_body import Act, LogProof
from fairframe.core.merkle import leaf_hash
from fairframe.core.model_release_body import ModelRelease, Under
from fairframe.core.ruling_body import RulingBody
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.core.usage_report_body import ItemUse, UsageReport
from fairframe.verify.documents import ISSUER
from fairframe.verify.trust import Trust

from .conftest import NOW_MS, made_id
from .test_films import Chain, lineage_body

Failing = Callable[[Any], set[str]]
ENTRY = canonical(
    {"seq": 0, "at": "2026-01-01T00:00:00.000Z", "kind": "k", "subject": "", "body": {}, "commitments": {}}
).decode()


def bodies(world: Any, ids: Any) -> dict[str, dict[str, Any]]:
    """An honest body of each type, a statement's aside."""
    signed = {"lease": world.lease, "feed": world.feed, "grant": world.grant}
    found = {kind: read_payload(read_envelope(made()).payload).body for kind, made in signed.items()}
    head = Head(1, leaf_hash(ENTRY.encode()).hex())
    items = [Settled(ids("itm"), "ab" * 32), Settled(ids("itm", 1), "ef" * 32, ids("dlv", 1))]
    said = AttestationBody(
        delivery=ids("dlv"),
        feed_entries=1,
        items=1,
        kept=1,
        beside=world.listed(one.line() for one in items),
        models=(Model(ids("ckp"), "cd" * 32),),
        deleted_at_ms=NOW_MS,
    )
    film = Chain(world, ids).write().with_name("film.mp4.fairframe.json").read_bytes()
    return {
        **found,
        "agreement": world.agreement_body(),
        "appeal_outcome": AppealOutcome(
            ids("apl"), ids("hld"), ids("ast"), ids("ctr"), "kept", "the hold is right", NOW_MS
        ).to_json(),
        "attestation": said.to_json(),
        "breach": breach_body(world, ids).to_json(),
        "claim_outcome": ClaimOutcome(
            ids("clm"), ids("ctr"), ids("ast"), "ab" * 32, "dismissed", "another boat", NOW_MS
        ).to_json(),
        "delivery": world.delivery([b"one", b"two"]),
        "film": read_payload(read_envelope(film).payload).body,
        "incident_outcome": incident_body(ids).to_json(),
        "lineage": lineage_body(ids),
        "log_proof": LogProof(head, Act.read(ENTRY)).to_json(),
        "model_release": release_body(ids).to_json(),
        "ruling": ruling_body(ids).to_json(),
        "usage_report": UsageReport(
            ids("ckp"),
            "harbor",
            "ab" * 32,
            "cd" * 32,
            ids("agr"),
            ids("dlv"),
            "measured",
            10,
            (ItemUse(ids("itm"), 5),),
        ).to_body(),
    }


def breach_body(world: Any, ids: Any) -> BreachBody:
    """An item that was due a day ago, as a feed of two days ago had told."""
    told = Told(ids("fed"), 1, NOW_MS - 2 * DAY_MS, "ab" * 32, 1)
    overdue = OverdueItem(ids("dlv"), ids("fed"), NOW_MS - DAY_MS, 1, ids("itm"))
    return BreachBody(ids("brc"), world.agreement_ref.id, "stop_at_next_epoch", (told,), (overdue,), None)


def ruling_body(ids: Any, **changes: Any) -> RulingBody:
    """A person looked at a clip, and allows it for a month."""
    until, named = NOW_MS + 30 * DAY_MS, ((ids("ast"), ids("rul")),)
    return replace(RulingBody("property_unknown", "allow", "a public square", NOW_MS, until, named), **changes)


def incident_body(ids: Any, **changes: Any) -> IncidentOutcome:
    """A no of two days ago that is valid from a week ago; a release, a delivery and a model came in between."""
    then = NOW_MS - 5 * DAY_MS
    found = InSpite(
        concerns=2,
        decided=(Decided(ids("rel"), "squares", ids("agr"), then, 2, 4_000),),
        delivered=(Delivered(ids("dlv"), "squares", "North Lab", then, 2, 4_000),),
        trained=(Trained(ids("ckp"), "harbor", ids("pty"), then, 30, 137),),
        assets=(ids("ast"),),
    )
    days = (NOW_MS - 7 * DAY_MS, NOW_MS - 2 * DAY_MS, NOW_MS + 28 * DAY_MS)
    said = IncidentOutcome(ids("inc"), ids("ctr"), 1, *days, "settled", "paid for the use", found, NOW_MS)
    return replace(said, **changes)


def release_body(ids: Any) -> ModelRelease:
    """A release of one file under one agreement."""
    under = (Under(ids("ckp"), ids("agr"), None),)
    terms = ("research", "fairframe-weights-draft", "world", NOW_MS)
    files = {"vae/model.safetensors": "ab" * 32}
    signed = ("ab" * 32, ids("doc"), "cd" * 32)
    return ModelRelease(ids("ckp"), "harbor", *signed, *terms, under, files, Head(1, "ef" * 32), NOW_MS)


def issued(world: Any, kind: str, body: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """A document of a kind, signed by the side that issues it, and an agreement by both."""
    by_lab = ISSUER[kind] == "lab"
    sender, recipient = (world.lab, world.library) if by_lab else (world.library, world.lab)
    own = {"id": world.agreement_ref.id} if kind == "agreement" else {}
    own |= {"audit_head": Head(1, leaf_hash(ENTRY.encode()).hex())} if kind == "log_proof" else {}
    body = bodies(world, made_id)[kind] if body is None else body
    bundle = world.bundle(kind, body, sender=sender.id, recipient=recipient.id, **{**own, **changes})
    sealed = seal(bundle, sender.private)
    return add_signature(sealed, recipient.private) if kind == "agreement" else sealed


# a statement is recomputed too: see tests/royalties
KINDS = sorted(set(ISSUER) - {"statement"})


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_document_holds(world: Any, kind: str) -> None:
    report = world.check(world.write("x.json", issued(world, kind)))
    assert report.holds, [one for one in report.findings if one.ok is False]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_under_nothing_shows_nothing(world: Any, failing: Failing, kind: str) -> None:
    assert failing(world.check(world.write("x.json", issued(world, kind, {})))) == {"document.field"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_holds_only_whole_and_with_nothing_else(world: Any, failing: Failing, kind: str) -> None:
    honest = bodies(world, made_id)[kind]
    wrong = [{**honest, "more": 1}]
    wrong += [{k: v for k, v in honest.items() if k != name} for name in honest]
    for body in wrong:
        assert failing(world.check(world.write("x.json", issued(world, kind, body)))) == {"document.field"}


RULED: dict[str, dict[str, Any]] = {
    "forever": {"expires_ms": None},
    "for too long": {"expires_ms": NOW_MS + 1_097 * DAY_MS},
    "for no time": {"expires_ms": NOW_MS},
}


@pytest.mark.parametrize("name", RULED)
def test_an_allow_holds_for_a_time_only(world: Any, failing: Failing, name: str) -> None:
    body = ruling_body(made_id, **RULED[name])
    assert failing(world.check(world.write("x.json", issued(world, "ruling", body.to_json())))) == {"ruling.expiry"}
    denied = replace(body, decision="deny").to_json()
    found = failing(world.check(world.write("x.json", issued(world, "ruling", denied))))
    assert found == (set() if name != "for no time" else {"ruling.expiry"}), "a deny may hold as long as it likes"


def test_a_ruling_allows_only_what_a_person_can(world: Any, failing: Failing) -> None:
    body = ruling_body(made_id, finding="opted_out")
    assert failing(world.check(world.write("x.json", issued(world, "ruling", body.to_json())))) == {"ruling.finding"}
    looked = ruling_body(made_id, finding="people", decision="none", assets=((made_id("ast"), ""),))
    assert world.check(world.write("x.json", issued(world, "ruling", looked.to_json()))).holds
    forever = replace(looked, expires_ms=None).to_json()
    assert failing(world.check(world.write("x.json", issued(world, "ruling", forever)))) == {"ruling.expiry"}


def test_a_ruling_of_a_wrong_form(world: Any, failing: Failing) -> None:
    asset, ruling = made_id("ast"), made_id("rul")
    for changes in (
        {"finding": "Opted out"},
        {"decision": "seen"},
        {"assets": ()},
        {"assets": ((asset, ruling), (asset, made_id("rul", 1)))},
        {"assets": ((asset, ""),)},
        {"finding": "people", "decision": "none"},
        {"valid_from_ms": 1 << 52},
        {"reason": "x" * 2_001},
    ):
        body = ruling_body(made_id, **changes).to_json()
        assert failing(world.check(world.write("x.json", issued(world, "ruling", body)))) == {"document.field"}, changes


@pytest.mark.parametrize(
    "kind, name",
    [
        ("ruling", "valid_from_ms"),
        ("appeal_outcome", "decided_at_ms"),
        ("claim_outcome", "decided_at"),
        ("incident_outcome", "settled_at_ms"),
    ],
)
def test_a_decision_is_signed_when_it_is_made(world: Any, failing: Failing, kind: str, name: str) -> None:
    body, then = bodies(world, made_id)[kind], NOW_MS - 25 * 3_600_000
    changes = {name: to_rfc3339(then) if name == "decided_at" else then}
    found = failing(world.check(world.write("x.json", issued(world, kind, {**body, **changes}))))
    assert found == {"document.decided"}


def test_an_incidents_outcome(world: Any, failing: Failing) -> None:
    honest = incident_body(made_id)
    report = world.check(world.write("x.json", issued(world, "incident_outcome", honest.to_json())))
    texts = {one.code: one.text for one in report.findings}
    assert "before its deadline" in texts["incident.deadline"]
    assert "1 releases, 1 deliveries and 1 checkpoints" in texts["incident.found"]

    def found(**changes: Any) -> set[str]:
        body = replace(honest, **changes).to_json()
        return failing(world.check(world.write("x.json", issued(world, "incident_outcome", body))))

    assert found(outcome="nothing_happened") == {"incident.found"}
    assert found(outcome="nothing_happened", found=InSpite(2, (), (), (), ())) == set()
    assert found(valid_from_ms=honest.recorded_at_ms) == {"incident.times"}
    assert found(recorded_at_ms=NOW_MS + DAY_MS) == {"incident.times"}
    assert found(due_ms=NOW_MS - 1) == set()
    late = world.check(world.write("x.json", issued(world, "incident_outcome", replace(honest, due_ms=1).to_json())))
    assert any("AFTER its deadline" in one.text for one in late.findings)


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
        if not role:
            continue  # either side issues it
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
