"""The royalties commands: the amount that is confirmed is the one recorded, and nothing from outside moves a cursor."""

import sys
from typing import Any

import pytest

from fairframe.cli import payouts as commands
from fairframe.cli.main import main
from fairframe.royalties import allocate, payouts

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
