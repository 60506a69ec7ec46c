"""Statements and payouts: sums, determinism, and that the standalone verifier recomputes them and finds changes."""

import csv
import io
import json
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.money import MICRO
from fairframe.core.time import from_rfc3339, to_rfc3339
from fairframe.platform import audit
from fairframe.royalties import allocate, balance, closing, corrections, payouts, revenue, statements
from fairframe.royalties.periods import closed_until
from fairframe.royalties.statement_html import render_html
from fairframe.royalties.tables import statement as statement_table
from fairframe.royalties.trial import trial
from fairframe.verify.main import main as verify_main
from fairframe.verify.statement import check_body

DAY_MS = 86_400_000
SPANS = [(f"{who}-{n}", 0, 997 * (n + 1) + at * 101) for at, who in enumerate(("ann", "bob", "cyd")) for n in range(3)]


@pytest.fixture
def earned(world: Any, clock: Any) -> Any:
    """Two fees and a payout between them, a day apart each, and the books closed. Returns the world."""
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "100.01", "INV-1")
    allocate.allocate(world.ws)
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        payouts.pay(tx, world.contributors["ann"], "PAY-1")
    clock.advance(DAY_MS)
    with world.ws.write() as tx:
        upgrade = world.agree(tx, upgrade_of=deal, share="1/3", purpose="commercial")
        world.deliver(tx, upgrade, [("ann-9", 0, 12_345)])
        revenue.book(tx, upgrade, world.usd("777.77"), "INV-2", 77)
    allocate.allocate(world.ws)
    close(world)
    return world


def close(world: Any, to_ms: int | None = None) -> None:
    """Close the books up to now."""
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1 if to_ms is None else to_ms)


def issue(world: Any, name: str = "ann", **period: Any) -> statements.Statement:
    with world.ws.write() as tx:
        return statements.statement(tx, world.contributors[name], **period)


def wrong(made: statements.Statement, body: dict[str, Any] | None = None) -> list[str]:
    found = check_body(body or made.body, made.bundle.recipient, made.bundle.sender)
    return [finding.text for finding in found if finding.ok is False]


def test_a_draft_says_the_same_and_writes_nothing(earned: Any) -> None:
    with earned.ws.read() as tx:
        until = closed_until(tx)
        before, body = audit.head(tx.conn), statements.draft(tx, earned.contributors["ann"], to_ms=until)
        assert audit.head(tx.conn) == before and not tx.rows(statement_table.select())
    assert issue(earned).body == body


def test_a_statement_adds_up_and_is_recomputed(earned: Any) -> None:
    for name in ("ann", "bob", "cyd"):
        made = issue(earned, name)
        assert wrong(made) == []
        body = made.body
        assert len(body["allocations"]) == 2
        with earned.ws.read() as tx:
            assert int(body["closing_micro"]) == payouts.owed_micro(tx, earned.contributors[name], "USD")
        parts = int(body["accrued_micro"]), int(body["payable_minor"]) * MICRO, int(body["carry_micro"])
        assert sum(parts) == int(body["closing_micro"])
    assert made.bundle.recipient == earned.contributors["cyd"]["public_id"] and made.bundle.id == made.id


def test_all_parts_of_a_pool_are_on_the_statements(earned: Any) -> None:
    bodies = [issue(earned, name).body for name in ("ann", "bob", "cyd")]
    for at in (0, 1):
        parts = [int(body["allocations"][at]["own"]["amount_micro"]) for body in bodies]
        assert sum(parts) == int(bodies[0]["allocations"][at]["pool_micro"])


def test_the_same_facts_give_the_same_bytes(earned: Any, clock: Any) -> None:
    until = clock.now + 1
    first = issue(earned)
    assert first.body["period"]["to"] == to_rfc3339(until)
    clock.advance(DAY_MS)
    again = issue(earned, to_ms=until)
    assert first.new and not again.new
    assert again.envelope == first.envelope and again.csv == first.csv
    assert render_html(again) == render_html(first)
    with earned.ws.write() as tx:
        world_deal = earned.agree(tx)
        earned.deliver(tx, world_deal, SPANS)
        earned.book(tx, world_deal, "5.00", "INV-3")
    allocate.allocate(earned.ws)
    assert issue(earned).envelope == first.envelope  # what is booked later changes no closed period
    close(earned)
    assert len(issue(earned).body["allocations"]) == 3


