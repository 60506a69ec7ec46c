"""Training as a use case: whose terms a checkpoint stands under, and what a no means for one that was cut off."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import Conflict, Refused
from fairframe.dataset import feeds
from fairframe.flows import opt_out
from fairframe.generation import guard
from fairframe.library import contributors
from fairframe.royalties import usage
from fairframe.training import registry
from fairframe.training.reporting import report
from fairframe.training.session import train

pytestmark = pytest.mark.torch

CHILD = """
import sys
from pathlib import Path
from fairframe.platform.workspace import open_workspace
from fairframe.training.session import train
show = lambda stage, done, total, loss: print(stage, done, flush=True)
now_ms = int(sys.argv[3])
train(open_workspace(Path(sys.argv[1]), lambda: now_ms), "squares", sys.argv[2], "cut", from_scratch=True, on_loss=show)
"""


@pytest.fixture
def preset(made: Path, tmp_path: Path) -> Callable[..., str]:
    """The studio's preset, with more steps of the flow where a kill has to fall inside them (a state is kept at 50)."""

    def write(steps: int = 2) -> str:
        path = tmp_path / "small.toml"
        head, flow = (made / "small.toml").read_text("utf-8").split("[train_flow]")
        path.write_text(f"{head}[train_flow]{flow.replace('steps = 2', f'steps = {steps}', 1)}", "utf-8")
        return str(path)

    return write


def test_a_model_trained_after_an_upgrade_stands_under_its_deliverys_agreement(
    studio: Any, upgrade: Callable[[], str], preset: Callable[..., str]
) -> None:
    research = studio.loop.agreement
    upgrade()
    train(studio.lab, "squares", preset(), "again", from_scratch=True)
    with studio.lab.read() as tx:
        row = registry.find(tx, "again")
        assert row["agreement"] == research != studio.loop.agreement
        with pytest.raises(Refused) as refused:
            guard.permits(tx, row, "commercial")
        assert any("guard.purpose" in reason for reason in refused.value.reasons)
    with studio.lab.write() as tx:
        data = report(tx, "again")
    with studio.library.write() as tx:
        assert usage.accept(tx, data).report.delivered_frames == row["frames_seen"]


def cut_off(studio: Any, preset: str) -> None:
    """A training that was killed after a state of its flow was kept."""
    command = [sys.executable, "-c", CHILD, str(studio.lab.root), preset, str(studio.lab.clock())]
    child = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        stage, done = line.split()
        if stage == "flow" and int(done) >= 60:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert (studio.lab.root / "models" / ".cut.part" / "state" / "flow.state").is_file()


def test_a_killed_training_goes_on_without_the_clips_that_were_taken_back(
    studio: Any, preset: Callable[..., str]
) -> None:
    name = preset(90)
    cut_off(studio, name)
    who = "Ana Rivera"
    gone = set(studio.loop.items_of(who))
    with studio.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, who), "no more")
        data = feeds.issue(tx, studio.loop.agreement)
    with studio.lab.write() as tx:
        feeds.refresh(tx, data)
    done = train(studio.lab, "squares", name, "cut", from_scratch=True)
    assert not done.stopped and done.steps["flow"] == 90
    with studio.lab.read() as tx:
        counted = {use["item"]: use["frames"] for use in registry.usage_of(tx, registry.find(tx, "cut")["id"])}
    others = [frames for item, frames in counted.items() if item not in gone]
    assert sum(counted.values()) >= 90 * 2 * 5
    # what was consumed before the no stays counted, and the rest of the run fell to the others
    assert max(counted[item] for item in gone) < min(others)


def test_a_half_done_training_is_not_mixed_with_other_arguments(studio: Any, preset: Callable[..., str]) -> None:
    cut_off(studio, preset(4000))
    with pytest.raises(Conflict) as conflict:
        train(studio.lab, "squares", preset(), "cut", from_scratch=True)
    assert conflict.value.code == "model.half_done"
