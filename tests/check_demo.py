"""Asserts on the workspaces that a demo left. Usage: python tests/check_demo.py DIR"""

import json
import sys
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.core.party import Party
from fairframe.core.time import now_ms
from fairframe.dataset.tables import delivery, feed_entry, item, obligation, obligation_event, received_item
from fairframe.flows.verify import trust_of, verify_audit
from fairframe.generation.tables import output
from fairframe.library.tables import asset, contributor, refusal
from fairframe.platform.tables import run
from fairframe.platform.workspace import open_workspace
from fairframe.rights.tables import hold
from fairframe.royalties.tables import allocation, allocation_line, period
from fairframe.royalties.trial import trial
from fairframe.training.tables import checkpoint, checkpoint_event, usage
from fairframe.verify.registry import verify


def check(root: Path) -> list[str]:
    """What does not hold; empty where all does."""
    library, lab = open_workspace(root / "library"), open_workspace(root / "lab")
    wrong: list[str] = []

    def hold_true(what: str, truth: object) -> None:
        print(f"{'holds' if truth else 'FAILS'}  {what}")
        if not truth:
            wrong.append(what)

    def count(tx: object, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(table).where(*where)))  # type: ignore[attr-defined]

    notes = {p.name.split(".")[0]: json.loads(p.read_text()) for p in (root / "exchange").glob("*.notes.json")}
    with library.read() as tx:
        hold_true("6 contributors", count(tx, contributor) == 6)
        found = count(tx, asset), count(tx, refusal), count(tx, hold)
        hold_true("26 assets, 1 refused, 2 on hold", found == (26, 1, 2))
        hold_true("items were cut", count(tx, item) >= 60)
        for pool in tx.rows(allocation.select()):
            lines = tx.rows(allocation_line.select().where(allocation_line.c.allocation_id == pool["id"]))
            hold_true("contributors' sums equal the pool", sum(r["amount_micro"] for r in lines) == pool["pool_micro"])
        hold_true("both license fees are allocated", count(tx, allocation) == 2)
        pools = tx.scalar(sa.select(sa.func.sum(allocation.c.pool_micro)))
        hold_true("the pools are a fifth of 50,000.00", pools == 10_000_00 * MICRO)
        hold_true("the ledger sums to zero", trial(tx).ok)
        hold_true("two periods are closed", count(tx, period) == 2)
        hold_true("a withdrawal is in the feed", count(tx, feed_entry, feed_entry.c.direction == "out") > 0)
        due, done = count(tx, obligation), count(tx, obligation_event, obligation_event.c.kind == "attested")
        hold_true("every deletion that was due is attested", due == done > 0)
        hold_true("the checkpoint is granted", count(tx, checkpoint_event, checkpoint_event.c.kind == "granted") == 1)
    with lab.read() as tx:
        hold_true("2 deliveries were received", count(tx, delivery, delivery.c.direction == "in") == 2)
        gone = tx.rows(
            sa.select(received_item.c.bytes_hash).join(feed_entry, feed_entry.c.item == received_item.c.item).distinct()
        )
        kept = [r["bytes_hash"] for r in gone if lab.objects.exists(r["bytes_hash"])]
        hold_true("no clip that was taken back lies in the lab's store", gone and not kept)
        (model,) = tx.rows(checkpoint.select().where(checkpoint.c.direction == "own"))
        frames = tx.scalar(sa.select(sa.func.sum(usage.c.frames)).where(usage.c.checkpoint_id == model["id"]))
        hold_true("usage rows sum to the frames of the lineage", frames == model["frames_seen"])
        hold_true("films were made", count(tx, output) >= 6)
        trained = tx.row(run.select().where(run.c.kind == "train"))
        hold_true("160 training windows or more", trained is not None and trained["result"]["windows"] >= 160)
    score = notes["evaluate"]
    extension, base = score["model"]["extension"], score["base"]["extension"]
    hold_true("extension beats the base", extension["psnr"] > base["psnr"])
    hold_true("extension beats repeating the last frame", extension["psnr"] > extension["psnr_repeat"])
    hold_true("right captions beat shuffled ones, with interval", score["model"]["captions"]["low"] > 0)
    made = [one for one in notes["films"]["films"] if one["mode"] != "refused"]
    beside = {"warp_error", "flow", "sharpness", "sharpness_drift", "histogram_drift", "similarity_1", "similarity_16"}
    for one in made:
        found = one["score"]["measures"]
        ranged = all(found[name]["low"] <= found[name]["high"] for name in beside | {"nearest"} if name in found)
        hold_true(f"{one['film']} is measured beside real clips", beside | {"nearest"} <= set(found) and ranged)
    hold_true("the commercial film was refused first", notes["films"]["films"][-1]["mode"] == "refused")
    hold_true("the upgrade was blocked first", any(notes["upgrade"]["blocked"]))
    trust = trust_of(None, [Party.from_envelope((root / r / "party.json").read_bytes()) for r in ("library", "lab")])
    papers = [path for folder in ("statements", "books") for path in (root / folder).glob("*.json")]
    for path in (root / "film.mp4", root / "lab" / "models" / model["name"], *papers):
        hold_true(f"{path.name} verifies", verify(path, trust, now_ms()).holds)
    papers = sorted((root / "statements").glob("*.pdf"))
    hold_true("each statement is there as a PDF too", len(papers) == len(list((root / "statements").glob("*.json"))))
    hold_true("each PDF is one", bool(papers) and all(path.read_bytes().startswith(b"%PDF-") for path in papers))
    held = [(root / "exchange" / "feed.json").read_bytes()]
    hold_true("the library's audit tree agrees with the head that the lab holds", verify_audit(library, held).holds)
    hold_true("the lab's audit tree holds", verify_audit(lab, []).holds)
    page = (root / "report.html").read_text()
    hold_true("the report is one page without outside resources", "<html" in page and 'src="http' not in page)
    hold_true("the report tells the films' measures", "Beside real clips, in numbers" in page)
    return wrong


if __name__ == "__main__":
    failed = check(Path(sys.argv[1]))
    print(f"{len(failed)} failed" if failed else "all hold")
    sys.exit(1 if failed else 0)
