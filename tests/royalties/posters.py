"""Many posters at once: real processes that book, allocate and pay in one library.

    python posters.py ROOT COUNT AGREEMENT

One process loads the code and forks COUNT others. Each opens the workspace, says "ready", waits until standard
input ends, and then posts: receipts of its own, one that all book, every open pool, one batch that all prepare.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from fairframe.core.errors import Conflict, Refused
from fairframe.core.money import Currency, Money
from fairframe.platform.workspace import Workspace, open_workspace
from fairframe.royalties import allocate, batches, revenue

OWN = 3
USD = Currency("USD")


def post(ws: Workspace, number: int, deal: str) -> None:
    """The acts of one poster; each line says what was committed."""
    for count in range(OWN):
        with ws.write() as tx:
            reference = f"R-{number}-{count}"
            booked = revenue.book(tx, deal, Money(1_000 + number, USD), reference)
        tell(number, "receipt", booked.reference)
    with ws.write() as tx:
        booked = revenue.book(tx, deal, Money(77, USD), "R-all")
    tell(number, "same", booked.id)
    for made in allocate.allocate(ws):
        tell(number, "allocation", made)
    for _ in range(40):  # a plan of what another poster changes meanwhile is refused, and made anew
        with ws.read() as tx:
            planned = batches.plan(tx, "P-all", "USD")
        try:
            with ws.write() as tx:
                batch = batches.prepare(tx, planned)["public_id"]
        except (Conflict, Refused):
            continue
        tell(number, "batch", batch)
        break


def tell(number: int, act: str, said: str) -> None:
    line({"poster": number, "act": act, "said": said})


def line(word: dict[str, object]) -> None:
    """In one piece: where Python does not buffer, print writes a line and its end apart, with others' between."""
    os.write(1, json.dumps(word).encode() + b"\n")


def main(root: Path, count: int, deal: str) -> int:
    children: list[int] = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            try:
                ws = open_workspace(root)
                line({"ready": number})
                sys.stdin.read()
                post(ws, number, deal)
                ws.close()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(0)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
