"""What stands between a plan and money that leaves: dates of words, rates and postings, files, references, amounts."""

import unicodedata
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform.tables import audit_entry
from fairframe.royalties import (
    allocate,
    batches,
    closing,
    corrections,
    events,
    ledger,
    payees,
    payout_files,
    payout_steps,
    payout_terms,
    payouts,
    periods,
    revenue,
    statements,
)
from fairframe.royalties.about import About
from fairframe.royalties.payout_rules import Asked, Policy, Standing, judge
from fairframe.royalties.standings import position_micro
from fairframe.royalties.tables import ledger_txn, payee
from fairframe.royalties.trial import trial

OURS = "DE89370400440532013000"
IBANS = {"ann": "GB29NWBK60161331926819", "bob": "FR1420041010050500013M02606"}
COUNTRIES = {"ann": "GB", "bob": "FR"}


@pytest.fixture
def owed(world: Any) -> Any:
    """1,000.00 EUR, to ann and bob by halves; a policy without a hold; both can be paid."""
    with world.ws.write() as tx:
        world.deal = world.agree(tx, currency="EUR")
        world.deliver(tx, world.deal, [("ann-0", 0, 1_000), ("bob-0", 0, 1_000)])
        revenue.book(tx, world.deal, world.money("5000.00", "EUR"), "INV-1")
        rule = {"threshold_minor": 1, "hold_days": 0, "tax_form": True, "iban": OURS, "bic": "COBADEFF"}
        payout_terms.set_policy(tx, "EUR", **rule)
        for name, country in COUNTRIES.items():
            given = {"holder": name.title(), "iban": IBANS[name], "tax_form": "W-8BEN", "country": country}
            payees.set_payee(tx, world.contributors[name], **given)
    allocate.allocate(world.ws)
    return world


def say(world: Any, name: str, **words: Any) -> None:
    with world.ws.write() as tx:
        payees.set_payee(tx, world.contributors[name], **words)


def act(world: Any, step: Any, *arguments: Any, **more: Any) -> Any:
    with world.ws.write() as tx:
        return step(tx, *arguments, **more)


def prepared(world: Any, reference: str = "Q2", execution_ms: int | None = None) -> Any:
    with world.ws.write() as tx:
        return batches.prepare(tx, batches.plan(tx, reference, "EUR", execution_ms))


def withheld(world: Any, batch: Any) -> list[int]:
    with world.ws.read() as tx:
        return sorted(payout_steps.parts_of(row).withheld_minor for row in payout_steps.listing(tx, batch))


def left_out(world: Any, reference: str = "other", **more: Any) -> dict[str, str]:
    with world.ws.read() as tx:
        planned = batches.plan(tx, reference, "EUR", **more)
        return {line.contributor["name"]: line.judged.reason for line in planned.left_out}


def stale(world: Any, batch: Any) -> str:
    with pytest.raises(Refused) as caught:
        act(world, payout_steps.submit, batch)
    assert caught.value.code == "payout.stale"
    return " ".join(caught.value.reasons)


def test_a_later_account_does_not_lift_a_block_or_bring_back_a_form(owed: Any, clock: Any) -> None:
    say(owed, "ann", holder="Ann", account="999-4567", valid_from_ms=clock.now + 10 * DAY_MS)
    clock.advance(DAY_MS)
    say(owed, "ann", blocked=True, tax_form="")
    clock.advance(10 * DAY_MS)
    with owed.ws.read() as tx:
        found = payees.current(tx, owed.contributors["ann"])
    assert found.blocked and not found.tax_form, "the row about an account says nothing of these"
    assert found.detail is not None and (found.detail.account, found.country) == ("999-4567", "GB")
    assert left_out(owed) == {"ann": "blocked"}
    say(owed, "ann", blocked=False)
    assert left_out(owed) == {"ann": "no_tax_form"}


def test_a_block_of_now_holds_for_a_payment_later_whatever_is_said_of_then(owed: Any, clock: Any) -> None:
    say(owed, "ann", blocked=False, valid_from_ms=clock.now + 2 * DAY_MS)
    say(owed, "ann", blocked=True)
    assert left_out(owed, execution_ms=clock.now + 5 * DAY_MS) == {"ann": "blocked"}
    clock.advance(3 * DAY_MS)
    assert left_out(owed) == {"ann": "blocked"}, "what was said before the block does not lift it"
    say(owed, "ann", blocked=False)
    assert left_out(owed) == {}


