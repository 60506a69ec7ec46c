"""An opt-out that races with a release's publication is never delivered: two real processes, both orders, many times.

Both stand at the point where it matters, the one with every clip cut and nothing published, the other about to record
the no; then they are let go. The audit tree tells afterwards who came first, and that decides what must be the case.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.item_line import read_line
from fairframe.core.time import now_ms
from fairframe.dataset import feeds, loader, receive
from fairframe.dataset.tables import feed_entry, item, obligation
from fairframe.flows.verify import verify_audit
from fairframe.library import contributors
from fairframe.platform.tables import audit_entry
from fairframe.rights import consent

from .conftest import PEOPLE, Loop

SCRIPT = Path(__file__).with_name("racers.py")
ANA = PEOPLE[0]
FORCED = ("before publication", "between", "after delivery")
ROUNDS = int(os.environ.get("FAIRFRAME_CRASH_ROUNDS", "3"))


class Racer:
    """One of the two processes, in the round that it is told of."""

    def __init__(self, loop: Loop, act: str) -> None:
        environment = {**os.environ}
        if loop.library.engine.dialect.name == "postgresql":
            environment["FAIRFRAME_DATABASE_URL"] = loop.library.engine.url.render_as_string(hide_password=False)
        command = [sys.executable, str(SCRIPT), act, str(loop.library.root)]
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment)

    def tell(self, order: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(order) + "\n")

    def hear(self) -> Any:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, "the process ended"
        return json.loads(line)

    def end(self) -> None:
        self.child.communicate(timeout=60)
        assert self.child.returncode == 0


@contextmanager
def racers(loop: Loop) -> Iterator[tuple[Racer, Racer]]:
    both = Racer(loop, "publish"), Racer(loop, "leave")
    try:
        yield both
        for one in both:
            one.end()
    finally:
        for one in both:
            one.child.kill()


def start_round(loop: Loop, one: Racer, two: Racer, name: str) -> None:
    """Ana says yes to everything again, and both processes come to their marks."""
    with loop.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, ANA), effect="allow", purpose="*")
    one.tell({"name": name, "agreement": loop.agreement, "out": str(loop.tmp / name)})
    two.tell({"name": ANA})
    assert (one.hear(), two.hear()) == ("cut", "here")


def go(racer: Racer, marks: int = 1) -> Any:
    """Let it go on, past so many marks, and hear what it says next that is no mark which it was let past."""
    for _ in range(marks):
        racer.tell("go")
    for _ in range(marks - 1):
        assert racer.hear() == "copied"
    return racer.hear()


def at_once(one: Racer, two: Racer, later_s: float) -> tuple[Any, Any]:
    """Let both go past all marks, the second so much later (or earlier) than the first."""
    if later_s < 0:
        two.tell("go")
        time.sleep(-later_s)
    one.tell("go")
    one.tell("go")
    if later_s >= 0:
        time.sleep(later_s)
        two.tell("go")
    assert one.hear() == "copied"
    return one.hear(), two.hear()


def check_round(loop: Loop, name: str, published: Any, left: Any) -> str:
    """Who came first, by the audit tree, and whether what follows from it is so."""
    with loop.library.read() as tx:
        ana = contributors.find(tx, ANA)
        seqs = {
            (row["kind"], row["subject"]): row["seq"]
            for row in tx.rows(audit_entry.select().order_by(audit_entry.c.seq))
        }
        hers = {row["public_id"] for row in tx.rows(item.select().where(item.c.contributor_id == ana["id"]))}
        back = {(row["delivery"], row["item"]) for row in tx.rows(feed_entry.select())}
        owed = {(row["delivery"], row["item"]) for row in tx.rows(obligation.select())}
    no = seqs["consent.deny", ana["public_id"]]
    folder = loop.tmp / name
    assert folder.is_dir() == (published["delivery"] is not None)
    assert list(loop.tmp.glob(f".{name}.*")) == []
    if no < seqs["release.published", published["release"]]:
        order = "before publication"
        assert (published["refused"], left["revoked"]) == ("", 0)
    elif published["delivery"] is None:
        order = "between"
        assert (published["refused"], left["revoked"]) == ("delivery.changed", 0)
    else:
        order = "after delivery"
        assert seqs["delivery.written", published["delivery"]] < no, "delivered after the no"
        mine = {line.id for line in items(folder)} & hers
        assert len(mine) == left["revoked"] > 0
        assert {(published["delivery"], one) for one in mine} <= back & owed
    if published["delivery"] is not None and order != "after delivery":
        assert not {line.id for line in items(folder)} & hers, "an item of hers was delivered after her no"
    return order


def items(folder: Path) -> list[Any]:
    return [read_line(line) for line in (folder / "items.jsonl").read_bytes().splitlines()]


@pytest.mark.crash
def test_an_opt_out_that_races_is_never_delivered(loop: Loop, clock: Any) -> None:
    clock.now = now_ms()
    loop.agree()
    found: list[str] = []
    takes_s = 0.0  # from the last clip to the delivery, on this machine
    with racers(loop) as (one, two):
        for number, first in enumerate([*FORCED, *range(ROUNDS)]):
            name = f"round-{number}"
            start_round(loop, one, two, name)
            if first == "before publication":
                left = go(two)
                published = go(one, 2)
            elif first == "between":
                assert go(one) == "copied"
                left = go(two)
                published = go(one)
            elif first == "after delivery":
                begun = time.monotonic()
                published = go(one, 2)
                takes_s = time.monotonic() - begun
                left = go(two)
            else:
                assert isinstance(first, int)
                published, left = at_once(one, two, takes_s * (1.4 * first / ROUNDS - 0.4))
            found.append(check_round(loop, name, published, left))
    assert tuple(found[:3]) == FORCED
    # the lab: of no round is anything of hers to be had, once it has the newest feed
    clock.now = now_ms()
    with loop.library.write() as tx:
        newest = feeds.issue(tx, loop.agreement)
    for name in ("round-0", "round-2"):
        receive.receive(loop.lab, loop.tmp / name)
    with loop.lab.write() as tx:
        feeds.refresh(tx, newest)
    with loop.library.read() as tx:
        ana = contributors.find(tx, ANA)
        hers = {row["public_id"] for row in tx.rows(item.select().where(item.c.contributor_id == ana["id"]))}
    for name in ("round-0", "round-2"):
        admitted = loader.open_delivery(loop.lab, name).admitted()
        assert admitted and not set(admitted) & hers
    assert verify_audit(loop.library, []).holds
