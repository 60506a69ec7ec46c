"""Two real processes that race: one builds and delivers, the other takes a contributor's no.

    python racers.py publish|leave ROOT

Each reads a line per round and says in a line how it came out. `publish` reads {"name", "agreement", "out"}, builds and
delivers. It stops where every clip is cut and nothing is published: it says "cut" and waits for a line; and again where
the release is published and nothing delivered: "copied". `leave` says "here" and waits, too; then it records the no.
"""

import json
import sys
from pathlib import Path
from typing import Any

from fairframe.core.errors import Refused
from fairframe.dataset import deliveries, releases
from fairframe.flows import opt_out
from fairframe.library import contributors
from fairframe.platform.workspace import Workspace, open_workspace


def wait(word: str) -> None:
    print(json.dumps(word), flush=True)
    sys.stdin.readline()


def publish(ws: Workspace, order: dict[str, Any]) -> dict[str, Any]:
    marks = ["cut", "copied"]

    def cutting(done: int, total: int, _note: str) -> None:
        if done == total and marks[0] == "cut":
            wait(marks.pop(0))

    def copying(_done: int, _total: int, _note: str) -> None:
        if marks == ["copied"]:
            wait(marks.pop())

    told: dict[str, Any] = {"release": None, "delivery": None, "refused": ""}
    try:
        told["release"] = releases.build(ws, order["agreement"], order["name"], show=cutting).id
        told["delivery"] = deliveries.deliver(ws, order["name"], Path(order["out"]), copying).id
    except Refused as error:
        told["refused"] = error.code
    return told


def leave(ws: Workspace, order: dict[str, Any]) -> dict[str, Any]:
    wait("here")
    with ws.write() as tx:
        done = opt_out.opt_out(tx, contributors.find(tx, order["name"]))
    return {"consent": done.consent, "revoked": done.items}


def main() -> None:
    act, ws = {"publish": publish, "leave": leave}[sys.argv[1]], open_workspace(Path(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(act(ws, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
