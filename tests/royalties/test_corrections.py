"""Taking back a receipt: everything that followed from it goes back to zero, and nothing is changed or deleted."""

from typing import Any

import pytest

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.money import MICRO
from fairframe.royalties import allocate, closing, corrections, ledger, payouts, revenue, statements
from fairframe.royalties.earnings import earnings
from fairframe.royalties.trial import trial


def held(world: Any) -> dict[str, int]:
    with world.ws.read() as tx:
        assert trial(tx).ok
        return {one.account: one.amount_micro for one in ledger.balances(tx) if one.amount_micro}


def test_before_the_allocation_the_pool_goes_back_and_is_not_allocated(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 1_000)])
        world.book(tx, deal, "100.00")
        done = corrections.correct(tx, deal, "INV-1", "typed the wrong amount")
        assert (done.new, done.contributors) == (True, 0)
        assert not corrections.correct(tx, deal, "INV-1", "again").new
    assert held(world) == {}
    assert allocate.allocate(world.ws) == []
    with world.ws.write() as tx:
        with pytest.raises(Conflict) as caught:
            world.book(tx, deal, "100.00")
        assert caught.value.code == "revenue.corrected"
        assert world.book(tx, deal, "200.00", "INV-1b").new
    assert len(allocate.allocate(world.ws)) == 1


def test_after_the_allocation_contributors_give_it_back_and_their_statements_say_so(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 3_000)])
        world.book(tx, deal, "100.00")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "P-1")
        assert corrections.plan(tx, deal, "INV-1").contributors == 2
        corrections.correct(tx, deal, "INV-1", "another customer's money")
    ann = ledger.accrued(world.contributors["ann"]["public_id"])
    assert held(world) == {"cash": -500 * MICRO, ann: 500 * MICRO}, "only what was paid out is still to come back"
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
        body = statements.statement(tx, world.contributors["bob"]).body
        assert (body["earned_micro"], body["adjusted_micro"]) == (str(1_500 * MICRO), str(-1_500 * MICRO))
        assert body["closing_micro"] == "0" and len(body["adjustments"]) == 1
        world.book(tx, deal, "200.00", "INV-2")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        assert payouts.pay(tx, world.contributors["ann"], "P-2").amount == world.usd("5.00")


def test_what_cannot_be_taken_back_is_named(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.book(tx, deal, "100.00")
        with pytest.raises(NotFound):
            corrections.correct(tx, deal, "INV-2", "no such receipt")
        with pytest.raises(InputError):
            corrections.correct(tx, deal, "INV-1", " ")
        with pytest.raises(Conflict) as caught:
            revenue.book(tx, deal, world.usd("200.00"), "INV-1")
        assert "royalties correct" in caught.value.remedy


def test_earnings_are_the_balance_and_what_was_paid_whatever_was_taken_back(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-1", 0, 1_000), ("bob-1", 0, 3_000)])
        world.book(tx, deal, "100.00")
        world.book(tx, deal, "300.00", "INV-2")
    allocate.allocate(world.ws)
    ann, bob = (world.contributors[name] for name in ("ann", "bob"))
    with world.ws.write() as tx:
        payouts.pay(tx, ann, "P-1")
        corrections.correct(tx, deal, "INV-2", "another customer's money")
    with world.ws.read() as tx:
        found = {one.contributor: one for one in earnings(tx)}
        assert {name: one.earned_micro for name, one in found.items()} == {
            ann["public_id"]: 500 * MICRO,
            bob["public_id"]: 1_500 * MICRO,
        }
        assert [one.paid_minor for one in earnings(tx, ann)] == [2_000]
        assert payouts.owed_micro(tx, ann, "USD") == -1_500 * MICRO, "paid before it was taken back"
        for who in (ann, bob):
            body = statements.draft(tx, who)
            assert [found[who["public_id"]]] == list(earnings(tx, who))
            assert found[who["public_id"]].earned_micro == int(body["earned_micro"]) + int(body["adjusted_micro"])
