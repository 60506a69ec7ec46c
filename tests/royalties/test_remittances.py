"""What leaves for good: tax, withheld tax, the library's share; once, and never more than there is."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.cli.main import main
from fairframe.core.errors import Conflict, InputError, Refused
from fairframe.core.money import MICRO, Currency, Money
from fairframe.core.rational import Share
from fairframe.flows.verify import verify_audit
from fairframe.platform.tables import audit_entry
from fairframe.royalties import (
    accounts,
    allocate,
    balance,
    batches,
    closing,
    journal,
    ledger,
    payees,
    payout_steps,
    payout_terms,
    remittances,
    revenue,
)
from fairframe.royalties.tables import ledger_txn, remittance
from fairframe.royalties.trial import trial

from .conftest import DAY_MS
from .test_journal import bean_check, in_beancount

USD = Currency("USD")


@pytest.fixture
def earned(world: Any) -> Any:
    """120.00 received, 20.00 of it tax; 20.00 for ann, 2.00 of which are withheld; the library's share is 80.00."""
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("ann-0", 0, 1_000)])
        revenue.book(tx, deal, world.usd("120.00"), "INV-1", 2_000)
        payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
        payout_terms.set_rate(tx, "AT", Share.parse("1/10"))
        payees.set_payee(tx, world.contributors["ann"], holder="Ann", iban="AT611904300234573201", country="AT")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        batch = batches.prepare(tx, batches.plan(tx, "B-1", "USD"))
        payout_steps.submit(tx, batch)
        payout_steps.settle(tx, batch)
    return world


def held(world: Any) -> dict[str, int]:
    """Account -> its balance in minor units."""
    with world.ws.read() as tx:
        assert trial(tx).ok
        return {one.account: one.amount_micro // MICRO for one in ledger.balances(tx) if one.amount_micro}


def remit(world: Any, account: str, minor: int, name: str, on: int | None = None) -> remittances.Remittance:
    with world.ws.write() as tx:
        return remittances.remit(tx, account, Money(minor, USD), name, on)


def test_each_account_is_emptied_and_the_books_hold(earned: Any) -> None:
    assert held(earned) == {"cash": 10_200, "library": -8_000, "tax": -2_000, "withholding": -200}
    for account, minor in (("tax", 2_000), ("withholding", 200), ("library", 8_000)):
        done = remit(earned, account, minor, f"T-{account}")
        assert done.new and done.id.startswith("rmt_") and done.held_micro == minor * MICRO
        with pytest.raises(Refused) as caught:
            remit(earned, account, 1, f"T-{account}-2")
        assert caught.value.code == "remittance.held"
    assert held(earned) == {}
    with earned.ws.read() as tx:
        rows = tx.rows(remittance.select().order_by(remittance.c.id))
        txns = tx.rows(ledger_txn.select().where(ledger_txn.c.kind == remittances.KIND).order_by(ledger_txn.c.id))
        leaves = tx.scalar(
            sa.select(sa.func.count()).select_from(audit_entry).where(audit_entry.c.kind == "remittance.booked")
        )
        assert [row["public_id"] for row in rows] == [row["subject"] for row in txns] and leaves == 3
        found = balance.balance(tx)
    assert [(one.account, one.amount_minor, one.count) for one in found.remitted] == [
        ("library", 8_000, 1), ("tax", 2_000, 1), ("withholding", 200, 1),
    ]  # fmt: skip
    assert not [one for one in verify_audit(earned.ws, []).findings if one.ok is False]


def test_a_reference_is_booked_once(earned: Any, clock: Any) -> None:
    first = remit(earned, "tax", 500, " T-1 ")
    clock.advance(DAY_MS)
    again = remit(earned, "tax", 500, "T-1")
    assert (again.id, again.new, again.effective_ms) == (first.id, False, first.effective_ms)
    assert remit(earned, "tax", 500, "T-1", first.effective_ms).id == first.id
    for account, minor, on in (("tax", 501, None), ("library", 500, None), ("tax", 500, first.effective_ms + 1)):
        with pytest.raises(Conflict) as caught:
            remit(earned, account, minor, "T-1", on)
        assert caught.value.code == "remittance.conflict"
    assert held(earned)["tax"] == -1_500


def test_never_more_than_there_is(earned: Any, clock: Any) -> None:
    with pytest.raises(Refused, match=r"20\.00"):
        remit(earned, "tax", 2_001, "T-1")
    with pytest.raises(Refused) as caught:
        remit(earned, "tax", 100, "T-1", clock.now - DAY_MS)
    assert caught.value.code == "remittance.held", "it was not held on that day"
    with earned.ws.write() as tx:
        deal = earned.agree(tx, terms={"recognized": "invoiced"})
        earned.deliver(tx, deal, [("bob-0", 0, 1_000)])
        revenue.book(tx, deal, earned.usd("9000.00"), "INV-9", about=revenue.About("invoice"))
    with pytest.raises(Refused) as caught:
        remit(earned, "library", 10_201, "T-1")
    assert caught.value.code == "remittance.cash", "invoiced, and not paid"
    for bad in (0, -5, ledger.MAX_MINOR + 1):
        with pytest.raises(InputError):
            remit(earned, "tax", bad, "T-1")
    for account, name, on in (("cash", "T-1", None), ("tax", " ", None), ("tax", "T-1", clock.now + 2 * DAY_MS)):
        with pytest.raises(InputError):
            remit(earned, account, 1, name, on)
    with earned.ws.read() as tx:
        assert not remittances.listing(tx)


def test_into_a_closed_period_it_is_booked_after_it(earned: Any, clock: Any) -> None:
    clock.advance(DAY_MS)
    with earned.ws.write() as tx:
        until = closing.close(tx, tx.now_ms).to_ms
    clock.advance(DAY_MS)
    done = remit(earned, "tax", 2_000, "T-1", until - 5)
    assert done.effective_ms == until
    assert remit(earned, "tax", 2_000, "T-1", until - 5).id == done.id


def test_another_day_is_other_content_also_after_its_period_is_closed(earned: Any, clock: Any) -> None:
    clock.advance(DAY_MS)
    done = remit(earned, "tax", 500, "T-1")
    clock.advance(DAY_MS)
    with earned.ws.write() as tx:
        closing.close(tx, tx.now_ms)
    assert remit(earned, "tax", 500, "T-1", done.effective_ms).id == done.id
    with pytest.raises(Conflict):
        remit(earned, "tax", 500, "T-1", done.effective_ms - DAY_MS)


def test_it_is_in_the_journal(earned: Any, tmp_path: Path) -> None:
    remit(earned, "withholding", 200, "=T-1")
    with earned.ws.read() as tx:
        path = journal.export(tx, tmp_path, "beancount").path
        lines = journal.export(tx, tmp_path, "csv").path
    assert bean_check(path).returncode == 0
    assert ("Liabilities:Withholding", "USD") not in in_beancount(path)[0]
    with lines.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] == remittances.KIND]
    assert {(row["account"], row["memo"]) for row in rows} == {
        ("cash", "Withheld tax paid over, =T-1"), ("withholding", "Withheld tax paid over, =T-1"),
    }  # fmt: skip


