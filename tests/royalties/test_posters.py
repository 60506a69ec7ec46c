"""Sixteen processes post to one PostgreSQL at once: every receipt once, every pool allocated once, one batch."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.core.time import now_ms
from fairframe.flows.verify import verify_audit
from fairframe.royalties import ledger, payees, payout_steps, payout_terms
from fairframe.royalties.tables import allocation, payout_batch, revenue_event
from fairframe.royalties.trial import trial

from .posters import OWN

POSTERS = 16
SCRIPT = Path(__file__).with_name("posters.py")


def run(ws: Any, deal: str) -> list[dict[str, Any]]:
    """Start the posters, let them go at the same moment, and return what they said."""
    url = ws.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, str(SCRIPT), str(ws.root), str(POSTERS), deal]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, env={**os.environ, "FAIRFRAME_DATABASE_URL": url})
    assert child.stdout is not None and child.stdin is not None
    ready = {json.loads(child.stdout.readline())["ready"] for _ in range(POSTERS)}
    assert ready == set(range(POSTERS))
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.crash
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_sixteen_posters_lose_and_double_nothing(world: Any, clock: Any) -> None:
    clock.now = now_ms()
    with world.ws.write() as tx:
        deal = world.agree(tx)
        world.deliver(tx, deal, [("Ana-1", 0, 7_000), ("Ben-2", 0, 3_001), ("Chen-3", 5, 13)])
        payout_terms.set_policy(tx, "USD", threshold_minor=1, hold_days=0, tax_form=False)
        for name in ("Ana", "Ben", "Chen"):
            account = {"holder": name, "iban": "AT611904300234573201", "country": "AT"}
            payees.set_payee(tx, world.person(tx, name), **account)
    said: dict[str, list[str]] = defaultdict(list)
    for line in run(world.ws, deal):
        said[line["act"]].append(line["said"])

    assert Counter(said["receipt"]) == dict.fromkeys((f"R-{n}-{c}" for n in range(POSTERS) for c in range(OWN)), 1)
    assert (len(said["same"]), len(set(said["same"]))) == (POSTERS, 1)
    assert len(said["allocation"]) == len(set(said["allocation"])) == POSTERS * OWN + 1
    assert len(said["batch"]) == POSTERS and len(set(said["batch"])) == 1
    clock.now = now_ms()
    with world.ws.read() as tx:
        counts = [tx.scalar(sa.select(sa.func.count()).select_from(one)) for one in (revenue_event, allocation)]
        assert counts == [POSTERS * OWN + 1] * 2
        assert tx.scalar(sa.select(sa.func.count()).select_from(payout_batch)) == 1
        found = trial(tx)
        assert found.ok and not any(found.sums.values()), found.findings
        received = sum(OWN * (1_000 + n) for n in range(POSTERS)) + 77
        assert ledger.balance_of(tx, "cash", "USD") == received * MICRO
        reserved = sum(row["amount_minor"] for row in payout_steps.listing(tx))
        owed = -sum(one.amount_micro for one in ledger.balances(tx) if one.account.split(":")[0] in
                    ("contributor", "payable", "carry"))  # fmt: skip
        pools = sum(int(one) for one in tx.execute(sa.select(allocation.c.pool_micro)).scalars())
        assert reserved * MICRO + owed == pools
    report = verify_audit(world.ws, [])
    assert [one for one in report.findings if one.ok is False] == []
