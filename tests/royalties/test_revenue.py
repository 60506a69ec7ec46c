"""Revenue: booked once per reference, split into the pool and the library's part."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound
from fairframe.core.ids import new_id
from fairframe.core.money import MICRO, parse_money
from fairframe.core.time import DAY_MS
from fairframe.royalties import ledger, revenue
from fairframe.royalties.trial import trial


def usd(amount: str) -> Any:
    return parse_money(amount, "USD")


def test_net_receipts_go_to_pool_library_and_tax(world: Any) -> None:
    with world.ws.write() as tx:
        deal, at = world.agree(tx), tx.now_ms - 5
        booked = revenue.book(tx, deal, usd("10000.01"), "INV-7", tax_minor=1_000, effective_ms=at)
    assert booked.new and booked.net == usd("9990.01") and booked.effective_ms == at
    assert booked.pool_micro == 999_001 * MICRO // 5
    with world.ws.read() as tx:
        held = {one.account: one.amount_micro for one in ledger.balances(tx)}
        assert trial(tx).ok
    assert held == {
        "cash": 1_000_001 * MICRO,
        "tax": -1_000 * MICRO,
        "library": -(999_001 * MICRO - booked.pool_micro),
        f"pool:{booked.id}": -booked.pool_micro,
    }


def test_the_pool_is_rounded_down_and_the_rest_stays_with_the_library(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, share="1/3")
        booked = revenue.book(tx, deal, usd("0.01"), "X")
        assert booked.pool_micro == 333_333
        assert ledger.balance_of(tx, "library", "USD") == -666_667


def test_the_same_reference_books_once(world: Any, clock: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        other = world.agree(tx)
        first = revenue.book(tx, deal, usd("10.00"), "INV-1")
    clock.advance(1000)
    with world.ws.write() as tx:
        again = revenue.book(tx, deal, usd("10.00"), " INV-1 ")
        assert (again.id, again.new, again.effective_ms) == (first.id, False, first.effective_ms)
        assert revenue.book(tx, other, usd("10.00"), "INV-1").new
    for amount, tax, when in (("10.01", 0, None), ("10.00", 1, None), ("10.00", 0, 77)):
        with world.ws.write() as tx, pytest.raises(Conflict):
            revenue.book(tx, deal, usd(amount), "INV-1", tax, when)
    with world.ws.read() as tx:
        assert ledger.balance_of(tx, "cash", "USD") == 2_000 * MICRO


@pytest.mark.parametrize(("days", "fits"), [(-400, False), (-3, False), (0, True), (3, False), (400_000, False)])
def test_money_is_received_after_the_agreement_and_not_in_the_future(world: Any, days: int, fits: bool) -> None:
    with world.ws.write() as tx:
        deal, at = world.agree(tx), tx.now_ms + days * DAY_MS
        if fits:
            assert revenue.book(tx, deal, usd("1.00"), "X", 0, at).effective_ms == at
            return
        with pytest.raises(InputError) as caught:
            revenue.book(tx, deal, usd("1.00"), "X", 0, at)
        assert caught.value.code == "revenue.time"


def test_bad_input_is_named(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        no_share = world.agree(tx, share=None)
    cases: list[tuple[Any, tuple[Any, ...]]] = [
        (NotFound, (new_id("agr"), usd("1.00"), "r")),
        (InputError, (deal, parse_money("1.00", "EUR"), "r")),
        (InputError, (deal, usd("0.00"), "r")),
        (InputError, (deal, usd("90000000000.01"), "r")),
        (InputError, (deal, usd("1.00"), "")),
        (InputError, (deal, usd("1.00"), "a\x00b")),
        (InputError, (deal, usd("1.00"), "r", 101)),
        (InputError, (deal, usd("1.00"), "r", -1)),
        (IntegrityFailure, (no_share, usd("1.00"), "r")),
    ]
    for error, arguments in cases:
        with pytest.raises(error), world.ws.write() as tx:
            revenue.book(tx, *arguments)
    with world.ws.read() as tx:
        assert ledger.balances(tx) == []


def test_currencies_of_other_exponents(world: Any) -> None:
    with world.ws.write() as tx:
        for code, amount in (("JPY", "1001"), ("KWD", "1.001")):
            booked = revenue.book(tx, world.agree(tx, currency=code), parse_money(amount, code), "r")
            assert booked.pool_micro == 1001 * MICRO // 5
    with world.ws.read() as tx:
        assert trial(tx).ok


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 1)), max_size=8))
def test_post_duplicate_conflict_sequences_keep_zero_sums(world: Any, acts: list[tuple[str, int, int]]) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        before = ledger.balance_of(tx, "cash", "USD")
    booked: dict[str, tuple[int, int]] = {}
    for reference, minor, tax in acts:
        content = (minor, tax)
        try:
            with world.ws.write() as tx:
                done = revenue.book(tx, deal, usd(f"0.0{minor}"), reference, tax)
        except Conflict:
            assert booked[reference] != content
            continue
        assert done.new == (reference not in booked)
        assert booked.setdefault(reference, content) == content
    with world.ws.read() as tx:
        found = trial(tx)
        assert found.ok and all(total == 0 for total in found.sums.values())
        gained = ledger.balance_of(tx, "cash", "USD") - before
    assert gained == sum(minor for minor, _ in booked.values()) * MICRO
