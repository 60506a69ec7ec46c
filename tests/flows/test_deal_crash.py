"""A deal whose process is killed again and again: nothing that it acknowledged is lost, and nothing stays half-done.

Each round starts the same steps anew in a real process and kills it: after some acknowledgement and a moment, or right
before its n-th effect on the database or the disk. The last process runs to the end.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.money import parse_money
from fairframe.core.time import now_ms
from fairframe.core.timecode import Rate
from fairframe.curation.tables import measure_ref
from fairframe.dataset.obligations import open_obligations
from fairframe.dataset.tables import delivery, item, received_item
from fairframe.flows.verify import trust_of, verify_audit
from fairframe.library.tables import asset
from fairframe.media.encode import write_mp4
from fairframe.platform import identity
from fairframe.platform.tables import audit_entry
from fairframe.rights import agreements
from fairframe.royalties import ledger
from fairframe.verify.registry import verify

SCRIPT = Path(__file__).with_name("deal_script.py")
ROUNDS = int(os.environ.get("FAIRFRAME_CRASH_ROUNDS", "3"))
EFFECTS = 370
"""About as many as the whole deal has; what was done is not done again, so each round gets its part of them."""
PEOPLE = ("Ana Rivera", "Ben Okafor", "Chen Wei")
ONCE = {
    "asset.added": 4, "asset.curated": 4, "release.published": 2, "delivery.received": 2, "revenue.booked": 1,
    "allocation.made": 1, "consent.allow": 3, "consent.deny": 1, "attestation.accepted": 1, "attestation.signed": 1,
    "key.rotated": 2, "party.keys_changed": 4, "contributor.added": 3,
}  # fmt: skip
"""How often each act stands in the two audit trees together, however often the deal was begun anew."""


class Child:
    """The deal in a process group of its own, so that a kill is that of a machine: workers go with it."""

    def __init__(self, order: Path, kill_at: int = 0) -> None:
        environment = {**os.environ, "FAIRFRAME_KILL_AT": str(kill_at)}
        environment.pop("FAIRFRAME_DATABASE_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(order)],
            stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True,
        )  # fmt: skip
        self.said: dict[str, Any] = {}

    def hear(self, lines: int) -> None:
        assert self.process.stdout is not None
        for _ in range(lines):
            line = self.process.stdout.readline()
            if not line:
                return
            told = json.loads(line)
            self.said[told["step"]] = told["said"]

    def kill(self) -> bool:
        """SIGKILL to all of it; whether it was still at work."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        ended = self.end()
        assert ended in (0, -signal.SIGKILL), ended
        return ended != 0

    def end(self) -> int:
        """Hear the rest, and how it ended."""
        with self.process:
            self.hear(100)
        return self.process.returncode


def prepare(library: Any, lab: Any, folder: Path, metadata_csv: Any) -> Path:
    """An agreement, four short films of three people, and the order that the script reads."""
    with library.write() as tx:
        fee = parse_money("100.00", "USD")
        offered = agreements.offer(tx, "research", lab_party=lab.party_id, fee=fee)
    with lab.write() as tx:
        signed = agreements.countersign(tx, offered)
    with library.write() as tx:
        agreements.accept(tx, signed)
    rows: list[dict[str, str]] = []
    for number, who in enumerate((*PEOPLE, PEOPLE[0])):
        ground = np.random.default_rng(number).integers(0, 200, (32, 40, 3), np.uint8)
        frames = [np.roll(np.kron(ground, np.ones((8, 8, 1), np.uint8)), 3 * n, axis=1) for n in range(12)]
        path = folder / "footage" / f"{number}.mp4"
        path.parent.mkdir(exist_ok=True)
        write_mp4(path, frames, Rate(24))
        rows.append({"filename": path.name, "contributor": who})
    metadata_csv(folder / "metadata.csv", *rows)

    def at(ws: Any) -> dict[str, str]:
        postgres = ws.engine.dialect.name == "postgresql"
        return {
            "root": str(ws.root),
            "url": ws.engine.url.render_as_string(hide_password=False) if postgres else "",
        }

    order = {"library": at(library), "lab": at(lab), "folder": str(folder), "people": PEOPLE}
    order["agreement"] = read_payload(read_envelope(signed).payload).id
    (folder / "order.json").write_text(json.dumps(order))
    return folder / "order.json"


