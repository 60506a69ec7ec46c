"""The royalties commands: the amount that is confirmed is the one recorded, and nothing from outside moves a cursor."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fairframe.cli import payouts as commands
from fairframe.cli import periods as period_commands
from fairframe.cli.main import main
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.royalties import accounts, allocate, ledger, payouts, periods
from fairframe.verify.main import main as verify_main

TITLE = "Sun\rset\n\u202e\x1b[2J\u2028closing"


@pytest.fixture
def earned(world: Any) -> Any:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        spans = [("ann-0", 0, 1_000), ("bob-0", 0, 1_000)]
        world.deliver(tx, deal, spans)
        world.book(tx, deal, "100.00", "INV-1")
    allocate.allocate(world.ws)
    world.deal = deal
    return world


def run(world: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.delenv("COLUMNS", raising=False)  # lines as a program reads them: not folded
    monkeypatch.setattr(sys, "argv", ["fairframe", "-w", str(world.ws.root), "royalties", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_earned_while_a_payout_is_confirmed_is_not_paid(
    earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def meanwhile(question: str, yes: bool) -> None:
        assert "10.00" in question
        with earned.ws.write() as tx:
            earned.book(tx, earned.deal, "900.00", "INV-2")
        allocate.allocate(earned.ws)

    monkeypatch.setattr(commands, "confirm", meanwhile)
    assert run(earned, monkeypatch, "pay", "ann", "--ref", "PAY-1") == 1
    assert "payout.changed" in capsys.readouterr().err
    with earned.ws.read() as tx:
        assert not payouts.payouts_of(tx, earned.contributors["ann"]["id"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_title_moves_no_cursor(world: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.clip(tx, "ann-0", title=TITLE)
        world.deliver(tx, deal, [("ann-0", 0, 1_000)])
        world.book(tx, deal, "100.00", "INV-1")
    allocate.allocate(world.ws)
    assert run(world, monkeypatch, "statement", "ann") == 0
    shown = capsys.readouterr().out
    assert all(character == "\n" or character.isprintable() for character in shown)
    lines = shown.splitlines()
    assert sum(line.startswith("closing") for line in lines) == 1
    assert any("Sun\ufffdset" + "\ufffd" * 3 + "[2J\ufffdclosing" in line for line in lines if line.startswith("clip"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_statements_of_nobody_are_an_empty_list(
    earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("statements", "-o", str(tmp_path / "s"), "--to", "1970-01-02")
    assert run(earned, monkeypatch, *words) == 0 and "for anybody" in capsys.readouterr().err
    assert run(earned, monkeypatch, *words, "--json") == 0 and json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("no_umask")
def test_closing_shows_a_checklist_asks_and_refuses_with_reasons(
    earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, clock: Any
) -> None:
    with earned.ws.write() as tx:
        earned.book(tx, earned.deal, "5.00", "INV-2")
    day = to_rfc3339(earned.ws.clock())
    assert run(earned, monkeypatch, "close", "--to", "now", "--yes") == 1
    said = capsys.readouterr()
    assert "period.refused" in said.err and "waits: not allocated yet" in said.err
    assert run(earned, monkeypatch, "close", "--to", "now", "--json") == 1
    assert json.loads(capsys.readouterr().out)["refused"]
    allocate.allocate(earned.ws)
    assert run(earned, monkeypatch, "statement", "ann", "-o", str(tmp_path / "s")) == 1
    assert "statement.open" in capsys.readouterr().err and not list((tmp_path / "s").iterdir())
    assert run(earned, monkeypatch, "close", "--to", "now") == 1
    said = capsys.readouterr()
    assert "input.confirm" in said.err and "every pool is allocated" in said.out and "owed to a contributor" in said.out
    books = tmp_path / "books"
    assert run(earned, monkeypatch, "close", "--to", "now", "--yes", "-o", str(books)) == 0
    assert "closed up to" in capsys.readouterr().out
    assert run(earned, monkeypatch, "close", "--to", day, "--yes") == 1
    assert "closed already" in capsys.readouterr().err
    assert run(earned, monkeypatch, "periods", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["transactions"], one["waiting"]) == (4, 0)
    assert {path.name for path in books.iterdir()} == {f"{one['id']}.json", f"{one['id']}.items.jsonl"}
    trust = ["--trust", str(earned.ws.root / "party.json")]
    assert verify_main([str(books / f"{one['id']}.json"), *trust]) == 0
    assert run(earned, monkeypatch, "periods", "-o", str(tmp_path / "again")) == 0
    assert (tmp_path / "again" / f"{one['id']}.json").read_bytes() == (books / f"{one['id']}.json").read_bytes()
    assert run(earned, monkeypatch, "statement", "ann", "-o", str(tmp_path / "s")) == 0
    capsys.readouterr()
    for form in ("csv", "parquet", "beancount"):
        words = ("journal", "-o", str(tmp_path / "j"), "--format", form, "--to", one["to"])
        assert run(earned, monkeypatch, *words) == 0
    said = capsys.readouterr()
    assert said.out.count("4 transactions") == 3 and "not all of it" not in said.err
    written = [path for folder in ("again", "s", "j") for path in (tmp_path / folder).iterdir()]
    assert len(written) >= 2 + 3 + 3 and {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert (
        run(earned, monkeypatch, "journal", "-o", str(tmp_path / "j"), "--from", "2020-01-01", "--to", "2020-01-01")
        == 1
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_booked_while_a_closing_is_confirmed_keeps_it_open(
    earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def meanwhile(question: str, yes: bool) -> None:
        with earned.ws.write() as tx:
            payouts.pay(tx, earned.contributors["ann"], "PAY-1")

    monkeypatch.setattr(period_commands, "confirm", meanwhile)
    assert run(earned, monkeypatch, "close", "--to", "now") == 1
    assert "period.changed" in capsys.readouterr().err
    with earned.ws.read() as tx:
        assert periods.closed_until(tx) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_balance_shows_every_account_that_holds_something(
    earned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {"": "", "rev": new_id("rev"), "ctr": earned.contributors["ann"]["public_id"], "pay": new_id("pay")}
    with earned.ws.write() as tx:
        for kind, prefix in ledger.ACCOUNTS.items():
            if kind != "cash":
                account = f"{kind}:{ids[prefix]}" if prefix else kind
                ledger.post(tx, "test", "", [ledger.Leg(account, "USD", 7), ledger.Leg("cash", "USD", -7)])
    assert run(earned, monkeypatch, "balance") == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in accounts.WORDS.values()) and "13 transactions sum to zero" in shown
    assert [line.split("  ")[0] for line in shown.splitlines()[1:4]] == [
        "money held", "invoiced, not paid yet", "invoiced, to be earned when paid",
    ]  # fmt: skip
    assert "payable to a contributor" in shown and "ann" in shown
