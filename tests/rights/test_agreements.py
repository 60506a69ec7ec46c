"""Offer, countersign, accept: what both keys signed, and everything that is refused."""

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fairframe.core import dsse
from fairframe.core.bundle import PAYLOAD_TYPE, read_payload
from fairframe.core.canonical import canonical
from fairframe.core.errors import BadDocument, FairframeError, Refused
from fairframe.core.money import parse_money
from fairframe.core.time import DAY_MS
from fairframe.platform import identity
from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.rights.agreement import Agreement

FEE = parse_money("10000.00", "USD")


def offered(library: Workspace, lab: Workspace, name: str = "research", **options: object) -> bytes:
    with library.write() as tx:
        return agreements.offer(tx, name, lab_party=lab.party_id, fee=FEE, **options)  # type: ignore[arg-type]


def signed_by(lab: Workspace, envelope: bytes) -> bytes:
    with lab.write() as tx:
        return agreements.countersign(tx, envelope)


def taken(library: Workspace, envelope: bytes) -> Agreement:
    with library.write() as tx:
        return agreements.accept(tx, envelope)


def agreed(library: Workspace, lab: Workspace, name: str = "research", **options: object) -> Agreement:
    return taken(library, signed_by(lab, offered(library, lab, name, **options)))


def code_of(act: object) -> str:
    with pytest.raises(FairframeError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code


def test_both_sides_hold_the_same_active_agreement(library: Workspace, lab: Workspace) -> None:
    ours = agreed(library, lab)
    with lab.read() as tx:
        theirs = agreements.find(tx, ours.public_id)
    assert ours.signed == theirs.signed
    assert ours.terms == theirs.terms and ours.fee == theirs.fee == FEE
    assert ours.family == ours.public_id and ours.upgrade_of is None
    assert ours.state(library.clock()) == theirs.state(lab.clock()) == "active"
    assert len(dsse.read_envelope(ours.signed or b"").signatures) == 2
    with library.read() as tx:
        kinds = [row["kind"] for row in tx.rows(audit_entry.select()) if row["subject"] == ours.public_id]
    assert kinds == ["document.sent", "agreement.offered", "agreement.countersigned", "agreement.active"]


def test_taking_and_signing_again_changes_nothing(library: Workspace, lab: Workspace) -> None:
    offer = offered(library, lab)
    first, again = signed_by(lab, offer), signed_by(lab, offer)
    assert first == again
    assert taken(library, first) == taken(library, first)


def test_time_decides_expiry(library: Workspace, lab: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    found = agreed(library, lab)
    assert found.state(found.ends_ms - 1) == "active"
    assert found.state(found.ends_ms) == "expired"
    assert found.ended_ms(found.ends_ms) == found.ends_ms
    clock.now = found.ends_ms
    with library.read() as tx:
        assert agreements.active_in_family(tx, found.family) is None


def test_an_agreement_that_starts_later_is_pending(library: Workspace, lab: Workspace) -> None:
    found = agreed(library, lab, starts_ms=library.clock() + 5 * DAY_MS)
    assert found.state(library.clock()) == "pending"
    assert found.active(library.clock() + 5 * DAY_MS)


def test_an_upgrade_shares_the_family_and_governs_it(library: Workspace, lab: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    first = agreed(library, lab)
    clock.advance(DAY_MS)
    second = agreed(library, lab, "commercial", upgrade_of=first.public_id)
    assert second.family == first.family and second.public_id != first.public_id
    for ws in (library, lab):
        with ws.read() as tx:
            governing = agreements.active_in_family(tx, first.family)
        assert governing is not None and governing.public_id == second.public_id
    with library.write() as tx:
        agreements.terminate(tx, second.public_id, "breach")
    with library.read() as tx:
        governing = agreements.active_in_family(tx, first.family)
        assert governing is not None and governing.public_id == first.public_id


def test_refuses_another_labs_upgrade(library: Workspace, lab: Workspace, make_workspace) -> None:  # type: ignore[no-untyped-def]
    first = agreed(library, lab)
    other = second_lab(library, make_workspace)
    assert code_of(lambda: offered(library, other, upgrade_of=first.public_id)) == "agreement.upgrade"


def test_refuses_an_upgrade_of_what_is_over(library: Workspace, lab: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    first = agreed(library, lab)
    clock.now = first.ends_ms
    assert code_of(lambda: offered(library, lab, upgrade_of=first.public_id)) == "agreement.upgrade"


def test_refuses_a_lab_that_is_not_pinned(library: Workspace, make_workspace) -> None:  # type: ignore[no-untyped-def]
    stranger = make_workspace("lab", "Stranger")
    assert code_of(lambda: offered(library, stranger)) == "trust.unknown"


def test_refuses_the_wrong_lab(library: Workspace, lab: Workspace, make_workspace) -> None:  # type: ignore[no-untyped-def]
    other = second_lab(library, make_workspace)
    offer = offered(library, lab)
    assert code_of(lambda: signed_by(other, offer)) == "bundle.recipient"
    _, key = other.keys.signing_key()
    forged = dsse.add_signature(offer, key)
    assert code_of(lambda: taken(library, forged)) == "agreement.wrong_signer"


def test_refuses_an_unsigned_offer_and_an_unknown_key(library: Workspace, lab: Workspace) -> None:
    from fairframe.core import keys

    offer = offered(library, lab)
    assert code_of(lambda: taken(library, offer)) == "agreement.wrong_signer"
    assert code_of(lambda: taken(library, dsse.add_signature(offer, keys.generate()))) == "agreement.wrong_signer"


@pytest.mark.parametrize("resign", [False, True])
def test_refuses_an_altered_payload(library: Workspace, lab: Workspace, resign: bool) -> None:
    offer = offered(library, lab)
    envelope = json.loads(signed_by(lab, offer))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["body"]["fee_minor"] = 1
    _, key = lab.keys.signing_key()
    if resign:
        altered = dsse.sign(PAYLOAD_TYPE, canonical(payload), key)
    else:
        envelope["payload"] = base64.b64encode(canonical(payload)).decode()
        altered = canonical(envelope)
    assert code_of(lambda: taken(library, altered)) == "agreement.altered"
    assert code_of(lambda: signed_by(lab, altered)) in ("dsse.bad_signature", "bundle.wrong_key", "bundle.conflict")


def test_refuses_what_was_signed_too_late(library: Workspace, lab: Workspace, clock) -> None:  # type: ignore[no-untyped-def]
    offer = offered(library, lab)
    signed = signed_by(lab, offer)
    second = offered(library, lab)
    clock.advance(30 * DAY_MS)
    assert code_of(lambda: taken(library, signed)) == "agreement.not_open"
    assert code_of(lambda: signed_by(lab, second)) == "agreement.not_open"
    with lab.read() as tx:
        assert len(agreements.listing(tx)) == 1


def test_a_withdrawn_offer_cannot_be_accepted(library: Workspace, lab: Workspace) -> None:
    signed = signed_by(lab, offered(library, lab))
    with library.write() as tx:
        agreements.withdraw(tx, agreements.listing(tx)[0].public_id, "a better one follows")
    assert code_of(lambda: taken(library, signed)) == "agreement.not_open"


def test_only_the_right_side_can_act(library: Workspace, lab: Workspace) -> None:
    offer = offered(library, lab)
    assert code_of(lambda: signed_by(library, offer)) == "input.wrong_role"
    assert code_of(lambda: taken(lab, offer)) == "input.wrong_role"
    assert code_of(lambda: offered(lab, library)) == "input.wrong_role"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", "commercial"),
        ("ends_at", "2030-01-01T00:00:00.000Z"),
        ("family", "agr_00000000000000000000000000"),
        ("fee_minor", -1),
        ("currency", "XXX"),
        ("extra", 1),
        ("terms", {"purpose": "research"}),
    ],
)
def test_a_library_cannot_offer_what_contradicts_itself(
    library: Workspace, lab: Workspace, field: str, value: object
) -> None:
    """A hostile library signs nonsense with its true key: the lab refuses to countersign."""
    payload = json.loads(dsse.read_envelope(offered(library, lab)).payload)
    payload["body"][field] = value
    payload["seq"] += 1
    _, key = library.keys.signing_key()
    hostile = dsse.sign(PAYLOAD_TYPE, canonical(payload), key)
    with pytest.raises(BadDocument):
        signed_by(lab, hostile)
    with lab.read() as tx:
        assert agreements.listing(tx) == []


@pytest.mark.parametrize("junk", [b"", b"{}", b"\xff\xfe", b'{"payload":1}', b"[" * 100_000])
def test_junk_is_refused(library: Workspace, lab: Workspace, junk: bytes) -> None:
    assert code_of(lambda: signed_by(lab, junk)) == "dsse.malformed"
    assert code_of(lambda: taken(library, junk)) == "dsse.malformed"


def amended(library: Workspace, lab: Workspace, older: Agreement, **changes: object) -> Agreement:
    with library.write() as tx:
        envelope = agreements.amend(tx, older.public_id, changes)
    return taken(library, signed_by(lab, envelope))


def test_an_amendment_takes_the_older_versions_place(library: Workspace, lab: Workspace, clock: Any) -> None:
    first = agreed(library, lab)
    clock.advance(DAY_MS)
    second = amended(library, lab, first, hour_cap=200, term_days=400)
    assert (second.version, second.upgrade_of, second.family) == (2, first.public_id, first.family)
    assert (second.starts_ms, second.ends_ms) == (first.starts_ms, first.starts_ms + 400 * DAY_MS)
    assert (second.terms.hour_cap, second.fee.minor) == (200, 0)
    third = amended(library, lab, second, min_short_side=300)
    for ws in (library, lab):
        with ws.read() as tx:
            held = [agreements.find(tx, one.public_id) for one in (first, second, third)]
            governing = agreements.active_in_family(tx, first.family)
            assert governing == held[2] and [one.version for one in agreements.versions(tx, held[2])] == [3, 2, 1]
            assert agreements.standing(tx, held[0]) == "active", "what was trained under it stays for its term"
        assert [one.state(ws.clock()) for one in held] == ["amended", "amended", "active"]
        assert (held[0].terms, held[0].signed) == (first.terms, first.signed), "the older one stays readable"
    with library.write() as tx:
        agreements.terminate(tx, third.public_id, "breach")
    with library.read() as tx:
        assert agreements.active_in_family(tx, first.family) is None, "no older version comes back"
        assert agreements.family_ended_ms(tx, first.family) is not None


def test_only_the_newest_version_is_amended_and_its_purpose_stays(library: Workspace, lab: Workspace) -> None:
    first = agreed(library, lab)
    amended(library, lab, first, hour_cap=200)

    def amend(**changes: object) -> Callable[[], object]:
        def act() -> None:
            with library.write() as tx:
                newest = agreements.active_in_family(tx, first.family)
                assert newest is not None
                agreements.amend(tx, newest.public_id, changes)

        return act

    assert code_of(lambda: amended(library, lab, first, hour_cap=300)) == "agreement.upgrade"
    for changes in ({"purpose": "commercial"}, {"hour_cap": 0}, {"hour_cap": 200}, {"nonsense": 1}, {}):
        assert code_of(amend(**changes)) == "input.bad_terms"


def test_of_two_amendments_of_one_version_one_comes_into_force(library: Workspace, lab: Workspace) -> None:
    first = agreed(library, lab)
    with library.write() as tx:
        offers = [agreements.amend(tx, first.public_id, {"hour_cap": cap}) for cap in (200, 300)]
    signed = signed_by(lab, offers[0])
    assert code_of(lambda: signed_by(lab, offers[1])) == "agreement.version"
    taken(library, signed)


def exclusive(library: Workspace, lab: Workspace, exclusive: str, **more: object) -> bytes:
    """An offer of a workspace's own, less or more exclusive."""
    from fairframe.rights.offers import SHIPPED

    (library.root / "offers").mkdir(exist_ok=True)
    text = (SHIPPED / "research.toml").read_text().replace('exclusive = "none"', f'exclusive = "{exclusive}"')
    for name, value in more.items():
        text = text.replace(f'{name} = "world"', f'{name} = "{value}"')
    (library.root / "offers" / "research.toml").write_text(text)
    return offered(library, lab)


def test_two_agreements_that_clash_cannot_both_come_into_force(
    library: Workspace, lab: Workspace, make_workspace
) -> None:  # type: ignore[no-untyped-def]
    other = second_lab(library, make_workspace)
    early, late = exclusive(library, lab, "purpose"), exclusive(library, other, "none")
    apart = exclusive(library, other, "purpose", territory="US")
    both = [signed_by(lab, early), signed_by(other, late), signed_by(other, apart)]
    first = taken(library, both[0])
    with pytest.raises(Refused) as caught:
        taken(library, both[1])
    assert caught.value.code == "agreement.clash"
    explained = " ".join(caught.value.reasons)
    for part in (first.public_id, "exclusive for its purpose", "purpose: research", "world", "the whole library"):
        assert part in explained
    assert code_of(lambda: taken(library, both[2])) == "agreement.clash"
    assert code_of(lambda: exclusive(library, other, "none")) == "agreement.clash", "nor is it offered any more"
    assert exclusive(library, lab, "any_use"), "the same lab may have another one"
    with library.write() as tx:
        agreements.terminate(tx, first.public_id, "by consent")
    assert taken(library, both[1]).state(library.clock()) == "active"


def second_lab(library: Workspace, make_workspace) -> Workspace:  # type: ignore[no-untyped-def]
    make_workspace.tmp_path = make_workspace.tmp_path / "second"
    other = make_workspace("lab", "South Lab")
    for one, two in ((other, library), (library, other)):
        with one.write() as tx:
            identity.pin(tx, (two.root / "party.json").read_bytes())
    return other


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_began_earlier_sees_what_was_decided_meanwhile(library: Workspace, lab: Workspace, clock: Any) -> None:
    """On SQLite a writer that begins is the only one."""
    signed = [signed_by(lab, offered(library, lab)) for _ in range(2)]
    ids = [read_payload(dsse.read_envelope(one).payload).id for one in signed]

    def overtaken(earlier: Callable[[WriteTx], object], later: Callable[[WriteTx], object]) -> str:
        def act() -> None:
            clock.advance(1_000)
            with library.write() as tx:
                clock.advance(1_000)
                with library.write() as other:
                    later(other)
                earlier(tx)

        return code_of(act)

    def accept(number: int) -> Callable[[WriteTx], object]:
        return lambda tx: agreements.accept(tx, signed[number])

    def end(number: int, how: Callable[[WriteTx, str, str], None]) -> Callable[[WriteTx], object]:
        return lambda tx: how(tx, ids[number], "so it is")

    assert overtaken(accept(0), end(0, agreements.withdraw)) == "agreement.not_open"
    assert overtaken(end(1, agreements.withdraw), accept(1)) == "agreement.not_open"
    assert overtaken(end(1, agreements.terminate), end(1, agreements.terminate)) == "agreement.ended"


def test_an_offer_is_either_taken_or_withdrawn(library: Workspace, lab: Workspace) -> None:
    signed = signed_by(lab, offered(library, lab))
    public_id = read_payload(dsse.read_envelope(signed).payload).id
    met: list[str] = []
    late = threading.Thread(target=lambda: met.append(code_of(lambda: taken(library, signed))))
    with library.write() as tx:
        agreements.withdraw(tx, public_id, "another lab took it")
        late.start()
        late.join(0.5)
        assert late.is_alive()
    late.join(30)
    assert met == ["agreement.not_open"]