def run(world: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.delenv("COLUMNS", raising=False)  # lines as a program reads them: not folded
    monkeypatch.setattr(sys, "argv", ["fairframe", "-w", str(world.ws.root), "royalties", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_command(earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    words = ("remit", "tax", "--amount", "5.00", "--currency", "usd", "--ref", "T-1")
    assert run(earned, monkeypatch, *words) == 1 and "--yes" in capsys.readouterr().err
    assert held(earned)["tax"] == -2_000
    assert run(earned, monkeypatch, *words, "--yes") == 0
    assert "20.00000000 USD, and 15.00000000 USD after it" in capsys.readouterr().out
    assert run(earned, monkeypatch, *words) == 0 and "known" in capsys.readouterr().out
    assert run(earned, monkeypatch, *words[:3], "99.00", *words[4:], "--json") == 1
    assert "remittance.conflict" in capsys.readouterr().err
    assert run(earned, monkeypatch, "remit", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["account"], one["amount_minor"], one["reference"]) == ("tax", 500, "T-1")
    assert run(earned, monkeypatch, "remit") == 0 and "tax paid over" in capsys.readouterr().out
    assert run(earned, monkeypatch, "remit", "tax") == 1
    assert run(earned, monkeypatch, "remit", *words[2:]) == 1, "of what is not said"
    assert run(earned, monkeypatch, "remit", "cash", *words[2:]) == 2
    capsys.readouterr()
    assert run(earned, monkeypatch, "balance") == 0
    told = capsys.readouterr()
    assert "tax paid over: 5.00 USD (1)" in told.err and "15.00000000 USD" in told.out
    paid, never = accounts.WORDS["contributor"], accounts.WORDS["receivable"]
    assert paid not in told.out, "ann was paid in full"
    assert run(earned, monkeypatch, "balance", "--all") == 0
    everything = capsys.readouterr().out
    assert paid in everything and never not in everything
