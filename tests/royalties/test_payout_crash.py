"""Payouts whose process is killed before any of its effects: the same commands go on; nobody is paid twice."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.royalties import allocate, ledger, payees, payout_steps, payout_terms, revenue
from fairframe.royalties.payout_states import placed
from fairframe.royalties.trial import trial

SCRIPT = Path(__file__).with_name("payout_script.py")
ROUNDS = int(os.environ.get("FAIRFRAME_CRASH_ROUNDS", "3"))
EFFECTS = 20
"""Not quite as many as the commands have together."""
OURS, ANN, BOB = "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"


def check(world: Any) -> dict[str, int]:
    """The ledger holds, and each payout's money lies where its state says; the balances."""
    with world.ws.read() as tx:
        assert trial(tx).ok
        held = {one.account: one.amount_micro for one in ledger.balances(tx) if one.amount_micro}
        rows = payout_steps.listing(tx)
    moving: Counter[str] = Counter()
    for row in rows:
        moving.update(
            placed(row["state"], payout_steps.parts_of(row)) if row["state"] in ("reserved", "submitted") else {}
        )
    found = {name: amount for name, amount in held.items() if name.split(":")[0] in ("reserve", "transit")}
    assert found == {name: amount for name, amount in moving.items() if name in found} and len(found) <= len(rows)
    assert {name.split(":")[1] for name in found} == {
        row["public_id"] for row in rows if row["state"] in ("reserved", "submitted")
    }
    return held


@pytest.mark.crash
def test_payouts_that_are_killed_at_any_moment_go_on(world: Any, tmp_path: Path) -> None:
    with world.ws.write() as tx:
        deal = world.agree(tx, currency="EUR")
        world.deliver(tx, deal, [("ann-0", 0, 4_000), ("bob-0", 0, 3_500)])
        revenue.book(tx, deal, world.money("3750.00", "EUR"), "INV-1")
        payout_terms.set_policy(tx, "EUR", threshold_minor=1, hold_days=0, tax_form=False, iban=OURS)
        payout_terms.set_rate(tx, "FR", Share(3, 10))
        payees.set_payee(tx, world.contributors["ann"], holder="Ann", iban=ANN, country="GB")
        payees.set_payee(tx, world.contributors["bob"], holder="Bob", iban=BOB, country="FR")
    allocate.allocate(world.ws)
    folder = tmp_path / "bank"
    environment = dict(os.environ)
    if world.ws.engine.dialect.name == "postgresql":
        environment["FAIRFRAME_DATABASE_URL"] = world.ws.engine.url.render_as_string(hide_password=False)
    chance = random.Random(f"{world.ws.engine.dialect.name} {ROUNDS}")
    killed = 0
    for number in (*(chance.randint(1, EFFECTS) for _ in range(2 * ROUNDS)), 0):
        environment["FAIRFRAME_KILL_AT"] = str(number)
        command = [sys.executable, str(SCRIPT), str(world.ws.root), str(folder)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        killed += ended.returncode != 0
        check(world)
    assert killed >= ROUNDS and not ended.returncode
    with world.ws.read() as tx:
        assert Counter(row["state"] for row in payout_steps.listing(tx)) == {"settled": 2, "returned": 1}
    ann, bob = (world.contributors[name]["public_id"] for name in ("ann", "bob"))
    held = check(world)
    assert held["cash"] == (375_000 - 40_000 - 24_500) * MICRO and held["withholding"] == -10_500 * MICRO
    assert not {ledger.accrued(ann), ledger.accrued(bob), ledger.payable(ann), ledger.payable(bob)} & set(held)
    assert len([path for path in folder.iterdir() if not path.name.startswith(".put-")]) == 2
