"""A quarter's payouts by the commands that a person types, in a process that may be killed and started again.

    python payout_script.py WORKSPACE FOLDER

FAIRFRAME_KILL_AT=n: the process kills itself right before its n-th effect, which is a commit of a database or a new
name on the disk.
"""

import os
import signal
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from fairframe.cli.main import main
from fairframe.library import contributors
from fairframe.platform.workspace import open_workspace
from fairframe.royalties.payouts import payouts_of

STEPS = (
    "payout prepare --ref Q2 --currency EUR --yes",
    "payout submit Q2 -o {folder} --yes",
    "payout settle Q2 --yes",
    "payout return {bob} --reason AC04 --yes",
    "pay bob --ref HAND --yes",
)


def die_at(number: int) -> None:
    count = 0

    def effect(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal is not always there when kill returns

    sys.addaudithook(lambda event, _arguments: effect() if event == "os.rename" else None)
    sa.event.listen(sa.Engine, "commit", effect)


def bob() -> str:
    """The first payout to bob."""
    ws = open_workspace(Path(sys.argv[1]))
    with ws.read() as tx:
        found = payouts_of(tx, contributors.find(tx, "bob")["id"])[0]["public_id"]
    ws.close()
    return str(found)


if __name__ == "__main__":
    workspace, folder = sys.argv[1:3]
    die_at(int(os.environ.get("FAIRFRAME_KILL_AT", "0")))
    for step in STEPS:
        words = step.format(folder=folder, bob=bob() if "{bob}" in step else "").split()
        sys.argv = ["fairframe", "-w", workspace, "royalties", *words]
        try:
            main()
        except SystemExit as stop:
            if stop.code:
                raise
        sys.argv = ["", workspace, folder]
