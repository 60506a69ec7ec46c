"""Runs: what must not be done twice at once is not, and a process that was killed holds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from fairframe.core.errors import Conflict
from fairframe.platform import runs
from fairframe.platform.workspace import Workspace, create_workspace
from fairframe.training import session

HOLD = """
import sys
from pathlib import Path
from fairframe.platform import runs
from fairframe.platform.workspace import open_workspace

ws = open_workspace(Path(sys.argv[1]))
with runs.alone(ws, "train", "boats"), runs.running(ws, "train", {"name": "boats"}) as run:
    print(run.public_id, flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_of_the_first_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    ws = create_workspace(tmp_path / "lab", "lab", "North Lab")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ws.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        run = child.stdout.readline().strip()
        with pytest.raises(Conflict) as caught, runs.alone(ws, "train", "boats"):
            pass
        assert caught.value.code == "run.live"
        assert run in caught.value.message and str(child.pid) in caught.value.message
        with runs.alone(ws, "train", "trains"):
            pass
        child.kill()
        child.wait()
        with runs.alone(ws, "train", "boats"), runs.running(ws, "train", {"name": "boats"}):
            pass
    ws.close()


def test_it_ends_with_its_block_also_where_that_fails(library: Workspace) -> None:
    with pytest.raises(RuntimeError), runs.alone(library, "train", "boats"):
        raise RuntimeError
    with runs.alone(library, "train", "boats"):
        with pytest.raises(Conflict), runs.alone(library, "train", "boats"):
            pass
    with runs.alone(library, "train", "boats"):
        pass


def test_a_training_runs_once_at_a_time(lab: Workspace) -> None:
    with runs.alone(lab, "train", "boats"):
        with pytest.raises(Conflict) as caught:
            session.train(lab, "dlv", "tiny", "boats")
    assert caught.value.code == "run.live"
    assert not (lab.root / "models").exists()
