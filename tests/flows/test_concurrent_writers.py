"""Twenty processes write to one PostgreSQL at once: nothing that was acknowledged is lost, and nothing doubled."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.money import parse_money
from fairframe.core.party import Party
from fairframe.core.time import now_ms
from fairframe.flows.verify import verify_audit
from fairframe.library import assets, contributors, releases
from fairframe.library.metadata import Described
from fairframe.library.tables import asset, asset_fact, collection, collection_asset, contributor, document_release
from fairframe.library.tables import ownership as ownership_table
from fairframe.media.probe import probe
from fairframe.platform import audit, log_proofs
from fairframe.platform.tables import audit_entry, document
from fairframe.rights import agreements, appeals, holds
from fairframe.rights.tables import agreement as agreement_table
from fairframe.rights.tables import (
    agreement_event,
    appeal,
    appeal_outcome,
    consent_event,
    contributor_terms,
    hold,
    hold_lift,
    ruling,
)
from fairframe.royalties.tables import ledger_txn, revenue_event
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

WRITERS = 20
SCRIPT = Path(__file__).with_name("writers.py")
ONCE = {
    "same_lift": "hold.lifted",
    "same_appeal": "appeal.open",
    "same_settlement": "appeal.settled",
    "same_opt_out": "opt_out.already",
    "same_withdrawal": "agreement.not_open",
    "same_revocation": "release.ended",
}
"""Acts that one of all can do, and what the others are told."""
AGREED = {"same_asset", "same_hold", "same_acceptance", "same_terms", "same_release", "same_revenue"}
"""Acts that all do, with one effect."""
TERMS = """name = "contributors"
version = 1
regime = "opt-in"
notice_date = 2026-01-01
effective_date = 2026-03-01
names = []
text = "Nothing without a yes."
"""


def prepare(library: Any, lab: Any, film: Path) -> dict[str, Any]:
    """What all writers act on."""
    opened_as = probe(film)

    def add(tx: Any, owner: Any, name: str) -> Any:
        content = tx.ws.objects.put_bytes(name.encode())
        return assets.add(tx, owner, Described(name, owner["name"]), assets.Opened(content, 5, opened_as, None, ()))

    with library.write() as tx:
        ana, ben = (contributors.ensure(tx, name) for name in ("Ana Rivera", "Ben Okafor"))
        own = [add(tx, ana, f"own-{n}.mp4")["public_id"] for n in range(WRITERS)]
        add(tx, ben, "ben.mp4")
        disputed, lifted, appealed, settled, released = (
            add(tx, ana, f"{name}.mp4") for name in ("disputed", "lifted", "appealed", "settled", "released")
        )
        on = {row["filename"]: holds.place(tx, row, code="claim", reason="x") for row in (lifted, appealed, settled)}
        case = appeals.lodge(tx, on["settled.mp4"], ana, "it is mine")
        paper = releases.add(tx, released, "model", b"signed", True)["public_id"]

        def offered() -> tuple[str, bytes]:
            data = agreements.offer(tx, "research", lab_party=lab.party_id, fee=parse_money("50.00", "USD"))
            return read_payload(read_envelope(data).payload).id, data

        (active, first), (waiting, second), (withdrawn, _) = offered(), offered(), offered()
    with lab.write() as tx:
        first, second = agreements.countersign(tx, first), agreements.countersign(tx, second)
    with library.write() as tx:
        agreements.accept(tx, first)
    return {
        "assets": own, "disputed": disputed["public_id"], "hold": on["lifted.mp4"], "appealed": on["appealed.mp4"],
        "appeal": case, "released": released["public_id"], "release": paper, "lab": lab.party_id, "agreement": active,
        "waiting": waiting, "countersigned": second.decode(), "offered": withdrawn, "terms": TERMS,
        "probe": opened_as.to_json(),
    }  # fmt: skip


def run(library: Any, shared: Path) -> list[dict[str, Any]]:
    """Start the writers, let them go at the same moment, and return what they said."""
    url = library.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, str(SCRIPT), str(library.root), str(WRITERS), str(shared)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, env={**os.environ, "FAIRFRAME_DATABASE_URL": url})
    assert child.stdout is not None and child.stdin is not None
    ready = {json.loads(child.stdout.readline())["ready"] for _ in range(WRITERS)}
    assert ready == set(range(WRITERS))
    out, _ = child.communicate(timeout=240)
    assert child.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.crash
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_twenty_writers_lose_and_double_nothing(library, lab, tmp_path, film, clock) -> None:
    clock.now = now_ms()
    shared = prepare(library, lab, film(tmp_path / "one.mp4"))
    (tmp_path / "shared.json").write_text(json.dumps(shared))
    with library.read() as tx:
        before = audit.head(tx.conn)
    lines = run(library, tmp_path / "shared.json")
    said: dict[str, list[str]] = defaultdict(list)
    refused: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        where, word = (said, "said") if "said" in line else (refused, "refused")
        where[line["act"]].append(line[word])

    # each did each act once; of what can happen once, one did it, and the others were told so
    assert Counter(line["act"] for line in lines) == dict.fromkeys({line["act"] for line in lines}, WRITERS)
    for act, code in ONCE.items():
        assert (len(said[act]), Counter(refused[act])) == (1, {code: WRITERS - 1}), act
    for act in AGREED:
        assert (len(said[act]), len(set(said[act]))) == (WRITERS, 1), act
    own = [act for act in {line["act"] for line in lines} if act.startswith("own_")]
    assert len(own) == 7
    for act in own:
        assert (len(set(said[act])), refused[act]) == (WRITERS, []), act

    clock.now = now_ms()
    with library.read() as tx:
        check_rows(tx, shared, said)
        check_tree(tx, before.size)
    report = verify_audit(library, [])
    assert [one for one in report.findings if one.ok is False] == []
    check_head(library, before, tmp_path / "proof.json")


def check_rows(tx: Any, shared: dict[str, Any], said: dict[str, list[str]]) -> None:
    """What was acknowledged is there once, and nothing else came of it."""

    def count(table: Any, *where: Any) -> int:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*where)))

    for table, act in ((consent_event, "own_consent"), (revenue_event, "own_revenue"), (asset, "own_asset")):
        assert count(table, table.c.public_id.in_(said[act])) == WRITERS
    assert count(asset_fact, asset_fact.c.name == "editorial", asset_fact.c.value == "no") == WRITERS
    assert count(ruling) == WRITERS and {row["document"] for row in tx.rows(ruling.select())} == set(said["own_ruling"])
    digests = {row["digest"] for row in tx.rows(document.select())}
    assert digests >= {*said["own_offer"], *said["own_feed"]}
    assert count(agreement_table) == 3 + WRITERS
    assert count(contributor, contributor.c.name == "Newcomer") == 1
    assert (count(collection), count(collection_asset)) == (2, 2 * (WRITERS + 1))
    assert count(asset) == count(ownership_table) == WRITERS + 6 + WRITERS + 1
    assert count(hold, hold.c.code == "dispute") == 1
    assert count(hold_lift) == 1
    assert count(appeal) == 2 and count(appeal_outcome) == 1
    assert count(consent_event, consent_event.c.purpose == "*") == 1
    for kind, times in (("withdrawn", 1), ("active", 2), ("countersigned", 2)):
        assert count(agreement_event, agreement_event.c.kind == kind) == times, kind
    assert count(contributor_terms) == 1
    assert count(document_release) == 3, "the same paper once, one that was there, its one end"
    assert count(revenue_event) == WRITERS + 1 == count(ledger_txn, ledger_txn.c.kind == "revenue")


def check_tree(tx: Any, before: int) -> None:
    """Sequences without gaps: of the tree, of the ledger's numbers, of documents to one recipient."""
    seqs = [row["seq"] for row in tx.rows(sa.select(audit_entry.c.seq).order_by(audit_entry.c.seq))]
    assert seqs == list(range(len(seqs))) and len(seqs) > before + 7 * WRITERS
    series: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in tx.rows(document.select().where(document.c.direction == "out").order_by(document.c.id)):
        series[row["sender"], row["recipient"], row["type"], row["agreement"]].append(row["seq"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in series.values())
    assert max(len(numbers) for numbers in series.values()) >= WRITERS


def check_head(library: Any, before: Any, path: Path) -> None:
    """The head is signed, and goes on from the one before: what anybody may check without this workspace."""
    with library.write() as tx:
        proof = log_proofs.make(tx, act=0, since=before)
        path.write_bytes(log_proofs.issue(tx, proof))
    me = Party.from_envelope((library.root / "party.json").read_bytes())
    report = verify(path, Trust.of([me], ""), now_ms())
    assert report.holds, report.findings
