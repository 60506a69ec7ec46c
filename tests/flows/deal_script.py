"""A deal, step by step, by a process that may be killed at any moment and started again.

    python deal_script.py ORDER.json

Each step looks whether it was done, does it if not, and says {"step", "said"} once it is: what it says is the same
whenever it is asked again. FAIRFRAME_KILL_AT=n: the process kills itself right before its n-th effect, which is a
commit of a database or a change of a name on the disk.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fairframe.cli.outputs import read_papers
from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import VerificationError
from fairframe.core.money import parse_money
from fairframe.curation.curate import curate
from fairframe.dataset import attest, attested, deliveries, feeds, receive, releases
from fairframe.dataset.tables import dataset_release, delivery
from fairframe.flows.ingest import ingest
from fairframe.flows.opt_out import opt_out
from fairframe.library import contributors
from fairframe.library.tables import asset
from fairframe.platform import identity, rotation
from fairframe.platform.workspace import Workspace, open_workspace
from fairframe.rights import consent
from fairframe.rights.tables import consent_event
from fairframe.royalties import allocate, revenue
from fairframe.royalties.tables import allocation

EFFECTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "os.truncate")


@dataclass(frozen=True)
class Deal:
    library: Workspace
    lab: Workspace
    folder: Path
    agreement: str
    people: tuple[str, ...]


def take_in(deal: Deal) -> Any:
    report = ingest(deal.library, deal.folder / "footage", metadata=deal.folder / "metadata.csv")
    assert report.refused == [], report.refused
    with deal.library.read() as tx:
        return sorted(row["public_id"] for row in tx.rows(asset.select()))


def allow(deal: Deal) -> Any:
    """Everybody's yes, each in a transaction of its own."""
    for name in deal.people:
        with deal.library.write() as tx:
            who = contributors.find(tx, name)
            if not said_yes(tx, who):
                consent.set(tx, contributor=who, effect="allow", purpose="research")
    with deal.library.read() as tx:
        return [said_yes(tx, contributors.find(tx, name)) for name in deal.people]


def said_yes(tx: Any, who: Any) -> list[str]:
    mine = (consent_event.c.contributor_id == who["id"]) & (consent_event.c.effect == "allow")
    return [row["public_id"] for row in tx.rows(consent_event.select().where(mine))]


def measure(deal: Deal) -> Any:
    report = curate(deal.library)
    assert report.refused == []
    return "measured"


def build(deal: Deal, name: str) -> Any:
    where = sa.select(dataset_release.c.public_id).where(dataset_release.c.name == name)
    with deal.library.read() as tx:
        known = tx.scalar(where)
    return known or releases.build(deal.library, deal.agreement, name).id


def deliver(deal: Deal, name: str) -> Any:
    if not (deal.folder / name).exists():
        deliveries.deliver(deal.library, name, deal.folder / name)
    where = (delivery.c.name == name) & (delivery.c.direction == "out")
    with deal.library.read() as tx:
        return [row["public_id"] for row in tx.rows(delivery.select().where(where))]


def take(deal: Deal, name: str) -> Any:
    return receive.receive(deal.lab, deal.folder / name).id


def book(deal: Deal) -> Any:
    with deal.library.write() as tx:
        return revenue.book(tx, deal.agreement, parse_money("1000.00", "USD"), "invoice 1").id


def share_out(deal: Deal) -> Any:
    allocate.allocate(deal.library)
    with deal.library.read() as tx:
        return [row["public_id"] for row in tx.rows(allocation.select())]


def rotate(ws: Workspace, other: Workspace) -> Any:
    with ws.read() as tx:
        first = len(identity.own(tx).keys) == 1
    if first:
        rotation.rotate(ws)
    with other.write() as tx:
        identity.pin(tx, (ws.root / "party.json").read_bytes())
    with ws.read() as tx:
        return [key.keyid for key in identity.own(tx).keys]


def leave(deal: Deal) -> Any:
    with deal.library.write() as tx:
        who = contributors.find(tx, deal.people[0])
        if not consent.opted_out(tx, who["id"]):
            opt_out(tx, who)
        no = (consent_event.c.contributor_id == who["id"]) & (consent_event.c.effect == "deny")
        return [row["public_id"] for row in tx.rows(consent_event.select().where(no))]


def feed(deal: Deal) -> Any:
    path = deal.folder / "feed.json"
    if not path.exists():
        with deal.library.write() as tx:
            papers = feeds.issue(tx, deal.agreement)
        papers.write(path)
    return sha256_hex(path.read_bytes())


def refresh(deal: Deal) -> Any:
    try:
        with deal.lab.write() as tx:
            feeds.refresh(tx, read_papers(deal.folder / "feed.json"))
    except VerificationError as error:
        assert error.code == "feed.stale", error  # a newer one came with the second delivery
    return "read"


def delete(deal: Deal) -> Any:
    with deal.lab.write() as tx:
        papers = attest.attest(tx, "one")
    papers.write(deal.folder / "attestation.json")
    return sha256_hex(papers.envelope)


def settle(deal: Deal) -> Any:
    with deal.library.write() as tx:
        return attested.accept(tx, read_papers(deal.folder / "attestation.json")).document


STEPS: tuple[tuple[str, Callable[[Deal], Any]], ...] = (
    ("ingest", take_in),
    ("consent", allow),
    ("curate", measure),
    ("build one", lambda deal: build(deal, "one")),
    ("deliver one", lambda deal: deliver(deal, "one")),
    ("receive one", lambda deal: take(deal, "one")),
    ("revenue", book),
    ("allocate", share_out),
    ("rotate library", lambda deal: rotate(deal.library, deal.lab)),
    ("opt out", leave),
    ("feed", feed),
    ("refresh", refresh),
    ("attest", delete),
    ("attestation", settle),
    ("rotate lab", lambda deal: rotate(deal.lab, deal.library)),
    ("build two", lambda deal: build(deal, "two")),
    ("deliver two", lambda deal: deliver(deal, "two")),
    ("receive two", lambda deal: take(deal, "two")),
)


def open_at(order: dict[str, Any]) -> Workspace:
    os.environ.pop("FAIRFRAME_DATABASE_URL", None)
    if order["url"]:
        os.environ["FAIRFRAME_DATABASE_URL"] = order["url"]
    return open_workspace(Path(order["root"]))


def die_at(number: int, *workspaces: Workspace) -> None:
    left = [number]

    def effect(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal is not always there when kill returns

    sys.addaudithook(lambda event, _arguments: effect() if event in EFFECTS else None)
    for ws in workspaces:
        sa.event.listen(ws.engine, "commit", effect)


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_bytes())
    library, lab = open_at(order["library"]), open_at(order["lab"])
    die_at(int(os.environ.get("FAIRFRAME_KILL_AT", "0")), library, lab)
    deal = Deal(library, lab, Path(order["folder"]), order["agreement"], tuple(order["people"]))
    for name, step in STEPS:
        print(json.dumps({"step": name, "said": step(deal)}), flush=True)


if __name__ == "__main__":
    main()
