"""Many writers at once: real processes that act on one library, and say each act that was committed.

    python writers.py ROOT COUNT SHARED.json

One process loads the code and forks COUNT others. Each opens the workspace, says "ready", waits until standard input
ends, and then does its acts in an order of its own. A line {"writer", "act", "said"} follows each commit, and one with
"refused" instead of "said" each refusal; whatever else goes wrong ends the writer with a traceback.
"""

import hashlib
import json
import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.errors import FairframeError
from fairframe.core.money import parse_money
from fairframe.dataset import feeds
from fairframe.flows.opt_out import opt_out
from fairframe.library import assets, collections, contributors, facts, releases
from fairframe.library.metadata import Described
from fairframe.media.probe import Probe
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace, open_workspace
from fairframe.rights import agreements, appeals, consent, holds, rulings, terms
from fairframe.royalties import revenue


@dataclass(frozen=True)
class Writer:
    """shared: what the test made for all of them (ids, documents)."""

    ws: Workspace
    number: int
    shared: dict[str, Any]

    @property
    def own(self) -> str:
        return str(self.shared["assets"][self.number])


def add_asset(tx: WriteTx, one: Writer, name: str, bytes_of: bytes) -> str:
    """As ingest does it, less opening the file."""
    content = tx.ws.objects.put_bytes(bytes_of)
    assets.lock_content(tx, content)
    owner = contributors.ensure(tx, "Newcomer")
    known = assets.known(tx, owner["id"], content)
    if known is not None:
        return str(known["public_id"])
    opened = assets.Opened(content, len(bytes_of), Probe.from_json(one.shared["probe"]), None, ())
    row = assets.add(tx, owner, Described(name, "Newcomer"), opened)
    collections.put(tx, owner, row, ["Harbor", "Night"])
    return str(row["public_id"])


def own_asset(tx: WriteTx, one: Writer) -> str:
    return add_asset(tx, one, f"{one.number}.mp4", f"the footage of {one.number}".encode())


def same_asset(tx: WriteTx, one: Writer) -> str:
    return add_asset(tx, one, "same.mp4", b"the footage of all")


def own_consent(tx: WriteTx, one: Writer) -> str:
    who, row = contributors.find(tx, "Ana Rivera"), assets.find(tx, one.own)
    return consent.set(tx, contributor=who, effect="deny", purpose="commercial", asset=row)


def own_fact(tx: WriteTx, one: Writer) -> str:
    facts.say(tx, assets.find(tx, one.own), "editorial", "no")
    return one.own


def own_ruling(tx: WriteTx, one: Writer) -> str:
    made = rulings.rule(tx, [assets.find(tx, one.own)], "people_unknown", "allow", reason="looked at it")
    return made.document


def own_offer(tx: WriteTx, one: Writer) -> str:
    data = agreements.offer(tx, "research", lab_party=one.shared["lab"], fee=parse_money("100.00", "USD"))
    return hashlib.sha256(data).hexdigest()


def own_revenue(tx: WriteTx, one: Writer) -> str:
    gross = parse_money("7.00", "USD")
    return revenue.book(tx, one.shared["agreement"], gross, f"invoice {one.number}").id


def own_feed(tx: WriteTx, one: Writer) -> str:
    return hashlib.sha256(feeds.issue(tx, one.shared["agreement"]).envelope).hexdigest()


def same_hold(tx: WriteTx, one: Writer) -> str:
    return holds.place(tx, assets.find(tx, one.shared["disputed"]), code="dispute", reason="two claim it")


def same_lift(tx: WriteTx, one: Writer) -> str:
    holds.lift(tx, one.shared["hold"], "settled")
    return str(one.shared["hold"])


def same_appeal(tx: WriteTx, one: Writer) -> str:
    return appeals.lodge(tx, one.shared["appealed"], contributors.find(tx, "Ana Rivera"), "it is mine")


def same_settlement(tx: WriteTx, one: Writer) -> str:
    appeals.settle(tx, one.shared["appeal"], "kept", reason="the claim stands")
    return str(one.shared["appeal"])


def same_opt_out(tx: WriteTx, one: Writer) -> str:
    return opt_out(tx, contributors.find(tx, "Ben Okafor")).consent


def same_withdrawal(tx: WriteTx, one: Writer) -> str:
    agreements.withdraw(tx, one.shared["offered"], "no longer offered")
    return str(one.shared["offered"])


def same_acceptance(tx: WriteTx, one: Writer) -> str:
    return agreements.accept(tx, one.shared["countersigned"].encode()).public_id


def same_terms(tx: WriteTx, one: Writer) -> str:
    return str(terms.add(tx, one.shared["terms"].encode())["public_id"])


def same_release(tx: WriteTx, one: Writer) -> str:
    return str(releases.add(tx, assets.find(tx, one.shared["disputed"]), "model", b"signed by Ana", True)["public_id"])


def same_revocation(tx: WriteTx, one: Writer) -> str:
    row = assets.find(tx, one.shared["released"])
    return str(releases.revoke(tx, releases.find(tx, one.shared["release"]), row)["public_id"])


def same_revenue(tx: WriteTx, one: Writer) -> str:
    return revenue.book(tx, one.shared["agreement"], parse_money("9.00", "USD"), "one invoice").id


ACTS: tuple[Callable[[WriteTx, Writer], str], ...] = (
    own_asset, own_consent, own_fact, own_ruling, own_offer, own_revenue, own_feed,
    same_asset, same_hold, same_lift, same_appeal, same_settlement, same_opt_out, same_withdrawal, same_acceptance,
    same_terms, same_release, same_revocation, same_revenue,
)  # fmt: skip


def tell(line: dict[str, Any]) -> None:
    """One write of less than a pipe's 4,096 bytes is never mixed with another process's."""
    os.write(1, json.dumps(line).encode() + b"\n")


def write(root: Path, number: int, shared: dict[str, Any]) -> None:
    one = Writer(open_workspace(root), number, shared)
    # all come to the acts that are the same at about the same time; what is their own stands somewhere between
    acts = [act for act in ACTS if act.__name__.startswith("same_")]
    chance = random.Random(number)
    for act in ACTS:
        if act not in acts:
            acts.insert(chance.randint(0, len(acts)), act)
    tell({"ready": number})
    while os.read(0, 1):
        pass
    for act in acts:
        line: dict[str, Any] = {"writer": number, "act": act.__name__}
        try:
            with one.ws.write() as tx:
                said = act(tx, one)
        except FairframeError as error:
            line["refused"] = error.code
        else:
            line["said"] = said
        tell(line)
    one.ws.close()


def main() -> None:
    root, count, shared = Path(sys.argv[1]), int(sys.argv[2]), json.loads(Path(sys.argv[3]).read_bytes())
    children: list[int] = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            try:
                write(root, number, shared)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    sys.exit(f"{failed} of {count} writers failed" if failed else 0)


if __name__ == "__main__":
    main()
