"""Revenue of a model goes along its lineage; a refund takes by the weights that gave; weights are committed."""

from typing import Any

import pytest

from fairframe.core.merkle_sum import SumTree, verify
from fairframe.core.money import MICRO
from fairframe.royalties import allocate, ledger, revenue
from fairframe.royalties.about import About
from fairframe.royalties.denominators import cut
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line
from fairframe.royalties.trial import trial
from fairframe.training.tables import ancestor, checkpoint, usage

from .test_allocate import owed

BASE, TUNED = "ckp_" + "0" * 25 + "1", "ckp_" + "0" * 25 + "2"
SPANS = [("ann-1", 0, 3_000), ("bob-1", 0, 4_000), ("cyd-1", 0, 1_001)]


def reported(
    tx: Any, world: Any, deal: str, delivery: str, public_id: str, frames: dict[str, int], *, house: int = 0,
    made_of: tuple[tuple[str, str, int, int], ...] = (), method: str = "measured", family: str = "",
) -> None:  # fmt: skip
    """made_of: (kind, weights hash, weight's numerator, denominator) of its ancestors."""
    row = tx.insert(
        checkpoint, public_id=public_id, direction="reported", party=world.lab, name=f"model {public_id[-1]}",
        weights_hash=f"hash of {public_id}"[:60], lineage="", family=family or deal, agreement=deal, delivery=delivery,
        frames_seen=sum(frames.values()) + house,
    )  # fmt: skip
    for name, count in frames.items():
        tx.insert(usage, checkpoint_id=row, source=delivery, item=name, frames=count, method=method)
    if house:
        tx.insert(usage, checkpoint_id=row, source="house", item="house", frames=house, method=method)
    for kind, hash, num, den in made_of:
        tx.insert(
            ancestor, checkpoint_id=row, kind=kind, name=f"{kind} {hash[-1]}", hash=hash, license="", data="disclosed",
            weight_num=num, weight_den=den, role=None,
        )  # fmt: skip


def sold(world: Any, tx: Any, deal: str, amount: str, reference: str = "SUB-1") -> revenue.Booked:
    about = About("subscription", model=TUNED)
    return revenue.book(tx, deal, world.usd(amount), reference, about=about)


def refund(world: Any, tx: Any, deal: str, amount: str, of: str, reference: str, kind: str = "refund") -> Any:
    return revenue.book(tx, deal, world.usd(amount), reference, about=About(kind, of=of))


@pytest.fixture
def deal(world: Any) -> str:
    with world.ws.write() as tx:
        found: str = world.agree(tx, purpose="commercial")
        world.delivery, world.items = world.deliver(tx, found, SPANS)
    return found