def test_a_block_stands_until_it_is_lifted_from_no_earlier_day(owed: Any, clock: Any) -> None:
    say(owed, "bob", blocked=True, valid_from_ms=clock.now + 2 * DAY_MS)
    say(owed, "bob", blocked=False)
    assert left_out(owed) == {}
    clock.advance(2 * DAY_MS)
    assert left_out(owed) == {"bob": "blocked"}
    say(owed, "bob", blocked=False, valid_from_ms=clock.now + DAY_MS)
    assert left_out(owed, execution_ms=clock.now + 5 * DAY_MS) == {"bob": "blocked"}, "the file would go out now"
    clock.advance(DAY_MS)
    assert left_out(owed) == {}


def test_a_row_of_an_earlier_version_says_everything_but_lifts_no_later_block(owed: Any, clock: Any) -> None:
    """Their column is empty; what they say of a block was copied, not said."""
    with owed.ws.write() as tx:
        ann = owed.contributors["ann"]["id"]
        copied = {"account_kind": "none", "country": "US", "tax_form": "W-9", "blocked": False, "commitment": ""}
        tx.insert(payee, contributor_id=ann, valid_from_ms=clock.now + 5 * DAY_MS, **copied)
        payees.set_payee(tx, owed.contributors["ann"], blocked=True)
    clock.advance(6 * DAY_MS)
    with owed.ws.read() as tx:
        found = payees.current(tx, owed.contributors["ann"])
    assert (found.country, found.tax_form, found.blocked, found.kind) == ("US", "W-9", True, "iban")


def test_rates_and_forms_are_those_of_the_day_of_payment(owed: Any, clock: Any) -> None:
    with owed.ws.write() as tx:
        payout_terms.set_rate(tx, "GB", Share(1, 10))
        payout_terms.set_rate(tx, "GB", Share(3, 10), clock.now + DAY_MS)
    assert withheld(owed, prepared(owed, "later", clock.now + 5 * DAY_MS)) == [0, 15_000]
    say(owed, "bob", tax_form="W-9", tax_form_until_ms=clock.now + 3 * DAY_MS)
    with owed.ws.write() as tx:
        payout_steps.cancel(tx, batches.find(tx, "later"))
    assert left_out(owed, execution_ms=clock.now + 5 * DAY_MS) == {"bob": "no_tax_form"}
    assert left_out(owed, execution_ms=clock.now + DAY_MS) == {}


def test_a_rate_that_changed_since_is_found_before_anything_is_sent(owed: Any, clock: Any) -> None:
    batch = prepared(owed, execution_ms=clock.now + 2 * DAY_MS)
    with owed.ws.write() as tx:
        payout_terms.set_rate(tx, "FR", Share(1, 4), clock.now + DAY_MS)
    told = stale(owed, batch)
    assert "has another tax withheld by now" in told and told.count("pay_") == 1
    say(owed, "ann", country="FR", valid_from_ms=clock.now + 30 * DAY_MS)
    act(owed, payout_steps.cancel, batch)
    act(owed, payout_steps.submit, prepared(owed, "again", clock.now + 2 * DAY_MS))


