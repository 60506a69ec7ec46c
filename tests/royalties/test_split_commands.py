"""royalties scores and royalties compare, as somebody types them."""

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fairframe.cli.main import main
from fairframe.core.money import MICRO
from fairframe.flows.compare_chart import MOST, chart
from fairframe.platform import audit
from fairframe.royalties import compare
from fairframe.royalties.compare import Column, Comparison, Line
from fairframe.royalties.deal_terms import find_agreement

from .test_models_and_refunds import BASE, reported

SPANS = [("Ann <b>-1", 0, 3_000), ("Ann <b>-2", 0, 1_000), ("bob-1", 0, 4_000)]


def run(world: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fairframe", "-w", str(world.ws.root), "royalties", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


@pytest.fixture
def deal(world: Any) -> str:
    with world.ws.write() as tx:
        found: str = world.agree(tx)
        delivery, items = world.deliver(tx, found, SPANS)
        reported(tx, world, found, delivery, BASE, {items[0]: 300, items[2]: 100}, house=100)
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_pool_under_each_method(world: Any, deal: str, monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    with world.ws.read() as tx:
        before = audit.head(tx.conn)
    plot = tmp_path / "plot.svg"
    assert run(world, monkeypatch, "compare", deal, "--amount", "1500.00", "-o", str(plot), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert int(found["pool_micro"]) == 30_000 * MICRO
    assert [(one["method"], one["holds"], bool(one["empty"])) for one in found["methods"]] == [
        ("delivered_ms", True, False),
        ("clips", False, False),
        ("scores", False, True),
        ("usage", False, False),
    ]
    amounts = {
        one["name"]: {k: int(v) // MICRO for k, v in one["amounts_micro"].items()} for one in found["contributors"]
    }
    assert amounts == {
        "Ann <b>": {"delivered_ms": 15_000, "clips": 20_000, "scores": 0, "usage": 22_500},
        "bob": {"delivered_ms": 15_000, "clips": 10_000, "scores": 0, "usage": 7_500},
    }
    text = plot.read_text("utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg") and "Ann &lt;b&gt;" in text
    assert len(ElementTree.fromstring(text).findall("{*}rect")) == 4 + 2 * 3
    assert run(world, monkeypatch, "compare", deal) == 0
    shown = capsys.readouterr().out
    assert "delivered_ms*" in shown and "1000.00000000 " in shown  # half of a fifth of the fee
    with world.ws.read() as tx:
        assert audit.head(tx.conn) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_models_pool_goes_by_its_lineage(world: Any, deal: str, monkeypatch: Any, capsys: Any) -> None:
    assert run(world, monkeypatch, "compare", "model 1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["method"] for one in found["methods"] if one["holds"]] == ["lineage"]
    assert found["of"] == BASE
    by = {one["name"]: one["amounts_micro"] for one in found["contributors"]}
    assert int(by["Ann <b>"]["lineage"]) == 3 * int(by["bob"]["lineage"]) == int(found["pool_micro"]) * 3 // 4
    assert run(world, monkeypatch, "compare", "nobody's") == 1
    assert "model.missing" in capsys.readouterr().err


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_blend_that_is_agreed_comes_first(world: Any) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, basis="1/2 clips + 1/2 delivered_ms")
        world.deliver(tx, deal, SPANS)
        found = compare.of_agreement(tx, find_agreement(tx, deal), 10)
    assert found.columns[0].method == "1/2 clips + 1/2 delivered_ms"
    assert [sum(line.amounts[at] for line in found.lines) for at in range(5)] == [10, 10, 10, 0, 0]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_scores_are_shown_and_taken_in(world: Any, deal: str, monkeypatch: Any, capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("asset,score\nbob-1.mp4,3\n")
    assert run(world, monkeypatch, "scores", deal, str(file), "--by", "Dana", "--dry-run") == 0
    shown = capsys.readouterr()
    assert "of 3 delivered assets 2 have no score" in shown.out and "nothing was written" in shown.err
    assert run(world, monkeypatch, "scores", deal, str(file), "--by", "Dana") != 0  # nobody confirmed it
    assert run(world, monkeypatch, "scores", deal) == 0
    assert "no scores were taken in" in capsys.readouterr().out
    assert run(world, monkeypatch, "scores", deal, str(file), "--yes") == 1
    assert "scores.who" in capsys.readouterr().err
    assert run(world, monkeypatch, "scores", deal, str(file), "--by", "Dana", "--yes", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["assets"], done["total"], done["unscored"]) == (1, "3", 2)
    assert run(world, monkeypatch, "scores", deal, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["public_id"], one["imported_by"]) for one in listed] == [(done["scores"], "Dana")]
    assert run(world, monkeypatch, "compare", deal, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["name"]: int(one["amounts_micro"]["scores"]) > 0 for one in found["contributors"]} == {
        "Ann <b>": False,
        "bob": True,
    }


def test_many_contributors_are_drawn_as_one_group() -> None:
    lines = tuple(Line(f"ctr{n}", f"person {n}", (n * MICRO, MICRO)) for n in range(40, 0, -1))
    columns = (Column("clips", "clips", True), Column("usage", "frames", False))
    text = chart(Comparison("agr", 1, columns, lines), "USD", "a license")
    assert f"{40 - MOST + 1} others" in text and text.count("person ") == MOST - 1
    empty = chart(Comparison("agr", 1, (Column("usage", "frames", True, "no report"),), ()), "JPY", "a license")
    assert "nobody has a weight yet" in empty and "no report" in empty
