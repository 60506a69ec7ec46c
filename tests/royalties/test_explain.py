"""Explaining an amount step by step, and the statements of everyone at once."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fairframe.cli.main import main
from fairframe.core.errors import BadDocument, NotFound, Refused
from fairframe.platform.workspace import Workspace
from fairframe.royalties import allocate, closing, explain, statement_batch, statements
from fairframe.royalties.about import About
from fairframe.royalties.corrections import correct
from fairframe.royalties.revenue import book
from fairframe.verify.statement import check_body

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PEOPLE = ("ann", "bob", "cyd")
SPANS = [(f"{who}-{n}", 0, 997 * (n + 1) + at * 101) for at, who in enumerate(PEOPLE) for n in range(3)]


@pytest.fixture
def deal(world: Any) -> str:
    """A fee, part of it refunded, and the books closed. Returns the agreement's id."""
    with world.ws.write() as tx:
        made = world.agree(tx)
        world.deliver(tx, made, SPANS)
        world.book(tx, made, "100.01", "INV-1")
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        book(tx, made, world.usd("33.37"), "REF-1", about=About("refund", of="INV-1"))
    allocate.allocate(world.ws)
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
    return made


def body(world: Any, name: str) -> dict[str, Any]:
    with world.ws.read() as tx:
        return statements.draft(tx, world.contributors[name])


@on_sqlite
def test_a_refund_is_on_the_statement_and_recomputed(world: Any, deal: str) -> None:
    for name in PEOPLE:
        found = body(world, name)
        gave, took = (int(one["own"]["amount_micro"]) for one in found["allocations"])
        assert gave > 0 > took and found["earned_micro"] == str(gave + took)
        wrong = check_body(found, world.contributors[name]["public_id"], world.ws.party_id)
        assert [one.text for one in wrong if one.ok is False] == []
        refund = found["allocations"][1]
        assert refund["weights_of"] == found["allocations"][0]["allocation"]
        assert refund["weights_root"] == found["allocations"][0]["weights_root"]
    took = [int(body(world, name)["allocations"][1]["own"]["amount_micro"]) for name in PEOPLE]
    assert sum(took) == int(refund["pool_micro"]) < 0


@on_sqlite
def test_the_steps_lead_to_the_amount(world: Any, deal: str) -> None:
    ann = body(world, "ann")
    found = explain.explain(ann, agreement=deal)
    assert [one.amount_micro for one in found] == [one["own"]["amount_micro"] for one in ann["allocations"]]
    text = "\n".join(found[0].steps)
    own = ann["allocations"][0]["own"]
    assert "100.01 USD came in" in text and "100.01 × 1/5 = 20.00200000, the pool" in text
    for number in ("floor_micro", "remainder", "weight"):
        assert f"{int(own[number]):,}" in text
    assert "33.37 USD went back" in "\n".join(found[1].steps) and "100.01 USD gross" in "\n".join(found[1].steps)
    assert len(found[0].clips) == 3
    with pytest.raises(NotFound):
        explain.explain(ann, model="ckp_" + "0" * 26)
    assert "not released" in explain.account(ann)


def test_everyones_statements_are_signed_once_and_are_those_asked_for_alone(world: Any, deal: str) -> None:
    with world.ws.read() as tx:
        end = closing.periods.closed_until(tx)
        assert [one.contributor["name"] for one in statement_batch.wanted(tx, end)].sort() is None
        assert statement_batch.wanted(tx, 5) == []
    made = [one for some in statement_batch.batch(world.ws, 0, end) for one in some]
    assert sorted(one.body["contributor"]["name"] for one in made) == list(PEOPLE) and all(one.new for one in made)
    again = [one for some in statement_batch.batch(world.ws, 0, end) for one in some]
    assert [one.envelope for one in again] == [one.envelope for one in made] and not any(one.new for one in again)
    with world.ws.write() as tx:
        alone = statements.statement(tx, world.contributors["ann"])
    assert alone.envelope in [one.envelope for one in made]


@on_sqlite
def test_one_that_cannot_be_signed_holds_up_no_other(world: Any, deal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    end, first = _closed(world.ws), min(row["public_id"] for row in world.contributors.values())

    def too_large(tx: Any, who: Any, *rest: Any) -> statements.Statement:
        if who["public_id"] == first:
            raise BadDocument("The document is longer than 1 bytes", code="document.too_large")
        return statements.statement(tx, who, *rest)

    monkeypatch.setattr(statement_batch, "statement", too_large)
    made: list[statements.Statement] = []
    with pytest.raises(Refused) as caught:
        for some in statement_batch.batch(world.ws, 0, end):
            made += some
    assert caught.value.code == "statement.some" and first in caught.value.reasons[0]
    assert len(made) == len(PEOPLE) - 1 and all(one.new for one in made)


def test_a_batch_reads_an_allocation_once(world: Any, deal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many statements read no weights more: the lines of all are asked for once for each allocation."""
    from sqlalchemy import event

    asked: list[str] = []
    event.listen(world.ws.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    list(statement_batch.batch(world.ws, 0, _closed(world.ws)))
    whole = [one for one in asked if "allocation_line.contributor_pseudonym, allocation_line.weight" in one]
    whole = [one for one in whole if "contributor_id" not in one.partition("WHERE")[2]]
    assert len(whole) == 2, "two allocations, three statements"


def _closed(ws: Workspace) -> int:
    with ws.read() as tx:
        return closing.periods.closed_until(tx)


@on_sqlite
def test_the_commands(
    world: Any, deal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["fairframe", "-w", str(world.ws.root), "royalties", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        assert not stop.value.code, err
        return out

    out = run("explain", "ann", "--agreement", deal)
    assert "1. 100.01 USD came in on" in out and "So the own part is" in out
    assert len(json.loads(run("explain", "ann", "--agreement", deal, "--json"))) == 2
    assert "3 statements in" in " ".join(
        run("statements", "-o", str(tmp_path / "all"), "--language", "ar", "--yes").split()
    )
    kinds = sorted(path.suffix for path in (tmp_path / "all").iterdir())
    assert kinds == sorted([".json", ".csv", ".html", ".pdf"] * 3)
    run("statement", "ann", "-o", str(tmp_path / "one"), "--language", "en")
    assert len(list((tmp_path / "one").glob("stm_*.en.pdf"))) == 1


@on_sqlite
def test_refunds_in_parts_that_take_all_leave_nothing_and_are_recomputed(world: Any, deal: str) -> None:
    """One of them was booked by mistake and taken back: what was left before the next one does not count it."""
    with world.ws.write() as tx:
        book(tx, deal, world.usd("10.00"), "REF-2", about=About("refund", of="INV-1"))
        correct(tx, deal, "REF-2", "A mistake")
        book(tx, deal, world.usd("66.64"), "REF-3", about=About("chargeback", of="INV-1"))
    allocate.allocate(world.ws)
    for name in PEOPLE:
        found = body(world, name)
        wrong = check_body(found, world.contributors[name]["public_id"], world.ws.party_id)
        assert [one.text for one in wrong if one.ok is False] == []
        assert found["allocations"][-1]["revenue"]["of"]["left_gross_minor"] == "6664"
    assert sum(int(body(world, name)["closing_micro"]) for name in PEOPLE) == 0