def test_statements_join(earned: Any, clock: Any) -> None:
    middle = clock.now - DAY_MS + 1
    before, after = issue(earned, to_ms=middle), issue(earned, from_ms=middle)
    assert after.body["opening_micro"] == before.body["closing_micro"]
    assert before.body["payouts"] and not after.body["payouts"]
    assert issue(earned).body["closing_micro"] == after.body["closing_micro"]
    assert wrong(before) == wrong(after) == []


def test_what_is_booked_later_in_the_same_millisecond_is_in_the_next_statement(earned: Any, clock: Any) -> None:
    """A clock that lags stands still at the last entry's time for as long as it lags."""
    ann, made = earned.contributors["ann"], issue(earned)
    deal = made.body["allocations"][0]["agreement"]["id"]
    assert int(made.body["closing_micro"]) > MICRO and not issue(earned).new
    for count in range(3):
        with earned.ws.write() as tx:
            if count == 0:
                payouts.pay(tx, ann, "PAY-2")
            earned.book(tx, deal, "1.00", f"INV-{count + 3}")
        allocate.allocate(earned.ws)
        with earned.ws.write() as tx:
            corrections.correct(tx, deal, f"INV-{count + 3}", "A mistake")
        clock.advance(1)
        start = from_rfc3339(made.body["period"]["to"])
        close(earned, start + 1)
        after = issue(earned, from_ms=start)
        assert after.body["opening_micro"] == made.body["closing_micro"]
        assert (len(after.body["payouts"]), len(after.body["adjustments"])) == (int(count == 0), 1)
        assert wrong(after) == []
        made = after
    assert issue(earned).body["closing_micro"] == made.body["closing_micro"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_began_before_a_closing_and_is_booked_after_it_is_in_the_next_statement(earned: Any, clock: Any) -> None:
    with earned.ws.write() as tx:
        clock.advance(5_000)
        close(earned)
        made = issue(earned)
        payouts.pay(tx, earned.contributors["ann"], "PAY-2")
    clock.advance(1)
    close(earned)
    after = issue(earned, from_ms=from_rfc3339(made.body["period"]["to"]))
    assert after.body["opening_micro"] == made.body["closing_micro"]
    assert len(after.body["payouts"]) == 1 and wrong(after) == []


def test_a_closing_waits_for_what_is_being_booked(earned: Any, clock: Any) -> None:
    clock.advance(5_000)
    asked = threading.Thread(target=lambda: close(earned))
    with earned.ws.write() as tx:
        payouts.pay(tx, earned.contributors["ann"], "PAY-2")
        clock.advance(5_000)
        asked.start()
        asked.join(0.5)
        assert asked.is_alive()
    asked.join(30)
    assert [one["reference"] for one in issue(earned).body["payouts"]] == ["PAY-1", "PAY-2"]


def test_a_statement_is_signed_of_closed_time_only(earned: Any, clock: Any) -> None:
    """What is booked in the rest of it would make its closing balance untrue."""
    until = clock.now + 1
    clock.advance(DAY_MS)
    with pytest.raises(Refused, match="they end at") as error:
        issue(earned, to_ms=until + 1)
    assert error.value.code == "statement.open"
    with earned.ws.write() as tx:
        ann = earned.contributors["ann"]
        payouts.pay(tx, ann, "PAY-2")
        assert len(statements.draft(tx, ann)["payouts"]) == 2
        assert len(statements.draft(tx, ann, to_ms=until)["payouts"]) == 1
    assert issue(earned).body["period"]["to"] == to_rfc3339(until)
    with pytest.raises(InputError, match="ends before"):
        issue(earned, from_ms=until)


def test_nothing_is_signed_before_a_period_is_closed(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, SPANS)
        world.book(tx, deal, "100.00", "INV-1")
    allocate.allocate(world.ws)
    for period in ({}, {"to_ms": 5}, {"to_ms": 0}):
        with pytest.raises(Refused, match="none is closed yet"):
            issue(world, **period)
    with world.ws.read() as tx:
        assert len(statements.draft(tx, world.contributors["ann"])["allocations"]) == 1


def test_a_consistent_lie_about_the_own_part_is_found(earned: Any) -> None:
    """A unit moved from the contributor, with every sum made to fit."""
    made = issue(earned)
    body = deepcopy(made.body)
    own = body["allocations"][0]["own"]
    own["floor_micro"] = own["amount_micro"] = str(int(own["floor_micro"]) - 1)
    own["extra"] = False
    for name in ("earned_micro", "closing_micro", "accrued_micro"):
        body[name] = str(int(body[name]) - 1)
    assert any("floor and remainder" in text for text in wrong(made, body))


def test_the_share_stays_the_librarys_word(earned: Any) -> None:
    """Share halved and net receipts doubled give the same pool: nothing in a statement alone can tell."""
    made = issue(earned)
    found = check_body(made.body, made.bundle.recipient, made.bundle.sender)
    unseen = [one.text for one in found if one.ok is None and "compare it with the signed agreement" in one.text]
    agreed = [one["agreement"] for one in made.body["allocations"]]
    assert len(unseen) == 2
    for text, one in zip(unseen, agreed, strict=True):
        assert f"that {one['id']}, version 1, agrees on a share of {one['share']}, split by" in text


def test_the_verifier_command(earned: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = issue(earned)
    file = tmp_path / "statement.json"
    file.write_bytes(made.envelope)
    arguments = [str(file), "--trust", str(earned.ws.root / "party.json"), "--json"]
    assert verify_main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "statement" and len(said["findings"]) > 8
    file.write_bytes(made.envelope.replace(b"A", b"B", 1))
    assert verify_main(arguments) == 1


def test_the_csv_holds_the_same_amounts(earned: Any) -> None:
    with earned.ws.write() as tx:
        deal = earned.agree(tx)
        clip = earned.clip(tx, "ann-8")
        earned.assets["ann-8"] = clip
        earned.deliver(tx, deal, [("ann-8", 0, 100)])
        earned.book(tx, deal, "9.00", "INV-8")
    allocate.allocate(earned.ws)
    made = issue(earned)
    rows = list(csv.DictReader(io.StringIO(made.csv)))
    sums: dict[str, int] = {}
    for row in rows:
        sums[row["line"]] = sums.get(row["line"], 0) + int(row["amount_micro"])
    body = made.body
    assert sums["earned"] == sums["clip"] == int(body["earned_micro"])
    assert sums["payout reserved"] == -int(body["paid_micro"]) and sums["payout settled"] == 0
    assert sums["opening"] + sums["earned"] + sums["payout reserved"] == sums["closing"]
    assert sums["not yet released"] + sums["payable now"] + sums["carried over"] == sums["closing"]


def test_a_formula_in_a_title_is_disarmed_in_csv_and_html(earned: Any) -> None:
    made = issue(earned)
    clip = made.body["allocations"][0]["assets"][0]
    clip["title"] = clip["filename"] = '=cmd|"/c calc"!A1<script>alert(1)</script>'
    again = statements.Statement(made.id, made.envelope, made.bundle, statements.to_csv(made.body), False)
    assert "\"'=cmd" in again.csv and "<script>alert" not in render_html(again)


def test_html_is_whole_and_loads_nothing(earned: Any) -> None:
    html = render_html(issue(earned))
    assert html.startswith("<!doctype html>") and "Ann" not in html and "ann" in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "") and "https://" not in html
    assert "<svg" in html and "Title of ann-2" in html


def test_payouts_are_the_floor_and_happen_once(earned: Any) -> None:
    ann = earned.contributors["ann"]
    with earned.ws.write() as tx:
        owed = payouts.owed_micro(tx, ann, "USD")
        paid = payouts.pay(tx, ann, "PAY-2")
        again = payouts.pay(tx, ann, "PAY-2")
    assert paid.amount.minor == owed // MICRO and paid.carry_micro == owed % MICRO
    assert (again.id, again.new, again.carry_micro) == (paid.id, False, paid.carry_micro)
    with earned.ws.write() as tx, pytest.raises(Conflict):
        payouts.pay(tx, earned.contributors["bob"], "PAY-2")
    with earned.ws.write() as tx, pytest.raises(Refused, match="less than one minor unit"):
        payouts.pay(tx, ann, "PAY-3")
    with earned.ws.write() as tx, pytest.raises(InputError):
        payouts.pay(tx, ann, "  ")
    with earned.ws.read() as tx:
        assert trial(tx).ok
        assert [row["reference"] for row in payouts.payouts_of(tx, ann["id"])] == ["PAY-1", "PAY-2"]


def test_a_payout_is_of_the_amount_that_was_confirmed(earned: Any) -> None:
    ann = earned.contributors["ann"]
    with earned.ws.read() as tx:
        seen = payouts.plan(tx, ann, "PAY-2")
    with earned.ws.write() as tx:
        deal = earned.agree(tx)
        earned.deliver(tx, deal, SPANS)
        earned.book(tx, deal, "900.00", "INV-3")
    allocate.allocate(earned.ws)
    with earned.ws.write() as tx, pytest.raises(Conflict) as error:
        payouts.pay(tx, ann, "PAY-2", confirmed=seen)
    assert error.value.code == "payout.changed" and str(seen.amount) in str(error.value)
    with earned.ws.write() as tx:
        more = payouts.plan(tx, ann, "PAY-2")
        assert more.amount > seen.amount
        assert payouts.pay(tx, ann, "PAY-2", confirmed=more).amount == more.amount
        assert not payouts.pay(tx, ann, "PAY-2", confirmed=more).new
        with pytest.raises(Conflict):
            payouts.pay(tx, ann, "PAY-2", confirmed=seen)


def test_adjustments_and_several_currencies(earned: Any, clock: Any) -> None:
    ann = earned.contributors["ann"]
    one = issue(earned).body["allocations"][1]
    with earned.ws.write() as tx:
        corrections.correct(tx, one["agreement"]["id"], "INV-2", "A mistake")
        assert statements.draft(tx, ann)["adjusted_micro"] == "-" + one["own"]["amount_micro"]
    clock.advance(1)
    close(earned)
    made = issue(earned)
    assert [(one["event"], one["allocation"]) for one in made.body["adjustments"]] == [
        (one["revenue"]["event"], one["allocation"])
    ]
    assert wrong(made) == [] and f"{one['revenue']['event']} taken back" in render_html(made)
    with earned.ws.write() as tx:
        deal = earned.agree(tx, currency="JPY")
        earned.deliver(tx, deal, [("ann-1", 0, 10)])
        revenue.book(tx, deal, earned.money("1001", "JPY"), "INV-J")
    allocate.allocate(earned.ws)
    clock.advance(1)
    close(earned)
    with pytest.raises(InputError, match="JPY, USD"):
        issue(earned)
    with earned.ws.read() as tx:
        assert statements.currencies(tx, ann) == ["JPY", "USD"]
    yen = issue(earned, currency="JPY")
    assert wrong(yen) == [] and yen.body["accrued_micro"] == "200200000" and "<dd>200<" in render_html(yen)


def test_nothing_earned_and_bad_periods(earned: Any) -> None:
    with earned.ws.write() as tx:
        stranger = earned.person(tx, "zoe")
    with earned.ws.write() as tx, pytest.raises(Refused):
        statements.statement(tx, stranger)
    with pytest.raises(InputError):
        issue(earned, from_ms=5, to_ms=5)


def test_the_body_is_canonical_json(earned: Any) -> None:
    body = issue(earned).body
    assert parse(canonical(body)) == body


def test_the_balance_in_words(earned: Any) -> None:
    with earned.ws.read() as tx:
        position = balance.balance(tx)
    assert position.trial.ok and position.pending == []
    assert [line.words for line in position.accounts[:3]] == ["money held", "earned by the library", "tax to hand on"]
    assert {line.name for line in position.accounts[3:]} == {"ann", "bob", "cyd"}
    assert all(line.amount_micro >= 0 for line in position.accounts)