def check_meanwhile(library: Any, lab: Any, folder: Path) -> None:
    """What must hold at any moment, with nobody at work."""
    for ws in (library, lab):
        report = verify_audit(ws, [])
        assert report.holds, [one for one in report.findings if one.ok is False]
        for path in ws.objects.root.rglob("*"):
            assert not path.is_file() or path.name.startswith(".put-") or ws.objects.verify(path.name), path
    with library.read() as tx:
        for table, name in ((asset, "content_hash"), (measure_ref, "object_key"), (item, "bytes_hash")):
            assert all(library.objects.verify(row[name]) for row in tx.rows(table.select())), name
        recorded = {row["public_id"] for row in tx.rows(delivery.select())}
    with lab.read() as tx:
        taken = {row["id"]: row["items"] for row in tx.rows(delivery.select())}
        items = Counter(row["delivery_id"] for row in tx.rows(received_item.select()))
    assert items == Counter(taken), "a delivery is taken in whole or not at all"
    # a folder of which anybody would believe that it is a delivery is one that is on record
    for path in folder.iterdir():
        whole = path.is_dir() and (path / "delivery.json").is_file() and verify(path, trust_of(lab, []), now_ms()).holds
        if whole:
            document = json.loads(read_envelope((path / "delivery.json").read_bytes()).payload)
            assert document["id"] in recorded, path
        else:
            assert path.name not in ("one", "two"), "it has its name, but is not whole"


@pytest.mark.crash
def test_a_deal_that_is_killed_at_any_moment_goes_on(library, lab, tmp_path, metadata_csv, clock) -> None:
    clock.now = now_ms()
    folder = tmp_path / "deal"
    folder.mkdir()
    order = prepare(library, lab, folder, metadata_csv)
    chance = random.Random(f"{library.engine.dialect.name} {ROUNDS}")
    acknowledged: dict[str, Any] = {}
    killed = 0
    for number in range(ROUNDS):
        if number % 2:
            child = Child(order)
            child.hear(len(acknowledged) + chance.randint(0, 3))
            time.sleep(chance.uniform(0, 0.5))
        else:
            child = Child(order, chance.randint(1, EFFECTS // ((ROUNDS + 1) // 2)))
            child.process.wait(timeout=300)
        killed += child.kill()
        clock.now = now_ms()
        check_meanwhile(library, lab, folder)
        check_said(acknowledged, child.said)
    assert killed * 2 >= ROUNDS
    last = Child(order)
    assert last.end() == 0
    check_said(acknowledged, last.said)
    assert len(acknowledged) == 18
    clock.now = now_ms()
    check_meanwhile(library, lab, folder)
    check_end(library, lab, folder)


def check_said(acknowledged: dict[str, Any], said: dict[str, Any]) -> None:
    """What was acknowledged once is the same whenever it is asked again."""
    for step, value in said.items():
        assert acknowledged.setdefault(step, value) == value, step


def check_end(library: Any, lab: Any, folder: Path) -> None:
    """As if it had never been killed."""
    kinds: Counter[str] = Counter()
    for ws in (library, lab):
        with ws.read() as tx:
            kinds.update(row["kind"] for row in tx.rows(audit_entry.select()))
            for row in tx.rows(delivery.select()):
                assert not open_obligations(tx, row["public_id"], row["direction"])
            held = {key.keyid for key in identity.own(tx).keys}
        assert len(held) == 2 and set(ws.keys.held()) <= held
    assert {kind: kinds[kind] for kind in ONCE} == ONCE
    assert sorted(path.name for path in folder.iterdir()) == [
        "attestation.items.jsonl", "attestation.json", "feed.items.jsonl", "feed.json", "footage", "metadata.csv",
        "one", "order.json", "two",
    ]  # fmt: skip
    with library.read() as tx:
        sums: Counter[str] = Counter()
        for one in ledger.balances(tx):
            sums[one.currency] += one.amount_micro
    assert sums == {"USD": 0}
