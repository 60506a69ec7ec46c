"""A deletion that is owed and not attested in time: derived, recorded under signature, cured by an attestation."""

from dataclasses import replace
from typing import Any

import pytest

from fairframe.core.breach_body import BreachBody, OverdueItem, Told
from fairframe.core.bundle import read_payload
from fairframe.core.canonical import canonical
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import BadDocument, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS
from fairframe.dataset import attest, attested, breaches
from fairframe.flows.verify import trust_of
from fairframe.platform import bundles
from fairframe.platform.tables import audit_entry
from fairframe.verify.registry import verify

from .conftest import PEOPLE, Loop
from .test_revocation import advance, feed, leave, refresh

ANA, BEN, _ = PEOPLE


def overdue(loop: Loop) -> list[str]:
    with loop.library.read() as tx:
        return [one.item for one in breaches.due(tx, loop.agreement).items]


def record(loop: Loop) -> tuple[bytes, BreachBody]:
    with loop.library.write() as tx:
        data = breaches.record(tx, loop.agreement)
    return data, BreachBody.from_json(read_payload(read_envelope(data).payload).body)


def nothing(loop: Loop) -> None:
    with pytest.raises(Refused) as error:
        record(loop)
    assert error.value.code == "breach.nothing"


def days(loop: Loop) -> int:
    with loop.library.read() as tx:
        from fairframe.rights import agreements

        return agreements.find(tx, loop.agreement).terms.deletion_days


@pytest.mark.usefixtures("at_lab")
def test_nobody_breaks_what_no_feed_told_them(loop: Loop) -> None:
    leave(loop, ANA)
    advance(loop, days(loop) + 1)
    assert overdue(loop) == [], "an opt-out that was never sent on is not the lab's breach"
    nothing(loop)
    feed(loop)
    advance(loop, days(loop) - 0.1)
    assert overdue(loop) == [], "the lab has its days from the feed on"
    advance(loop, 0.2)
    assert sorted(overdue(loop)) == sorted(loop.items_of(ANA))


