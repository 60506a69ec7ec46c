"""Allocation over real rows: who gets what, what stays pending, and that it happens once."""

from typing import Any

import pytest

from fairframe.core.errors import IntegrityFailure
from fairframe.core.money import MICRO
from fairframe.dataset.tables import feed_entry
from fairframe.platform import audit
from fairframe.platform.tables import run
from fairframe.rights.tables import agreement, consent_event
from fairframe.royalties import allocate, allocation_rows, balance, bulk, compare, facts, ledger, revenue, scores
from fairframe.royalties.about import About
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.methods import METHODS
from fairframe.royalties.methods.values import Delivered, Facts
from fairframe.royalties.split import Owner, claims, split
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line, ledger_txn
from fairframe.royalties.trial import trial
from fairframe.training.tables import checkpoint, usage

SPANS = [("ann-1", 0, 3_000), ("ann-2", 0, 1_000), ("bob-1", 0, 4_000), ("cyd-1", 0, 1)]


def owed(world: Any) -> dict[str, int]:
    """Name -> what is owed, in micro units."""
    with world.ws.read() as tx:
        held = {one.account: -one.amount_micro for one in ledger.balances(tx)}
    return {
        name: held[ledger.accrued(row["public_id"])]
        for name, row in world.contributors.items()
        if ledger.accrued(row["public_id"]) in held
    }


def test_a_fee_is_split_by_delivered_milliseconds(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, SPANS)
        booked = world.book(tx, deal, "10000.00")
    made = allocate.allocate(world.ws)
    assert len(made) == 1
    pool = booked.pool_micro
    assert owed(world) == {
        "ann": pool * 4000 // 8001,
        "bob": pool * 4000 // 8001,
        "cyd": pool - 2 * (pool * 4000 // 8001),
    }
    with world.ws.read() as tx:
        assert trial(tx).ok
        assert ledger.balance_of(tx, ledger.pool(booked.id), "USD") == 0
        row = tx.rows(allocation.select())[0]
        assert (row["method"], row["pool_micro"], row["weight_total"]) == ("delivered_ms", pool, 8001)
        lines = {r["contributor_id"]: r["amount_micro"] for r in tx.rows(allocation_line.select())}
        assets: dict[int, int] = {}
        for r in tx.rows(allocation_asset.select()):
            assets[r["contributor_id"]] = assets.get(r["contributor_id"], 0) + r["amount_micro"]
        assert assets == lines and sum(lines.values()) == pool
    assert allocate.allocate(world.ws) == []
    with world.ws.write() as tx:
        assert allocate.allocate_event(tx, booked.id).allocation is None


def test_nothing_delivered_stays_pending_until_it_is(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.book(tx, deal, "10.00")
        assert "not allocated yet" in allocate.pending(tx)[0].pending
    assert allocate.allocate(world.ws) == []
    with world.ws.read() as tx:
        assert "nothing was delivered" in allocate.pending(tx)[0].pending
        assert "nothing was delivered" in balance.balance(tx).pending[0].words
    with world.ws.write() as tx:
        world.deliver(tx, deal, SPANS)
    assert len(allocate.allocate(world.ws)) == 1
    with world.ws.read() as tx:
        assert allocate.pending(tx) == []


def test_an_opt_out_after_delivery_changes_no_earned_payment(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        delivery, items = world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "10000.00")
    with world.ws.write() as tx:
        tx.insert(
            consent_event, public_id="cns_x", scope="contributor", contributor_id=world.contributors["bob"]["id"],
            purpose="*", action="*", effect="deny", reason="", valid_from_ms=tx.now_ms,
        )  # fmt: skip
        tx.insert(
            feed_entry, direction="out", family=deal, seq=1, delivery=delivery, item=items[2], reason="opt-out",
            effective_ms=tx.now_ms,
        )  # fmt: skip
    allocate.allocate(world.ws)
    assert owed(world)["bob"] == owed(world)["ann"] > 0


def test_the_same_span_delivered_twice_counts_once(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 1_000)])
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("ann-1", 100, 500)])
        world.book(tx, deal, "15.00")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 180 * MICRO, "bob": 120 * MICRO}


def test_an_upgrade_pays_for_what_its_forerunner_delivered(world: Any) -> None:
    with world.ws.write() as tx:
        first = world.agree(tx)
        world.deliver(tx, first, [("ann-1", 0, 1_000)])
        upgrade = world.agree(tx, upgrade_of=first, purpose="commercial")
        other = world.agree(tx)
        world.deliver(tx, other, [("bob-1", 0, 1_000)])
        world.book(tx, upgrade, "5.00")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 100 * MICRO}


def test_shared_assets_are_paid_by_their_shares_at_the_time(world: Any, clock: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 3_000), ("bob-1", 0, 1_000)])
        world.own(tx, "ann-1", tx.now_ms - 10, ann=(1, 1))
        world.own(tx, "ann-1", tx.now_ms - 5, ann=(2, 3), dot=(1, 3))
        world.own(tx, "ann-1", tx.now_ms + 500, dot=(1, 1))
        world.book(tx, deal, "20.00", "first")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 200 * MICRO, "bob": 100 * MICRO, "dot": 100 * MICRO}
    clock.advance(1_000)
    with world.ws.write() as tx:
        world.book(tx, deal, "20.00", "second")
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 200 * MICRO, "bob": 200 * MICRO, "dot": 400 * MICRO}


