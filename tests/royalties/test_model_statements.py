"""What a fine-tuned model earned, from labs' reports on it and on its base through to signed statements."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.apportion import hamilton
from fairframe.core.money import MICRO
from fairframe.platform import bundles
from fairframe.royalties import allocate, closing, revenue, statements
from fairframe.royalties.about import About
from fairframe.royalties.statement_html import render_html
from fairframe.royalties.statements import Statement
from fairframe.verify.main import main

from .conftest import World
from .test_models_and_refunds import BASE, SPANS, TUNED, reported

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def sell(world: World, base_terms: dict[str, Any], terms: dict[str, Any]) -> dict[str, Statement]:
    """A base and its fine-tuning, each under an agreement of its own, a subscription and a refund of part of it; the
    books closed. Returns each contributor's signed statement."""
    with world.ws.write() as tx:
        first = world.agree(tx, purpose="research", terms=base_terms)
        deal = world.agree(tx, purpose="commercial", upgrade_of=first, share="1/3", terms=terms)
        delivery, items = world.deliver(tx, first, SPANS)
        reported(tx, world, first, delivery, BASE, {items[0]: 600, items[1]: 1}, house=199, method="attested")
        made_of = (("checkpoint", f"hash of {BASE}", 7, 10), ("external", "elsewhere", 1, 10))
        reported(
            tx, world, deal, delivery, TUNED, {items[1]: 10, items[2]: 40}, house=50, made_of=made_of, family=first
        )
        about = About("subscription", model=TUNED)
        revenue.book(tx, deal, world.usd("1000.01"), "SUB-1", about=about)
        revenue.book(tx, deal, world.usd("0.10"), "BACK-1", about=About("refund", of="SUB-1", model=TUNED))
    assert all(one.allocation for one in allocate.allocate_all(world.ws))
    with world.ws.write() as tx:
        closing.close(tx, tx.now_ms + 1)
    with world.ws.write() as tx:
        return {name: statements.statement(tx, row) for name, row in world.contributors.items()}


def test_a_fine_tuned_models_revenue_comes_to_statements_that_are_recomputed(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = sell(world, {}, {})
    party, path = str(world.ws.root / "party.json"), tmp_path / "statement.json"
    sums = {
        name: [int(one["own"]["amount_micro"]) for one in found.body["allocations"]] for name, found in made.items()
    }
    # 7/10 of the base's 600, 1 (house 199) of 800, and 2/10 of the tuning's own 10, 40 (house 50) of 100 frames
    weights = {"ann": 7 * 600 * 100, "bob": 7 * 100 + 2 * 10 * 800, "cyd": 2 * 40 * 800}
    pools = [100_001 * MICRO // 3, 99_991 * MICRO // 3 - 100_001 * MICRO // 3]
    for at, pool in enumerate(pools):
        exact = hamilton(abs(pool), list(weights.values()), [b"a", b"b", b"c"])
        assert sum(one[at] for one in sums.values()) == pool
        assert all(abs(abs(one[at]) - share) <= 1 for one, share in zip(sums.values(), exact, strict=True))
    for found in made.values():
        path.write_bytes(found.envelope)
        assert main([str(path), "--trust", party]) == 0
        out = capsys.readouterr().out
        assert "was trained as its lineage says, by usage that is attested, measured" in out
        assert "from which it takes" in out and "does not hold" not in out
        one, back = found.body["allocations"]
        assert one["method"] == back["method"] == "lineage" and one["model"]["checkpoint"] == TUNED
        assert [run["name"] for run in one["model"]["runs"]] == ["model 1", "model 2"] and one["model"] == back["model"]
        lie = json.loads(json.dumps(found.body))
        lie["allocations"][0]["own"]["weight"] = str(int(one["own"]["weight"]) - 1)
        with world.ws.write() as tx:
            path.write_bytes(bundles.issue(tx, "statement", found.bundle.recipient, lie))
        assert main([str(path), "--trust", party]) == 1
        assert "the proof does not lead from the own weight" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("base_open", "open_", "names", "model"),
    [
        (True, True, ["model 1", "model 2"], "model 2"),
        (False, True, ["", "model 2"], "model 2"),
        (True, False, ["", ""], ""),
    ],
)
def test_a_trainings_name_is_told_only_where_its_own_agreement_lets_its_lab_be_named(
    world: World, base_open: bool, open_: bool, names: list[str], model: str
) -> None:
    made = sell(world, {"licensee_named": base_open}, {"licensee_named": open_})["ann"]
    told = made.body["allocations"][0]["model"]
    assert ([run["name"] for run in told["runs"]], told["name"]) == (names, model)
    outside = {one["name"] for one in told["not_paid"]} - {""}
    assert bool(outside) == (base_open and open_)
    for hidden in {"model 1", "model 2"} - {*names}:
        assert hidden not in json.dumps(made.body)
        assert hidden not in render_html(made) and hidden not in made.csv