@pytest.mark.usefixtures("at_lab")
@pytest.mark.parametrize("limit", ["MAX_RECORDED", "MAX_FEEDS"])
def test_what_one_record_cannot_hold_stands_in_the_next(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    for name in (ANA, BEN):
        leave(loop, name)
        feed(loop)
    advance(loop, days(loop) + 1)
    most = {"MAX_RECORDED": 5, "MAX_FEEDS": 1}[limit]
    monkeypatch.setattr(breaches, limit, most)
    parts = [record(loop)[1] for _ in range(2)]
    assert sorted(len(one.items) for one in parts) == ([1, 5] if limit == "MAX_RECORDED" else [2, 4])
    assert {i.item for one in parts for i in one.items} == {*loop.items_of(ANA), *loop.items_of(BEN)}
    nothing(loop)


def test_a_full_record_fits_in_a_document() -> None:
    feeds = (Told(new_id("fed"), 1, 0, "0" * 64, 10**8),)
    place = new_id("dlv")
    items = (OverdueItem(place, feeds[0].feed, n, 10**8 - n, new_id("itm")) for n in range(breaches.MAX_RECORDED))
    body = BreachBody(new_id("brc"), new_id("agr"), "stop_at_next_epoch", feeds, tuple(items), None)
    assert len(canonical(body.to_json())) * 4 // 3 < 16 * 2**20 - 100_000, "as base64 in its envelope"


@pytest.mark.usefixtures("at_lab")
def test_a_record_names_items_deadlines_and_the_feed_once(loop: Loop) -> None:
    leave(loop, ANA)
    first = read_payload(read_envelope(feed(loop).envelope).payload)
    advance(loop, 1)
    leave(loop, BEN)
    second = read_payload(read_envelope(feed(loop).envelope).payload)
    feed(loop)
    advance(loop, days(loop) - 0.5)
    data, body = record(loop)
    assert sorted(one.item for one in body.items) == sorted(loop.items_of(ANA))
    assert {one.feed for one in body.items} == {first.id} and body.feeds[0].seq == first.seq
    assert all(one.due_ms == first.issued_at_ms + days(loop) * DAY_MS for one in body.items)
    assert body.read is None and body.remedy == "stop_at_next_epoch"
    nothing(loop)
    advance(loop, 1)
    _, later = record(loop)
    assert sorted(one.item for one in later.items) == sorted(loop.items_of(BEN))
    assert {one.feed for one in later.items} == {second.id}
    with loop.library.read() as tx:
        kinds = [row["kind"] for row in tx.rows(audit_entry.select())]
        assert [(one.items, one.open, one.cured_ms) for one in breaches.listing(tx)] == [(4, 4, None), (2, 2, None)]
    assert kinds.count("breach.recorded") == 2
    path = loop.tmp / "breach.json"
    path.write_bytes(data)
    report = verify(path, trust_of(loop.lab, []), loop.lab.clock())
    assert report.holds and {one.code for one in report.findings} >= {"breach.overdue", "breach.family"}


@pytest.mark.usefixtures("at_lab")
def test_it_is_cured_when_all_is_attested(loop: Loop) -> None:
    leave(loop, ANA)
    told = feed(loop)
    advance(loop, days(loop) + 1)
    data, body = record(loop)
    with loop.lab.write() as tx:
        taken = breaches.accept(tx, data)
        assert (taken.direction, taken.open) == ("in", len(body.items)) and taken == breaches.accept(tx, data)
    refresh(loop, told)
    with loop.lab.write() as tx:
        attestation = attest.attest(tx, "squares")
        assert breaches.listing(tx)[0].cured_ms is not None
    with loop.library.write() as tx:
        assert attested.accept(tx, attestation).late == len(body.items)
        (one,) = breaches.listing(tx)
        assert one.open == 0 and one.cured_ms == tx.now_ms
    nothing(loop)
    leave(loop, BEN)
    feed(loop)
    advance(loop, days(loop) + 1)
    _, later = record(loop)
    assert later.read is not None and later.read.entries == 4, "the lab's own word of how far it had read"
    assert all(one.entry > 4 for one in later.items)


@pytest.mark.usefixtures("at_lab")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: {**body, "items": 1}, "document.field"),
        (lambda body: {**body, "statement": "the lab is a thief"}, "document.field"),
        (lambda body: {**body, "overdue": []}, "breach.feed"),
        (lambda body: {**body, "overdue": body["overdue"] * 2}, "document.field"),
        (lambda body: {**body, "feeds": [{**body["feeds"][0], "entries": 1}]}, "breach.feed"),
        (lambda body: {**body, "feeds": []}, "breach.feed"),
    ],
)
def test_a_record_that_contradicts_itself(loop: Loop, change: Any, code: str) -> None:
    leave(loop, ANA)
    feed(loop)
    advance(loop, days(loop) + 1)
    _, body = record(loop)
    with pytest.raises(BadDocument) as error:
        BreachBody.from_json(change(body.to_json()))
    assert error.value.code == code


@pytest.mark.usefixtures("at_lab")
def test_a_lab_takes_no_record_of_strangers_or_under_another_id(loop: Loop) -> None:
    leave(loop, ANA)
    feed(loop)
    advance(loop, days(loop) + 1)
    data, body = record(loop)
    with loop.library.write() as tx:
        from fairframe.rights import agreements

        ref = agreements.find(tx, loop.agreement).ref
        other = bundles.issue(tx, "breach", loop.lab.party_id, body.to_json(), ref)
    with loop.lab.write() as tx, pytest.raises(BadDocument) as error:
        breaches.accept(tx, other)
    assert error.value.code == "breach.family"
    forged = data.replace(b'"sig":"', b'"sig":"AAAA', 1)
    with loop.lab.write() as tx, pytest.raises((BadDocument, VerificationError)):
        breaches.accept(tx, forged)
    early = replace(body, items=tuple(replace(one, due_ms=one.due_ms + 999 * DAY_MS) for one in body.items))
    with loop.library.write() as tx:
        sealed = bundles.issue(tx, "breach", loop.lab.party_id, early.to_json(), ref)
    path = loop.tmp / "early.json"
    path.write_bytes(sealed)
    report = verify(path, trust_of(loop.lab, []), loop.lab.clock())
    assert [one.code for one in report.findings if one.ok is False] == ["breach.overdue"]