def test_shares_that_do_not_sum_to_one_hold_up_that_event_only(world: Any) -> None:
    with world.ws.write() as tx:
        bad, good = world.agree(tx), world.agree(tx)
        world.deliver(tx, bad, [("ann-1", 0, 1_000)])
        world.own(tx, "ann-1", 0, ann=(1, 2), dot=(1, 3))
        world.deliver(tx, good, [("bob-1", 0, 1_000)])
        world.book(tx, bad, "1.00")
        world.book(tx, good, "1.00")
    done = allocate.allocate_all(world.ws)
    assert "do not sum to one" in done[0].pending and world.assets["ann-1"]["public_id"] in done[0].pending
    assert owed(world) == {"bob": 20 * MICRO}


def report(tx: Any, world: Any, deal: str, delivery: str, frames: dict[str, int], weights: str = "w") -> None:
    row = tx.insert(
        checkpoint, public_id=f"ckp_{weights}{sum(frames.values())}", direction="reported", party=world.lab, name="m",
        weights_hash=weights, lineage="", family=deal, agreement=deal, delivery=delivery, frames_seen=0,
    )  # fmt: skip
    for name, count in frames.items():
        source = "house" if name == "house" else delivery
        tx.insert(usage, checkpoint_id=row, source=source, item=name, frames=count, method="measured")


def test_usage_split_counts_reported_frames_of_delivered_items(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, basis="usage")
        delivery, items = world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "10.00")
    assert allocate.allocate(world.ws) == []
    with world.ws.write() as tx:
        assert "no usage report" in allocate.pending(tx)[0].pending
        report(tx, world, deal, delivery, {items[0]: 999})
        report(tx, world, deal, delivery, {items[0]: 10, items[2]: 20, "house": 5_000})  # corrects the first
        report(tx, world, deal, delivery, {items[1]: 10}, weights="v")
    assert len(allocate.allocate(world.ws)) == 1
    assert owed(world) == {"ann": 100 * MICRO, "bob": 100 * MICRO}
    with world.ws.read() as tx:
        line = {row["contributor_id"]: row["amount_micro"] for row in tx.rows(allocation_line.select())}
    assert line[world.contributors["cyd"]["id"]] == 0


def test_a_pool_smaller_than_its_claimants(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="1/1000000")
        world.deliver(tx, deal, [(f"p{n}-1", 0, 1_000) for n in range(5)])
        world.book(tx, deal, "0.02")
    allocate.allocate(world.ws)
    assert sorted(owed(world).values()) == [1, 1]


def test_an_empty_pool_is_allocated_without_a_posting(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="0")
        world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "10.00")
    assert len(allocate.allocate(world.ws)) == 1
    with world.ws.read() as tx:
        assert [row["kind"] for row in tx.rows(ledger_txn.select())] == ["revenue"]
        assert trial(tx).ok


def test_an_unknown_split_basis_fails_alone(world: Any) -> None:
    with world.ws.write() as tx:
        deal, other = world.agree(tx, basis="by taste"), world.agree(tx)
        world.deliver(tx, deal, SPANS)
        world.deliver(tx, other, SPANS)
        bad = world.book(tx, deal, "10.00")
        with pytest.raises(IntegrityFailure, match="by taste"):
            allocate.allocate_event(tx, bad.id)
        world.book(tx, other, "10.00")
    first, second = allocate.allocate_all(world.ws)
    assert first.failed and first.allocation is None and "by taste" in first.words
    assert second.allocation and not second.failed


def test_weights_that_overflow_hold_up_nobody_else(world: Any) -> None:
    """Each weight fits into 64 bits, their sum does not; of several contributors, and of one."""
    with world.ws.write() as tx:
        names = [f"p{n}-1" for n in range(12)]
        deal, wide, plain = world.agree(tx, basis="scores"), world.agree(tx, basis="scores"), world.agree(tx)
        world.own(tx, "p0-1", 0, p0=(1, 999_999), q=(999_998, 999_999))
        for one in (deal, wide, plain):
            of_one = ["p0-1", *(f"r-{n}" for n in range(12))]
            world.deliver(tx, one, [(name, 0, 3_000) for name in (of_one if one == wide else names)])
        for one in (deal, wide):
            scores.add(tx, one, {clip["id"]: 10**12 for clip in world.assets.values()}, "0" * 64, "Dana")
        for number, one in enumerate((deal, wide, plain)):
            world.book(tx, one, "100.00", f"R-{number}")
    sums, each, fine = allocate.allocate_all(world.ws)
    assert sums.failed and "exceed 64 bits" in sums.pending and each.failed and "exceed 64 bits" in each.pending
    assert fine.allocation and fine.contributors == 13
    with world.ws.read() as tx:
        for one in (deal, wide):
            told = compare.of_agreement(tx, find_agreement(tx, one), 10**9)
            assert {column.method for column in told.columns if "64 bits" in column.empty} == {"scores"}
        assert [(one.event, one.failed) for one in allocate.pending(tx)] == [(sums.event, True), (each.event, True)]
        last = tx.rows(run.select())[-1]
        assert last["state"] == "done" and last["result"]["failed"] == [sums.event, each.event]
        assert trial(tx).ok


