"""Closing: a checklist that refuses with reasons, a signed trial balance, and a closed period that never changes."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.core.errors import Conflict, Refused
from fairframe.core.finding import Finding
from fairframe.core.ids import new_id
from fairframe.core.party import Party
from fairframe.core.period_body import PeriodBody, TrialLine, balanced
from fairframe.flows.verify import verify_audit
from fairframe.platform import audit
from fairframe.platform.tables import audit_entry
from fairframe.royalties import allocate, closing, corrections, ledger, payouts, periods
from fairframe.royalties.ledger import CASH, CLEARING, Leg
from fairframe.royalties.tables import ledger_txn
from fairframe.royalties.trial import trial
from fairframe.royalties.trial_balance import trial_balance
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

from .conftest import DAY_MS


@pytest.fixture
def booked(world: Any, clock: Any) -> Any:
    """A fee that is allocated, a payout a day after, and the clock another day on."""
    with world.ws.write() as tx:
        world.deal = world.agree(tx)
        world.deliver(tx, world.deal, [("ann-0", 0, 1_000), ("bob-0", 0, 2_000)])
        world.book(tx, world.deal, "100.01", "INV-1")
    allocate.allocate(world.ws)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "PAY-1")
    clock.advance(DAY_MS)
    return world


def close(world: Any, to_ms: int | None = None, **options: Any) -> periods.Period:
    with world.ws.write() as tx:
        return closing.close(tx, tx.now_ms if to_ms is None else to_ms, **options)


def refused(world: Any, to_ms: int | None = None) -> list[str]:
    """Why it cannot be closed, as the preview says and as closing says."""
    with world.ws.read() as tx:
        planned = closing.plan(tx, tx.now_ms if to_ms is None else to_ms)
        before = audit.head(tx.conn)
    with pytest.raises(Refused) as error:
        close(world, to_ms)
    assert error.value.code == "period.refused" and error.value.reasons == planned.reasons
    with world.ws.read() as tx:
        assert audit.head(tx.conn) == before
    return planned.reasons


def found(world: Any, to_ms: int | None = None) -> dict[str, list[Finding]]:
    with world.ws.read() as tx:
        planned = closing.plan(tx, tx.now_ms if to_ms is None else to_ms)
    codes = {one.code for one in planned.findings}
    return {code: [one for one in planned.findings if one.code == code] for code in codes}


def post(world: Any, legs: Sequence[Leg], effective_ms: int | None = None) -> str:
    with world.ws.write() as tx:
        return ledger.post(tx, "test", new_id("agr"), legs, effective_ms=effective_ms)


def test_closing_signs_the_trial_balance(booked: Any, clock: Any, tmp_path: Path) -> None:
    made = close(booked)
    body = closing.body_of(made)
    assert (made.from_ms, made.to_ms, body.previous, body.transactions) == (0, clock.now, "", 2 + 4)
    with booked.ws.read() as tx:
        lines = trial_balance(tx, 0, clock.now)
        held = {(one.account, one.currency): one.amount_micro for one in ledger.balances(tx)}
        assert {(one.account, one.currency): one.closing_micro for one in lines} == held
        assert periods.closed_until(tx) == made.to_ms and periods.listing(tx) == [made]
        leaf = tx.scalar(sa.select(audit_entry.c.body).where(audit_entry.c.kind == "period.closed"))
        assert made.digest in leaf and made.id in leaf
        assert trial(tx).ok
    closing.papers(booked.ws, made).write(tmp_path / "period.json")
    trust = Trust.of([Party.from_envelope((booked.ws.root / "party.json").read_bytes())])
    report = verify(tmp_path / "period.json", trust, clock.now)
    assert report.holds, report.findings
    lies = tmp_path / "period.items.jsonl"
    lies.write_bytes(lies.read_bytes().replace(b'"debit_micro":"0"', b'"debit_micro":"1"', 1))
    assert [one.code for one in verify(tmp_path / "period.json", trust, clock.now).findings if one.ok is False] == [
        "list.changed"
    ]
    assert verify_audit(booked.ws, []).holds


def test_periods_join_and_the_second_opens_with_what_the_first_closed(booked: Any, clock: Any) -> None:
    first = close(booked, clock.now - DAY_MS)
    second = close(booked)
    assert (second.from_ms, closing.body_of(second).previous) == (first.to_ms, first.id)
    totals = [closing.body_of(one).totals for one in (first, second)]
    assert all(balanced(one) for one in totals)
    opened = {(one.account, one.currency): one.opening_micro for one in totals[1] if one.opening_micro}
    closed = {(one.account, one.currency): one.closing_micro for one in totals[0] if one.closing_micro}
    assert opened == closed
    assert [sum(one.debit_micro for one in each) for each in totals] == [
        2 * 100_01_000_000 - 100_01_000_000 + 20_00_200_000,
        6_66_733_333 + 3 * 6_66_000_000,
    ], "the second holds a payout: released, reserved, submitted, settled"
    with booked.ws.read() as tx:
        assert [one.id for one in periods.listing(tx)] == [first.id, second.id] and trial(tx).ok


def test_nothing_to_close(world: Any, clock: Any) -> None:
    assert refused(world) == ["nothing was booked up to then: there is nothing to close"]
    post(world, [Leg(CASH, "USD", 5), Leg("library", "USD", -5)])
    clock.advance(DAY_MS)
    until = close(world).to_ms
    for to_ms in (until, until - 1, 0):
        assert [text.partition(": ")[2] for text in refused(world, to_ms)] == ["there is nothing to close"]
    assert refused(world, clock.now + 2) == ["it ends in the future: more may be booked in it"]
    clock.advance(DAY_MS)
    assert closing.body_of(close(world)).transactions == 0  # a quarter without a booking is closed too


def test_the_checklist_tells_what_failed_from_what_waits(booked: Any, clock: Any) -> None:
    with booked.ws.write() as tx:
        odd = booked.agree(tx, basis="by taste")
        booked.deliver(tx, odd, [("ann-0", 0, 1_000)])
        failed = booked.book(tx, odd, "50.00", "INV-2").id
        waits = booked.book(tx, booked.agree(tx), "50.00", "INV-3").id
    allocate.allocate(booked.ws)
    clock.advance(1)
    assert sorted(text.partition(": ")[0] for text in refused(booked)) == sorted([f"{failed} failed", f"{waits} waits"])


def test_revenue_that_waits_keeps_a_period_open_unless_it_is_carried(booked: Any, clock: Any) -> None:
    with booked.ws.write() as tx:
        bare = booked.agree(tx)
        event = booked.book(tx, bare, "50.00", "INV-2").id
    clock.advance(1)
    assert refused(booked) == [f"{event} waits: not allocated yet: run fairframe royalties allocate"]
    allocate.allocate(booked.ws)
    assert refused(booked) == [f"{event} waits: nothing was delivered under the agreement yet"]
    assert not refused_before(booked, clock.now - DAY_MS), "it is of a later time"
    made = close(booked, carry=True)
    assert closing.body_of(made).waiting == 1
    with booked.ws.write() as tx:
        booked.deliver(tx, bare, [("ann-1", 0, 10)])
    allocate.allocate(booked.ws)
    with booked.ws.read() as tx:
        dated = sa.select(ledger_txn.c.effective_ms).order_by(ledger_txn.c.id.desc()).limit(1)
        assert tx.scalar(dated) == made.to_ms, "what came of it is accounted in the next period"
        assert trial(tx).ok
    clock.advance(1)
    assert found(booked)["revenue.waiting"][0].ok


def refused_before(world: Any, to_ms: int) -> list[str]:
    with world.ws.read() as tx:
        return closing.plan(tx, to_ms).reasons


def test_an_event_that_is_allocated_later_than_the_period_does_not_wait(booked: Any, clock: Any) -> None:
    until = clock.now
    with booked.ws.write() as tx:
        event = booked.book(tx, booked.agree(tx), "50.00", "INV-2")
    clock.advance(DAY_MS)
    with booked.ws.write() as tx:
        corrections.correct(tx, event.agreement, "INV-2", "twice")
    clock.advance(1)
    assert found(booked, until + 1)["revenue.waiting"] == [Finding(True, "revenue.waiting", "every pool is allocated")]
    assert not close(booked, until + 1).from_ms


def test_clearing_holds_open_invoices_only(booked: Any, clock: Any) -> None:
    invoice = ledger.receivable(new_id("rev"))
    post(booked, [Leg(invoice, "USD", 70), Leg(CLEARING, "USD", -70)])
    clock.advance(1)
    held = found(booked)
    assert (
        held["ledger.clearing"][0].ok
        and held["receivable.open"][0].text == "invoices that are not paid: 1, over 0.00000070 USD"
    )
    post(booked, [Leg(CASH, "USD", 30), Leg(invoice, "USD", -30)])
    clock.advance(1)
    assert refused(booked) == ["clearing and the open invoices differ by -0.00000030 USD"]
    post(booked, [Leg(CLEARING, "USD", 30), Leg("library", "USD", -30)])
    post(booked, [Leg(ledger.receivable(new_id("rev")), "USD", 9), Leg("library", "USD", -9)])
    clock.advance(1)
    assert found(booked)["ledger.clearing"][0].ok, "an invoice that is recognized at once is not in clearing"
    assert close(booked)


def test_remarks_do_not_keep_it_open(booked: Any, clock: Any) -> None:
    sent, ann = new_id("pay"), booked.contributors["ann"]["public_id"]
    post(booked, [Leg(ledger.payable(ann), "USD", 50), Leg(ledger.transit(sent), "USD", -50)])
    post(booked, [Leg(CASH, "USD", 8), Leg(ledger.reserve(new_id("pay")), "USD", -8)])
    clock.advance(1)
    at = clock.now
    clock.advance(5)
    post(booked, [Leg(CASH, "USD", 1), Leg("library", "USD", -1)])
    remarks = {code: [one.text for one in each] for code, each in found(booked, at).items() if each[0].ok is None}
    assert remarks == {
        "payout.reserved": ["payouts in a batch, not sent: 1, over 0.00000008 USD"],
        "payout.submitted": ["payouts sent, not settled: 1, over 0.00000050 USD"],
        "contributor.negative": [
            "accounts of contributors below zero, which the next earnings fill: 1, over 0.00000050 USD"
        ],
        "period.later": ["transactions dated later, which stay open: 1"],
    }
    assert close(booked, at)


def test_what_is_booked_while_a_closing_is_confirmed_is_not_closed(booked: Any, clock: Any) -> None:
    with booked.ws.read() as tx:
        seen = closing.plan(tx, clock.now)
    post(booked, [Leg(CASH, "USD", 1), Leg("library", "USD", -1)], clock.now - 1)
    with pytest.raises(Conflict) as error:
        close(booked, seen.to_ms, confirmed=seen.digest)
    assert error.value.code == "period.changed"
    with booked.ws.read() as tx:
        assert periods.listing(tx) == []
        seen = closing.plan(tx, clock.now)
    assert close(booked, seen.to_ms, confirmed=seen.digest).digest == seen.digest


def test_a_correction_is_a_reversal_in_an_open_period(booked: Any, clock: Any) -> None:
    made = close(booked)
    with booked.ws.read() as tx:
        before = trial_balance(tx, 0, made.to_ms)
    with booked.ws.write() as tx:
        corrections.correct(tx, booked.deal, "INV-1", "a typing mistake")
    with booked.ws.read() as tx:
        assert trial_balance(tx, 0, made.to_ms) == before
        assert trial(tx).ok
    clock.advance(1)
    after = closing.body_of(close(booked))
    assert {one.account: one.closing_micro for one in after.totals if one.closing_micro} == {
        "cash": -6_66_000_000,
        "contributor": 6_66_733_333,
        "carry": -733_333,
    }


def test_a_ledger_that_does_not_hold_stays_open_and_a_changed_period_is_found(booked: Any, clock: Any) -> None:
    made = close(booked)
    change = "update ledger_txn set effective_ms = effective_ms - 1"
    off = "drop trigger ledger_txn_no_update"
    if booked.ws.engine.dialect.name == "postgresql":
        off = "alter table ledger_txn disable trigger all"
    with booked.ws.engine.connect() as conn, conn.begin():
        conn.execute(sa.text(off))
        conn.execute(sa.text(change))
    with booked.ws.read() as tx:
        assert trial(tx).ok, "moved within the period: it adds up as before"
    with booked.ws.engine.connect() as conn, conn.begin():
        conn.execute(sa.text(f"update ledger_txn set effective_ms = {made.to_ms} where kind = 'payout'"))
    clock.advance(1)
    assert refused(booked) == [f"the closed period {made.id} does not add up as it was closed"]


def test_only_a_library_closes(lab: Any) -> None:
    with lab.write() as tx, pytest.raises(Refused):
        closing.close(tx, 5)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["library", "tax", "pool:a", "contributor:b"]),
        st.sampled_from(["USD", "JPY"]),
        st.integers(-(2**62), 2**62).filter(bool),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, cuts=st.sets(st.integers(1, 60), max_size=4))
def test_however_it_is_cut_periods_join_and_balance(world: Any, moves: list[Any], cuts: set[int]) -> None:
    """Trial balances of any partition: each balances, each opens with what the one before closed."""
    ids = {"a": new_id("rev"), "b": new_id("ctr")}
    with world.ws.write() as tx:
        start = tx.now_ms + 1 + int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(ledger_txn.c.effective_ms), 0))))
        for name, currency, amount, at in moves:
            head, _, key = name.partition(":")
            account = f"{head}:{ids[key]}" if key else head
            legs = [Leg(account, currency, amount), Leg(CASH, currency, -amount)]
            ledger.post(tx, "test", new_id("agr"), legs, effective_ms=start + at)
    edges = [0, *(start + cut for cut in sorted(cuts)), start + 61]
    with world.ws.read() as tx:
        parts = [trial_balance(tx, *edge) for edge in pairwise(edges)]
        held = {(one.account, one.currency): one.amount_micro for one in ledger.balances(tx)}
    balances: dict[tuple[str, str], int] = {}
    for lines in parts:
        assert balanced(lines) and min(min(one.debit_micro, one.credit_micro) for one in lines or [ZERO]) >= 0
        for line in lines:
            assert balances.get((line.account, line.currency), 0) == line.opening_micro
            balances[line.account, line.currency] = line.closing_micro
    assert balances == held


ZERO = TrialLine("", "", 0, 0, 0)


def test_the_body_reads_back(booked: Any) -> None:
    body = closing.body_of(close(booked))
    assert PeriodBody.from_json(body.to_json()) == body