def test_a_fine_tunings_base_is_paid_too(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        reported(tx, world, deal, world.delivery, BASE, {world.items[0]: 600}, house=200, method="attested")
        # 800 frames of the base, 100 of the house's own, 100 of this run: 10 of them for bob, 40 for cyd, 50 house
        parts = (("checkpoint", f"hash of {BASE}", 8, 10), ("house", "h", 1, 10), ("external", "x", 0, 1))
        reported(
            tx, world, deal, world.delivery, TUNED, {world.items[1]: 10, world.items[2]: 40}, house=50, made_of=parts
        )
        booked = sold(world, tx, deal, "65.00")
    assert len(allocate.allocate(world.ws)) == 1
    # every frame counts alike: 600, 10, 40 of 650 that were delivered here
    assert owed(world) == {"ann": 1200 * MICRO, "bob": 20 * MICRO, "cyd": 80 * MICRO}
    with world.ws.read() as tx:
        row = tx.rows(allocation.select())[0]
        assert trial(tx).ok and ledger.balance_of(tx, ledger.pool(booked.id), "USD") == 0
    assert (row["method"], row["weight_total"]) == ("lineage", 650 * 10**9)
    runs = {one["checkpoint"]: one for one in row["detail"]["runs"]}
    assert {key: (one["usage"], one["counted"], one["part"]) for key, one in runs.items()} == {
        BASE: ("attested", "told", str(8 * 10**11)),
        TUNED: ("measured", "model", str(10**11)),
    }
    assert (runs[BASE]["frames"], runs[BASE]["delivered_frames"]) == ("800", "600")
    assert [(one["kind"], one["part"]) for one in row["detail"]["not_paid"]] == [
        ("house", str(10**11)),
        ("external", None),
    ]


def test_what_another_lab_says_of_an_ancestor_counts_for_nothing(world: Any, deal: str) -> None:
    """A hash is public: whoever reports it first would else steer another lab's royalties."""
    other = "pty_" + "0" * 25 + "7"
    with world.ws.write() as tx:
        theirs, world.lab = world.lab, other
        foreign = world.agree(tx, purpose="commercial")
        delivery, items = world.deliver(tx, foreign, [("eve-1", 0, 9_000)])
        reported(tx, world, foreign, delivery, BASE, {items[0]: 1_000_000})
        world.lab = theirs
        parts = (("checkpoint", f"hash of {BASE}", 9, 10),)
        reported(tx, world, deal, world.delivery, TUNED, {world.items[1]: 10}, made_of=parts)
        sold(world, tx, deal, "10.00")
    assert len(allocate.allocate(world.ws)) == 1
    assert owed(world)["bob"] == 200 * MICRO and not owed(world).get("eve")
    with world.ws.read() as tx:
        detail = tx.rows(allocation.select())[0]["detail"]
    assert [one["checkpoint"] for one in detail["runs"]] == [TUNED]
    assert [(one["kind"], one["part"]) for one in detail["not_paid"]] == [("checkpoint", str(9 * 10**11))]


def test_a_lab_that_calls_its_own_base_external_pays_for_it_too(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        reported(tx, world, deal, world.delivery, BASE, {world.items[0]: 90})
        parts = (("external", f"hash of {BASE}", 9, 10),)
        reported(tx, world, deal, world.delivery, TUNED, {world.items[1]: 10}, made_of=parts)
        sold(world, tx, deal, "10.00")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 180 * MICRO, "bob": 20 * MICRO}


def test_what_no_report_tells_stays_pending_and_a_corrected_report_counts(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        reported(tx, world, deal, world.delivery, TUNED, {}, house=10)
        sold(world, tx, deal, "10.00")
    assert allocate.allocate(world.ws) == []
    with world.ws.write() as tx:
        assert "no usage report tells" in allocate.pending(tx)[0].pending
        row = tx.insert(
            checkpoint, public_id="ckp_" + "0" * 25 + "9", direction="reported", party=world.lab, name="corrected",
            weights_hash=f"hash of {TUNED}", lineage="", family=deal, agreement=deal, delivery=world.delivery,
            frames_seen=5,
        )  # fmt: skip
        tx.insert(usage, checkpoint_id=row, source=world.delivery, item=world.items[1], frames=5, method="measured")
    assert len(allocate.allocate(world.ws)) == 1
    assert owed(world) == {"bob": 200 * MICRO}


def test_a_run_that_is_its_own_ancestor_holds_up_its_revenue_only(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        loop = (("checkpoint", f"hash of {TUNED}", 1, 2),)
        reported(tx, world, deal, world.delivery, TUNED, {world.items[0]: 5}, made_of=loop)
        sold(world, tx, deal, "10.00")
        world.book(tx, deal, "10.00")
    done = allocate.allocate_all(world.ws)
    assert "its own ancestor" in done[0].pending and done[1].allocation


def test_a_refund_in_full_leaves_nobody_a_unit(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        world.book(tx, deal, "100.01", "INV-1")
    allocate.allocate(world.ws)
    given = owed(world)
    with world.ws.write() as tx:
        world.deliver(tx, deal, [("dot-1", 0, 9_000)])  # what is delivered since then weighs nothing in it
        taken = refund(world, tx, deal, "100.01", "INV-1", "RF-1")
    assert len(allocate.allocate(world.ws)) == 1
    assert all(given.values()) and owed(world) == dict.fromkeys(given, 0)
    with world.ws.read() as tx:
        before, after = tx.rows(allocation.select().order_by(allocation.c.id))
        assert trial(tx).ok and ledger.balance_of(tx, ledger.pool(taken.id), "USD") == 0
        lines = tx.rows(allocation_line.select().where(allocation_line.c.allocation_id == after["id"]))
        assets = tx.rows(allocation_asset.select().where(allocation_asset.c.allocation_id == after["id"]))
    assert after["pool_micro"] == -before["pool_micro"] == taken.pool_micro
    assert (after["salt"], after["weight_total"]) == (before["salt"], before["weight_total"])
    assert after["detail"]["weights_of"] == before["public_id"]
    assert after["detail"]["weights_root"] == before["detail"]["weights_root"]
    assert sum(one["amount_micro"] for one in lines) == sum(one["amount_micro"] for one in assets) == taken.pool_micro


def test_a_refund_in_parts_waits_for_what_it_takes_from(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        world.book(tx, deal, "10.00", "INV-1")
        refund(world, tx, deal, "3.33", "INV-1", "RF-1")
        first = refund(world, tx, deal, "3.33", "INV-1", "CB-1", "chargeback")
        assert "takes from" in allocate.allocate_event(tx, first.id).pending
    assert len(allocate.allocate(world.ws)) == 3
    held = owed(world)
    pool = 200 * MICRO - 2 * 66_600_000
    assert sum(held.values()) == pool
    for name, weight in {"ann": 3_000, "bob": 4_000, "cyd": 1_001}.items():
        assert abs(held[name] - pool * weight / 8_001) < 3


def test_a_refund_of_a_models_revenue_goes_back_along_its_lineage(world: Any, deal: str) -> None:
    with world.ws.write() as tx:
        reported(tx, world, deal, world.delivery, TUNED, {world.items[0]: 5, world.items[1]: 15})
        sold(world, tx, deal, "10.00")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        refund(world, tx, deal, "5.00", "SUB-1", "RF-1")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 25 * MICRO, "bob": 75 * MICRO}
    with world.ws.read() as tx:
        row = tx.rows(allocation.select().order_by(allocation.c.id))[-1]
    assert row["method"] == "lineage" and row["detail"]["runs"][0]["checkpoint"] == TUNED


def test_an_allocation_commits_to_every_weight_and_says_where_it_was_cut(world: Any, deal: str) -> None:
    from fairframe.platform.tables import audit_entry

    with world.ws.write() as tx:
        world.book(tx, deal, "10.01")
    allocate.allocate(world.ws)
    with world.ws.read() as tx:
        row = tx.rows(allocation.select())[0]
        lines = tx.rows(allocation_line.select())
        entry = tx.rows(audit_entry.select().where(audit_entry.c.kind == "allocation.made"))[0]
    weights = sorted((one["contributor_pseudonym"], one["weight"]) for one in lines)
    tree = SumTree(weights)
    root = bytes.fromhex(row["detail"]["weights_root"])
    assert (tree.root, tree.total) == (root, row["weight_total"])
    assert row["detail"]["weights_root"] in str(entry["body"])
    assert all(verify(name, weight, tree.proof(name), root, row["weight_total"]) for name, weight in weights)
    extra, cutoff = cut(row["pool_micro"], row["weight_total"], bytes.fromhex(row["salt"]), weights)
    assert extra > 0 and cutoff is not None
    told = cutoff.to_json()
    assert (row["detail"]["extra_units"], row["detail"]["cutoff"]) == (str(extra), told)


def test_a_blend_is_paid_by_both_parts_and_waits_for_each(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, basis="1/4 clips + 3/4 usage")
        delivery, items = world.deliver(tx, deal, [("ann-1", 0, 3_000), ("bob-1", 0, 1_000)])
        world.book(tx, deal, "10.00")
    assert allocate.allocate(world.ws) == []
    with world.ws.write() as tx:
        assert "no usage report" in allocate.pending(tx)[0].pending
        reported(tx, world, deal, delivery, BASE, {items[1]: 7})
    assert len(allocate.allocate(world.ws)) == 1
    assert owed(world) == {"ann": 25 * MICRO, "bob": 175 * MICRO}
    with world.ws.read() as tx:
        row = tx.rows(allocation.select())[0]
    assert (row["method"], row["weight_total"]) == ("1/4 clips + 3/4 usage", 4 * 10**12)