def test_what_waits_has_not_failed(world: Any) -> None:
    with world.ws.write() as tx:
        world.book(tx, world.agree(tx), "10.00")
    (one,) = allocate.allocate_all(world.ws)
    assert one.pending and not one.failed


def test_an_allocation_keeps_up_to_where_facts_were_read(world: Any) -> None:
    """What is delivered after the receipt, and before it is allocated, counts; the record says so."""
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 3_000)])
        world.book(tx, deal, "10.00")
    with world.ws.write() as tx:
        world.deliver(tx, deal, [("bob-1", 0, 3_000)])
        tx.record("test", "", {})
    with world.ws.read() as tx:
        size = audit.tree_size(tx.conn)
    allocate.allocate(world.ws)
    assert owed(world) == {"ann": 100 * MICRO, "bob": 100 * MICRO}
    with world.ws.write() as tx:
        row = tx.rows(allocation.select())[0]
        assert row["detail"]["facts"] == {"audit_size": size, "releases": row["release"].split(",")}
        assert len(row["detail"]["facts"]["releases"]) == 2
        revenue.book(tx, deal, world.usd("10.00"), "RF-1", about=About("refund", of="INV-1"))
    allocate.allocate(world.ws)
    with world.ws.read() as tx:
        assert tx.rows(allocation.select())[1]["detail"]["facts"] == row["detail"]["facts"]


def test_sums_are_checked_before_anything_is_written() -> None:
    with bulk.connection() as con:
        con.execute("create table line as select 1 as contributor, 5::bigint as amount")
        con.execute("create table line_asset as select 1 as contributor, 1 as asset, 4::bigint as amount")
        with pytest.raises(IntegrityFailure, match="pool"):
            allocation_rows.check_sums(con, 6)
        with pytest.raises(IntegrityFailure, match="asset lines"):
            allocation_rows.check_sums(con, 5)


def test_the_database_path_equals_the_plain_reference(world: Any) -> None:
    """End to end: rows in the database through DuckDB, against dictionaries through split.py."""
    spans = [(f"p{n % 7}-{n % 11}", n % 3, 1 + (n * 7919) % 10_007) for n in range(60)]
    with world.ws.write() as tx:
        deal = world.agree(tx)
        _, items = world.deliver(tx, deal, spans)
        world.own(tx, spans[0][0], 0, p0=(1, 7), p1=(6, 7))
        booked = world.book(tx, deal, "1234.57")
    allocate.allocate(world.ws)
    ids = {name: clip["id"] for name, clip in world.assets.items()}
    delivered = [
        Delivered(item, ids[name], start, start + max(1, ms * 24 // 1000), ms)
        for item, (name, start, ms) in zip(items, spans, strict=True)
    ]
    weights = METHODS["delivered_ms"].reference(Facts(delivered))
    owners = {clip["id"]: [Owner(clip["contributor_id"], 1, 1)] for clip in world.assets.values()}
    people = world.contributors
    owners[ids[spans[0][0]]] = [Owner(people["p0"]["id"], 1, 7), Owner(people["p1"]["id"], 6, 7)]
    secret = world.ws.keys.library_secret()
    keys = {row["id"]: facts.pseudonym(secret, deal, row["public_id"]) for row in people.values()}
    asset_keys = {clip["id"]: facts.pseudonym(secret, deal, clip["public_id"]) for clip in world.assets.values()}
    with world.ws.read() as tx:
        salt = bytes.fromhex(tx.scalar(allocation.select().with_only_columns(allocation.c.salt)))
        lines, assets = split(booked.pool_micro, claims(weights, owners, 7, keys, asset_keys), salt)
        found = tx.rows(allocation_line.select().order_by(allocation_line.c.contributor_id))
        assert [(r["contributor_id"], r["contributor_pseudonym"], r["weight"], r["amount_micro"]) for r in found] == [
            (x.contributor, x.contributor_key, x.weight, x.amount) for x in lines
        ]
        rows = tx.rows(allocation_asset.select())
        assert sorted((r["contributor_id"], r["asset_id"], r["weight"], r["amount_micro"]) for r in rows) == sorted(
            (x.contributor, x.asset, x.weight, x.amount) for x in assets
        )


def test_the_chain_of_upgrades_ends(world: Any) -> None:
    with world.ws.write() as tx:
        first = world.agree(tx)
        second = world.agree(tx, upgrade_of=first)
        row = tx.row(agreement.select().where(agreement.c.public_id == second))
        assert facts.chain(tx, row) == [second, first]
