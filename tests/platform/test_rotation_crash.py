"""`keys rotate` killed right before each of its effects: the workspace can sign, and the other side can follow."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from fairframe.core.time import now_ms
from fairframe.flows.verify import verify_audit
from fairframe.platform import bundles, identity, rotation
from fairframe.platform.workspace import Workspace, open_workspace

CHILD = """
import os, signal, sys, time
from pathlib import Path
import sqlalchemy as sa
from fairframe.cli.main import main
from fairframe.platform import rotation, workspace

def die_at(number):
    left = [number]
    def effect(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal is not always there when kill returns
    def hook(event, arguments):
        keys = event == "open" and isinstance(arguments[0], str) and "/keys/" in arguments[0]
        if keys or event in ("os.rename", "os.remove"):
            effect()
    sys.addaudithook(hook)
    sa.event.listen(sa.Engine, "commit", effect)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        die_at(int(line))
        sys.stdout = sys.stderr = open(os.devnull, "w")
        sys.argv = ["fairframe", "--workspace", sys.argv[1], "keys", "rotate", "--yes"]
        try:
            main()
        except SystemExit as ended:
            os._exit(ended.code or 0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
MOST = 60


@pytest.fixture
def rotator(lab: Workspace) -> Any:
    environment = {**os.environ}
    if lab.engine.dialect.name == "postgresql":
        environment["FAIRFRAME_DATABASE_URL"] = lab.engine.url.render_as_string(hide_password=False)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", CHILD, str(lab.root)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment) as child:
        yield child
        child.stdin.close()  # type: ignore[union-attr]


@pytest.mark.crash
def test_a_rotation_that_is_killed_anywhere(library, lab, rotator, clock, monkeypatch) -> None:
    clock.now = now_ms()
    url = lab.engine.url.render_as_string(hide_password=False)
    rotated: list[bool] = []
    for number in range(1, MOST):
        with lab.read() as tx:
            before = identity.own(tx).version
        rotator.stdin.write(f"{number}\n")
        ended = int(rotator.stdout.readline())
        assert ended in (0, -signal.SIGKILL)
        clock.now = now_ms()
        if lab.engine.dialect.name == "postgresql":
            monkeypatch.setenv("FAIRFRAME_DATABASE_URL", url)
        again = open_workspace(lab.root, clock)
        monkeypatch.delenv("FAIRFRAME_DATABASE_URL", raising=False)
        check(library, again)
        with again.read() as tx:
            rotated.append(identity.own(tx).version == before + 1)
            assert rotated[-1] or identity.own(tx).version == before
        again.close()
        if ended == 0:
            break
    else:
        pytest.fail("it was never let through")
    # before its commit nothing has happened; from then on it stays
    assert rotated == sorted(rotated) and not rotated[0] and rotated[-1] and rotated[-2]
    rotation.rotate(lab)
    with lab.read() as tx:
        assert lab.keys.held() == (identity.signer(tx)[0].keyid,), "no older private half is left"
    assert verify_audit(lab, []).holds


def check(library: Workspace, lab: Workspace) -> None:
    """The lab signs with a key that its document names; the library learns of it without comparing, and takes it."""
    assert {path.name for path in lab.keys.folder.iterdir()} == {"keyring.json", "lock"}
    with library.write() as tx:
        identity.pin(tx, (lab.root / "party.json").read_bytes())
    with lab.write() as tx:
        data = bundles.issue(tx, "usage_report", library.party_id, {"n": 1})
        assert identity.signer(tx)[0].keyid in lab.keys.held()
    with library.write() as tx:
        assert bundles.accept(tx, data, "usage_report").new
