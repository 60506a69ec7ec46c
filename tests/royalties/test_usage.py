"""Taking a lab's usage report: strict form, only delivered items, once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.ancestors import AncestorRef
from fairframe.core.bundle import AgreementRef
from fairframe.core.errors import BadDocument, Conflict, Refused, VerificationError
from fairframe.core.ids import new_id
from fairframe.core.usage_report_body import ItemUse, UsageReport
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace
from fairframe.royalties.tables import usage_report
from fairframe.royalties.usage import accept
from fairframe.training import reported
from fairframe.training.tables import ancestor, usage


@pytest.fixture
def delivered(world: Any, lab: Workspace) -> Any:
    """(agreement, delivery, item ids) of a delivery to the lab."""
    world.lab = lab.party_id
    with world.ws.write() as tx:
        deal = world.agree(tx)
        delivery, items = world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 1_000)])
    return deal, delivery, sorted(items)


def make(deal: str, delivery: str, items: list[tuple[str, int]], **changes: Any) -> UsageReport:
    values: dict[str, Any] = {
        "checkpoint": new_id("ckp"),
        "name": "tide",
        "weights_hash": "a" * 64,
        "lineage_digest": "b" * 64,
        "family": deal,
        "delivery": delivery,
        "method": "measured",
        "house_frames": 17,
        "items": tuple(ItemUse(*one) for one in items),
        "ancestors": (AncestorRef("house", "base-64", "c" * 64, "Apache-2.0", "disclosed", 1, 2),),
    }
    return UsageReport(**(values | changes))


def send(lab: Workspace, library: Workspace, deal: str, body: dict[str, Any]) -> bytes:
    with lab.write() as tx:
        return bundles.issue(tx, "usage_report", library.party_id, body, AgreementRef(deal, 1))


def test_a_report_becomes_checkpoint_and_usage_rows_once(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    report = make(deal, delivery, [(items[0], 24), (items[1], 48)])
    data = send(lab, world.ws, deal, report.to_body())
    with world.ws.write() as tx:
        taken = accept(tx, data)
    assert taken.new and taken.report == report and taken.agreement == deal
    with world.ws.write() as tx:
        again = accept(tx, data)
    assert (again.id, again.new) == (taken.id, False)
    with world.ws.read() as tx:
        assert len(tx.rows(usage_report.select())) == 1
        assert {(r["source"], r["item"], r["frames"]) for r in tx.rows(usage.select())} == {
            (delivery, items[0], 24), (delivery, items[1], 48), ("house", "house", 17),
        }  # fmt: skip
        row = reported.current(tx, [deal])[0]
        assert (row["public_id"], row["frames_seen"], row["party"]) == (report.checkpoint, 89, lab.party_id)
        assert tx.rows(ancestor.select())[0]["weight_den"] == 2


def test_a_corrected_report_holds_instead(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    report = make(deal, delivery, [(items[0], 24)])
    fixed = make(deal, delivery, [(items[1], 5)], checkpoint=report.checkpoint)
    first, second = (send(lab, world.ws, deal, one.to_body()) for one in (report, fixed))
    with world.ws.write() as tx:
        accept(tx, first)
        accept(tx, second)
        rows = reported.current(tx, [deal])
        assert [row["frames_seen"] for row in rows] == [22]
    with world.ws.write() as tx, pytest.raises(Conflict):
        other = make(deal, delivery, [(items[1], 5)], checkpoint=report.checkpoint, weights_hash="d" * 64)
        accept(tx, send(lab, world.ws, deal, other.to_body()))


def test_an_older_number_is_stale(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    old, new = (send(lab, world.ws, deal, make(deal, delivery, [(items[0], n)]).to_body()) for n in (1, 2))
    with world.ws.write() as tx:
        accept(tx, new)
    with world.ws.write() as tx, pytest.raises(VerificationError) as caught:
        accept(tx, old)
    assert caught.value.code == "usage.stale"


def test_reports_on_two_checkpoints_arrive_in_any_order(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    reports = [make(deal, delivery, [(items[0], n)], weights_hash=str(n) * 64) for n in (1, 2)]
    first, second = (send(lab, world.ws, deal, one.to_body()) for one in reports)
    with world.ws.write() as tx:
        accept(tx, second)
        accept(tx, first)
        assert [row["frames_seen"] for row in reported.current(tx, [deal])] == [19, 18]


def test_what_was_not_delivered_is_refused_and_leaves_nothing(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    with world.ws.write() as tx:
        other, _ = world.deliver(tx, world.agree(tx), [("cyd-1", 0, 5)])
        world.lab = "pty_" + "1" * 26
        foreign, foreign_items = world.deliver(tx, deal, [("ann-1", 0, 5)])
    stray = new_id("itm")
    cases = [
        (make(deal, delivery, sorted([(items[0], 1), (stray, 1)])), "not delivered"),
        (make(deal, new_id("dlv"), [(items[0], 1)]), "not made here"),
        (make(deal, other, []), "made under"),
        (make(deal, foreign, [(foreign_items[0], 1)]), "another party"),
        (make(new_id("agr"), delivery, [(items[0], 1)]), "family"),
    ]
    for report, words in cases:
        data = send(lab, world.ws, deal, report.to_body())
        with pytest.raises(Refused, match=words), world.ws.write() as tx:
            accept(tx, data)
    with world.ws.read() as tx:
        assert not tx.rows(usage_report.select()) and not tx.rows(usage.select())


def test_a_malformed_body_is_refused(delivered: Any, world: Any, lab: Workspace) -> None:
    deal, delivery, items = delivered
    good = make(deal, delivery, [(items[0], 1), (items[1], 2)]).to_body()
    twice = [{"item": items[0], "frames": 1}, {"item": items[0], "frames": 2}]
    changes: list[dict[str, Any]] = [
        {"frames": 21},
        {"items": good["items"][::-1]},
        {"items": twice},
        {"items": [{"item": items[0], "frames": 0}], "frames": 17},
        {"items": [{"item": items[0], "frames": -3}], "frames": 14},
        {"items": [{"item": "x", "frames": 3}], "frames": 20},
        {"method": "guessed"},
        {"extra": 1},
        {"weights_hash": "zz"},
        {"name": "a\nb"},
        {"house_frames": True},
        {"ancestors": [{**good["ancestors"][0], "weight_num": 3}]},
        {"ancestors": [{**good["ancestors"][0], "kind": "friend"}]},
    ]
    for change in changes:
        data = send(lab, world.ws, deal, good | change)
        with pytest.raises(BadDocument), world.ws.write() as tx:
            accept(tx, data)
    for name in good:
        with pytest.raises(BadDocument):
            UsageReport.from_body({key: value for key, value in good.items() if key != name})


@settings(max_examples=40)
@given(
    frames=st.lists(st.integers(1, 10**9), max_size=10),
    house=st.integers(0, 10**9),
    method=st.sampled_from(["measured", "attested", "declared"]),
)
def test_the_body_reads_back(frames: list[int], house: int, method: str) -> None:
    items = sorted((new_id("itm"), n) for n in frames)
    report = make(new_id("agr"), new_id("dlv"), items, house_frames=house, method=method)
    assert UsageReport.from_body(report.to_body()) == report