def test_without_a_country_nobody_is_paid_where_tax_is_withheld(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-0", 0, 1_000)])
        world.book(tx, deal, "100.00")
        payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
        payees.set_payee(tx, world.contributors["ann"], holder="Ann", account="12345")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        batch = batches.prepare(tx, batches.plan(tx, "B", "USD"))
        payout_terms.set_rate(tx, "FR", Share(1, 4))
    assert "has no country" in stale(world, batch)
    act(world, payout_steps.cancel, batch)
    with world.ws.write() as tx:
        assert [line.judged.reason for line in batches.plan(tx, "C", "USD").left_out] == ["no_country"]
        with pytest.raises(Refused) as caught:
            payouts.pay(tx, world.contributors["ann"], "P-1", "USD")
        assert caught.value.code == "payout.no_country"
        payees.set_payee(tx, world.contributors["ann"], country="US")
        assert payouts.pay(tx, world.contributors["ann"], "P-1", "USD").net.minor == 2_000


def test_files_other_than_those_confirmed_are_not_sent(owed: Any) -> None:
    batch = prepared(owed)
    with owed.ws.read() as tx:
        shown = payout_files.files(tx, batch)
        (ann,) = (row["public_id"] for row in payout_steps.listing(tx, batch, owed.contributors["ann"]["id"]))
    act(owed, payout_steps.cancel, batch, [ann])
    with pytest.raises(Conflict) as caught:
        act(owed, payout_files.submit, batch, confirmed=shown)
    assert caught.value.code == "payout.changed"
    with owed.ws.read() as tx:
        states = {row["contributor_name"]: row["state"] for row in payout_steps.listing(tx, batch)}
        assert states == {"ann": "canceled", "bob": "reserved"}
        shown = payout_files.files(tx, batch)
    made, done = act(owed, payout_files.submit, batch, confirmed=shown)
    assert done.new and made == shown and IBANS["ann"].encode() not in made.csv


def test_the_bank_is_asked_for_no_day_before_the_submission(owed: Any, clock: Any) -> None:
    batch = prepared(owed, execution_ms=clock.now + DAY_MS)
    clock.advance(3 * DAY_MS)
    made, _ = act(owed, payout_files.submit, batch)
    day = to_rfc3339(clock.now)[:10]
    assert made.pain is not None and f"<Dt>{day}</Dt>".encode() in made.pain and day.encode() in made.csv
    clock.advance(4 * DAY_MS)
    with owed.ws.read() as tx:
        assert payout_files.files(tx, batch) == made, "written again they are the same bytes"


def test_money_that_is_dated_ahead_is_held_and_not_taken_back_before_it_was_earned(world: Any, clock: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-0", 0, 1_000)])
        ahead = clock.now + DAY_MS
        revenue.book(tx, deal, world.usd("100.00"), "INV-1", effective_ms=ahead)
    allocate.allocate(world.ws)
    ann = world.contributors["ann"]
    with world.ws.write() as tx, pytest.raises(Refused) as caught:
        payouts.pay(tx, ann, "P-1")
    assert caught.value.code == "payout.held" and to_rfc3339(ahead)[:10] in caught.value.message
    with world.ws.write() as tx:
        corrections.correct(tx, deal, "INV-1", "of another month")
        dates = tx.execute(sa.select(ledger_txn.c.effective_ms).where(ledger_txn.c.kind == "correction")).scalars()
        assert list(dates) == [ahead]
        revenue.book(tx, deal, world.usd("50.00"), "INV-2", effective_ms=ahead)
    allocate.allocate(world.ws)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        assert payouts.pay(tx, ann, "P-1").amount == world.usd("10.00")


def test_what_is_moved_to_the_end_of_a_closed_period_is_not_held_by_that(owed: Any) -> None:
    with owed.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
        revenue.book(tx, owed.deal, owed.money("50.00", "EUR"), "INV-2")
    allocate.allocate(owed.ws)
    with owed.ws.write() as tx:
        assert payouts.pay(tx, owed.contributors["ann"], "P-1").amount == owed.money("505.00", "EUR")


def test_no_step_is_dated_before_the_one_that_it_follows(owed: Any, clock: Any) -> None:
    batch = prepared(owed)
    clock.advance(DAY_MS)
    act(owed, payout_steps.submit, batch)
    for day in (clock.now - DAY_MS, clock.now - 20 * DAY_MS, clock.now + 2 * DAY_MS):
        with pytest.raises(InputError) as caught:
            act(owed, payout_steps.settle, batch, effective_ms=day)
        assert caught.value.code == "payout.day"
    ann = act(owed, payout_steps.settle, batch, effective_ms=clock.now // DAY_MS * DAY_MS).payouts[0].payout
    assert dates(owed) == [clock.now - DAY_MS, clock.now, clock.now], "a day is not before a time on it"
    act(owed, payout_steps.give_back, ann, "AC04")
    with owed.ws.read() as tx:
        assert trial(tx).ok


def dates(world: Any) -> list[int]:
    with world.ws.read() as tx:
        found = sa.select(ledger_txn.c.effective_ms).where(ledger_txn.c.kind.like("payout%")).order_by(ledger_txn.c.id)
        return list(tx.execute(found).scalars())


def test_a_return_is_not_before_a_settlement_that_is_dated_ahead(owed: Any, clock: Any) -> None:
    batch = prepared(owed)
    act(owed, payout_steps.submit, batch)
    done = act(owed, payout_steps.settle, batch, effective_ms=clock.now + DAY_MS)
    act(owed, payout_steps.give_back, done.payouts[0].payout, "AC04")
    assert dates(owed)[-1] == clock.now + DAY_MS


def test_one_reference_in_two_unicode_forms_is_one(owed: Any) -> None:
    composed, decomposed = (unicodedata.normalize(form, "R\u00e9ception") for form in ("NFC", "NFD"))
    with owed.ws.write() as tx:
        ten = owed.money("10.00", "EUR")
        first = revenue.book(tx, owed.deal, ten, decomposed)
        assert not revenue.book(tx, owed.deal, ten, composed).new and first.reference == composed
        revenue.book(tx, owed.deal, ten, "avoir", about=About("refund", of=decomposed))
    batch = prepared(owed, decomposed)
    assert prepared(owed, composed)["id"] == batch["id"] and batch["reference"] == composed
    with owed.ws.read() as tx:
        assert batches.find(tx, decomposed)["id"] == batches.find(tx, composed)["id"]


def test_a_reference_that_an_earlier_version_kept_as_it_came_in_is_known(owed: Any, monkeypatch: Any) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Re\u00e7u") for form in ("NFC", "NFD"))
    ten = owed.money("10.00", "EUR")
    with monkeypatch.context() as earlier, owed.ws.write() as tx:
        earlier.setattr(revenue, "clean_reference", str)
        assert revenue.book(tx, owed.deal, ten, decomposed).reference == decomposed
    with owed.ws.write() as tx:
        assert not revenue.book(tx, owed.deal, ten, composed).new
        assert corrections.plan(tx, owed.deal, composed).new


def test_references_that_differ_by_case_are_two_and_said(owed: Any) -> None:
    batch = prepared(owed, "Q2")
    with owed.ws.write() as tx:
        assert batches.near(tx, "q2") == "Q2" and batches.near(tx, "Q2") is None and batches.near(tx, "Q3") is None
        assert events.near(tx, [(owed.deal, "inv-1"), (owed.deal, "New")]) == [("inv-1", "INV-1")]
        assert events.near(tx, [(owed.deal, "A"), (owed.deal, "a")]) == [("a", "A")]
        assert events.near(tx, [("agr_other", "inv-1")]) == []
        for wrong in (batch["public_id"], f" {batch['public_id'].upper()} "):
            with pytest.raises(InputError) as caught:
                batches.plan(tx, wrong, "EUR")
            assert caught.value.code == "payout.reference"
        assert batches.check_reference("pay_day") == "pay_day"


def test_the_audit_tree_tells_no_reason_and_no_account_of_ours(owed: Any) -> None:
    batch = prepared(owed)
    with owed.ws.read() as tx:
        ann, bob = (row["public_id"] for row in payout_steps.listing(tx, batch))
    act(owed, payout_steps.cancel, batch, [bob], "Bob Smith asked for it")
    act(owed, payout_steps.submit, batch)
    act(owed, payout_steps.give_back, ann, "account of Ann Smith closed")
    with owed.ws.read() as tx:
        tree = " ".join(tx.execute(sa.select(audit_entry.c.body)).scalars())
    for secret in ("Smith", OURS, "COBADEFF"):
        assert secret not in tree
    assert "payout.returned" in tree and "payout.policy" in tree


def test_less_than_a_minor_unit_is_no_debt_that_stops_a_payout(world: Any) -> None:
    ready = Asked(tax_form=True, account=True)
    assert judge(Standing(-1), ready, Policy()).reason == "below_threshold"
    assert judge(Standing(-MICRO), ready, Policy()).reason == "negative"
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-0", 0, 3_000), ("bob-0", 0, 3_001), ("cyd-0", 0, 7)])
        world.book(tx, deal, "100.00")
        world.book(tx, deal, "0.07", "TINY")
        payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
        for name in ("ann", "bob"):
            payees.set_payee(tx, world.contributors[name], holder=name, account="12345")
    allocate.allocate_all(world.ws)
    with world.ws.write() as tx:
        batch = batches.prepare(tx, batches.plan(tx, "B", "USD"))
        for number in range(7):
            revenue.book(tx, deal, world.usd("0.01"), f"BACK-{number}", about=About("refund", of="TINY"))
    allocate.allocate_all(world.ws)
    with world.ws.read() as tx:
        owing = [one.amount_micro for one in ledger.balances(tx) if one.account.startswith(ledger.accrued(""))]
        assert any(0 < amount < MICRO for amount in owing), "somebody owes a fraction of a cent"
    assert act(world, payout_steps.submit, batch).new


def test_a_batch_may_be_larger_than_a_leg(world: Any) -> None:
    """In a currency of little worth, the cash of a whole batch exceeds 64 bits of 10^-6 units."""
    names = [f"p{number}" for number in range(5)]
    with world.ws.write() as tx:
        deal = world.agree(tx, currency="IDR", share="9/10")
        world.deliver(tx, deal, [(f"{name}-0", 0, 1_000) for name in names])
        for number in range(4):
            revenue.book(tx, deal, world.money("90000000000.00", "IDR"), f"INV-{number}")
        payout_terms.set_policy(tx, "IDR", threshold_minor=1, hold_days=0, tax_form=False)
        payout_terms.set_rate(tx, "ID", Share(1, 3))
        for name in names:
            payees.set_payee(tx, world.contributors[name], holder=name, account="12345", country="ID")
    allocate.allocate_all(world.ws)
    for number, step in enumerate(("cancel", "settle", "settle")):
        with world.ws.write() as tx:
            batch = batches.prepare(tx, batches.plan(tx, f"B-{number}", "IDR"))
        if step == "settle":
            act(world, payout_steps.submit, batch)
        act(world, getattr(payout_steps, step), batch)
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
        assert trial(tx).ok
        paid = 36_000_000_000_000 * 9 // 10
        bodies = [statements.statement(tx, world.contributors[name], currency="IDR").body for name in names]
        earned = sum(int(body["earned_micro"]) for body in bodies)
        assert earned == paid * MICRO


def test_a_return_and_a_refund_after_closing_are_of_the_open_period_and_of_who_was_paid(owed: Any, clock: Any) -> None:
    """The clip changes hands in between, and there is an account in another currency beside it."""
    start, ann, bob = clock.now, owed.contributors["ann"], owed.contributors["bob"]
    with owed.ws.write() as tx:
        other = owed.agree(tx, currency="USD")
        owed.deliver(tx, other, [("ann-0", 0, 1_000)])
        owed.book(tx, other, "100.00")
    allocate.allocate_all(owed.ws)
    with owed.ws.write() as tx:
        paid = payouts.pay(tx, ann, "P-1", "EUR").id
        assert position_micro(tx, bob["public_id"], "EUR") == 500 * 100 * MICRO
    clock.advance(1)
    with owed.ws.write() as tx:
        closing.close(tx, clock.now)
        owed.own(tx, "ann-0", 0, bob=(1, 1))
        revenue.book(tx, owed.deal, owed.money("5000.00", "EUR"), "BACK", None, start, About("refund", of="INV-1"))
    allocate.allocate_all(owed.ws)
    with owed.ws.write() as tx:
        payout_steps.give_back(tx, paid, "AC04")
        clock.advance(1)
    with owed.ws.write() as tx:
        closing.close(tx, clock.now)
        first, second = periods.listing(tx)
        told = {
            (at, code): statements.statement(tx, ann, one.from_ms, one.to_ms, code).body
            for at, one in enumerate((first, second))
            for code in ("EUR", "USD")
        }
    whole = 500 * 100 * MICRO
    assert [int(told[0, "EUR"][name]) for name in ("earned_micro", "paid_micro", "closing_micro")] == [whole, whole, 0]
    assert [int(told[1, "EUR"][name]) for name in ("earned_micro", "paid_micro", "closing_micro")] == [
        -whole,
        -whole,
        0,
    ]
    assert {told[at, "USD"]["closing_micro"] for at in (0, 1)} == {str(20 * 100 * MICRO)}
    with owed.ws.read() as tx:
        assert trial(tx).ok and position_micro(tx, bob["public_id"], "EUR") == 0
