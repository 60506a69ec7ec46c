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
from fairframe.dataset import feeds, loader
from fairframe.flows import deletion, opt_out
from fairframe.library import contributors
from fairframe.platform.tables import run
from fairframe.rights import agreements, offers
from fairframe.royalties import usage
from fairframe.training import lineage, permissions, registry
from fairframe.training.reporting import report
from fairframe.training.session import train

pytestmark = pytest.mark.torch

ANA = "Ana Rivera"
CHILD = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from fairframe.platform.workspace import open_workspace
from fairframe.training.session import train
show = lambda stage, done, total, loss: print(stage, done, flush=True)
now_ms, where = int(sys.argv[3]), sys.argv[4]
ws = open_workspace(Path(sys.argv[1]), lambda: now_ms)
target = ws.root / "models" / "cut"
def die():
    os.kill(os.getpid(), signal.SIGKILL)
if where == "before the commit":
    sa.event.listen(ws.engine, "commit", lambda conn: die() if target.exists() else None)
elif where == "after the commit":
    sys.addaudithook(lambda event, args: die() if event == "shutil.rmtree" and args[0] == target / "state" else None)
train(ws, "squares", sys.argv[2], "cut", from_scratch=True, on_loss=show)
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
            permissions.require(tx, row, "generate", "commercial")
        assert any("guard.purpose" in reason for reason in refused.value.reasons)
    with studio.lab.write() as tx:
        data = report(tx, "again")
    with studio.library.write() as tx:
        assert usage.accept(tx, data).report.delivered_frames == row["frames_seen"]


def child(studio: Any, preset: str, where: str = "") -> "subprocess.Popen[str]":
    """A training of `cut` in a process of its own, which kills itself at `where`."""
    command = [sys.executable, "-c", CHILD, str(studio.lab.root), preset, str(studio.lab.clock()), where]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True)


def cut_off(studio: Any, preset: str) -> None:
    """A training that was killed after a state of its flow was kept."""
    process = child(studio, preset)
    assert process.stdout is not None
    for line in process.stdout:
        stage, done = line.split()
        if stage == "flow" and int(done) >= 60:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (studio.lab.root / "models" / ".cut.part" / "state" / "flow.state").is_file()


def leaves(studio: Any, who: str = ANA) -> set[str]:
    """Opts a contributor out and takes the feed into the lab; their items."""
    with studio.library.write() as tx:
        opt_out.opt_out(tx, contributors.find(tx, who), "no more")
        data = feeds.issue(tx, studio.loop.agreement)
    with studio.lab.write() as tx:
        feeds.refresh(tx, data)
    return set(studio.loop.items_of(who))


def counted_in(studio: Any, name: str) -> dict[str, int]:
    """Frames of each item that a checkpoint consumed."""
    with studio.lab.read() as tx:
        return {use["item"]: use["frames"] for use in registry.usage_of(tx, registry.find(tx, name)["id"])}


def newest_run(studio: Any) -> Any:
    with studio.lab.read() as tx:
        return tx.row(run.select().where(run.c.kind == "train").order_by(run.c.id.desc()).limit(1))


def test_a_killed_training_goes_on_without_the_clips_that_were_taken_back(
    studio: Any, preset: Callable[..., str]
) -> None:
    name = preset(90)
    cut_off(studio, name)
    gone = leaves(studio)
    done = train(studio.lab, "squares", name, "cut", from_scratch=True)
    assert not done.stopped and done.steps["flow"] == 90
    counted = counted_in(studio, "cut")
    others = [frames for item, frames in counted.items() if item not in gone]
    assert sum(counted.values()) >= 90 * 2 * 5
    # what was consumed before the no stays counted, and the rest of the run fell to the others
    assert max(counted[item] for item in gone) < min(others)


def test_a_half_done_training_is_not_mixed_with_other_arguments(studio: Any, preset: Callable[..., str]) -> None:
    cut_off(studio, preset(4000))
    with pytest.raises(Conflict) as conflict:
        train(studio.lab, "squares", preset(), "cut", from_scratch=True)
    assert conflict.value.code == "model.half_done"


@pytest.mark.parametrize("where", ["before the commit", "after the commit"])
def test_a_training_that_is_killed_while_it_is_published_is_not_lost(
    studio: Any, preset: Callable[..., str], where: str
) -> None:
    name, folder, stepped = preset(), studio.lab.root / "models" / "cut", list[int]()
    process = child(studio, name, where)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (folder / "lineage.json").is_file() and (folder / "state" / "flow.state").is_file()

    def again() -> None:
        train(studio.lab, "squares", name, "cut", from_scratch=True, on_loss=lambda *step: stepped.append(step[1]))

    if where == "after the commit":
        with pytest.raises(Conflict) as conflict:
            again()
        assert conflict.value.code == "model.exists"
    else:
        again()
    assert stepped == [], "nothing is trained twice"
    assert not (folder / "state").exists() and not (folder / "session.json").exists()
    assert not (folder.parent / ".cut.part").exists()
    with studio.lab.read() as tx:
        row = registry.find(tx, "cut")
    assert registry.check_files(studio.lab, row) == folder
    assert (folder / "lineage.json").read_text("utf-8") == row["lineage"]


def test_a_strange_folder_under_the_name_is_told_before_anything_is_trained(
    studio: Any, preset: Callable[..., str]
) -> None:
    kept = studio.lab.root / "models" / "cut" / "notes.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(Conflict) as conflict:
        train(studio.lab, "squares", preset(), "cut", from_scratch=True)
    assert conflict.value.code == "model.in_the_way"
    assert kept.read_text() == "mine" and newest_run(studio)["arguments"]["name"] == "harbor"


def under(studio: Any, remedy: str) -> str:
    """A delivery to the lab under an agreement with this remedy; its name."""
    if remedy == "stop_at_next_epoch":
        return "squares"
    text = (offers.SHIPPED / "research.toml").read_text("utf-8")
    text = text.replace('name = "research"', 'name = "other"').replace('"stop_at_next_epoch"', f'"{remedy}"')
    folder = studio.library.root / "offers"
    folder.mkdir()
    (folder / "other.toml").write_text(text, "utf-8")
    studio.loop.agree(offer="other")
    studio.loop.build("other")
    studio.loop.deliver("other", "other")
    studio.loop.receive("other")
    return "other"


@pytest.mark.parametrize("remedy", ["grandfather", "stop_at_next_epoch"])
def test_an_opt_out_while_a_training_runs(studio: Any, preset: Callable[..., str], remedy: str) -> None:
    dataset, gone = under(studio, remedy), set[str]()

    def on_loss(stage: str, done: int, _total: int, _loss: float) -> None:
        if (stage, done) == ("flow", 5):
            gone.update(leaves(studio))

    done = train(studio.lab, dataset, preset(90), "cut", from_scratch=True, on_loss=on_loss)
    assert gone and not done.stopped and done.steps["flow"] == 90
    assert newest_run(studio)["result"]["windows"] == done.windows
    counted = counted_in(studio, "cut")
    theirs = [frames for item, frames in counted.items() if item in gone]
    others = [frames for item, frames in counted.items() if item not in gone]
    # an epoch deals each of a clip's 7 windows of 5 frames once, and the feed came in the first
    epoch = 7 * 5
    assert done.windows == 7 * len(counted) and min(others) >= 7 * epoch
    if remedy == "grandfather":
        assert min(theirs) >= 7 * epoch
    else:
        # beside the autoencoder's single step
        assert epoch <= min(theirs) <= max(theirs) <= epoch + 2 * 5


def test_under_withdraw_a_running_training_ends_and_leaves_nothing(studio: Any, preset: Callable[..., str]) -> None:
    dataset, gone, last = under(studio, "withdraw"), set[str](), list[int]()

    def on_loss(stage: str, done: int, _total: int, _loss: float) -> None:
        last.append(done)
        if (stage, done) == ("flow", 5):
            gone.update(leaves(studio))

    with pytest.raises(Refused) as refused:
        train(studio.lab, dataset, preset(90), "cut", from_scratch=True, on_loss=on_loss)
    assert (refused.value.code, last[-1]) == ("training.withdrawn", 5)
    assert [path.name for path in (studio.lab.root / "models").iterdir()] == ["harbor"]
    failed = newest_run(studio)
    assert failed["state"] == "failed" and "withdrew" in failed["error"]
    train(studio.lab, dataset, preset(), "cut", from_scratch=True)
    assert not gone & counted_in(studio, "cut").keys()


def test_nothing_is_attested_over_a_training_that_runs(studio: Any, preset: Callable[..., str]) -> None:
    refused: list[str] = []

    def attested() -> bytes:
        with studio.lab.write() as tx:
            return deletion.attest(tx, loader.find_delivery(tx, "squares"))

    def on_loss(stage: str, done: int, _total: int, _loss: float) -> None:
        if (stage, done) == ("flow", 45):
            with studio.library.write() as tx:
                agreements.terminate(tx, studio.loop.agreement, "they sold clips")
                data = feeds.issue(tx, studio.loop.agreement)
            with studio.lab.write() as tx:
                feeds.refresh(tx, data)
            with pytest.raises(Conflict) as conflict:
                attested()
            refused.append(conflict.value.code)

    with pytest.raises(Refused):
        train(studio.lab, "squares", preset(90), "cut", from_scratch=True, on_loss=on_loss)
    assert refused == ["run.live"] and (studio.lab.root / "models" / ".cut.part" / "state").exists()
    attested()
    assert list((studio.lab.root / "models").iterdir()) == []


def test_a_training_that_consumed_nothing_is_no_checkpoint(studio: Any, preset: Callable[..., str]) -> None:
    path = Path(preset(0))
    path.write_text(path.read_text("utf-8").replace("steps = 1\n", "steps = 0\n", 1), "utf-8")
    with pytest.raises(Refused) as refused:
        train(studio.lab, "squares", str(path), "cut", from_scratch=True)
    assert refused.value.code == "training.empty"
    assert [folder.name for folder in (studio.lab.root / "models").iterdir()] == ["harbor"]


def test_a_runs_row_keeps_the_whole_recipe_and_its_hash(studio: Any, preset: Callable[..., str]) -> None:
    path = Path(preset())
    train(studio.lab, "squares", str(path), "cut", from_scratch=True, seed=3)
    done = newest_run(studio)
    path.write_text(
        path.read_text("utf-8").replace("steps = 2\n", "steps = 0\n", 1).replace("steps = 1\n", "steps = 0\n")
    )
    with pytest.raises(Refused):
        train(studio.lab, "squares", str(path), "none", from_scratch=True)
    failed = newest_run(studio)
    with studio.lab.read() as tx:
        body = registry.lineage_of(registry.find(tx, "cut")).body
    assert body["recipe_hash"] == done["arguments"]["recipe_hash"] == lineage.recipe_hash(done["arguments"]["recipe"])
    assert (failed["state"], failed["arguments"]["recipe"]["train_vae"]["steps"]) == ("failed", 0)
    assert done["arguments"]["recipe"]["train_vae"]["steps"] == 1
    assert (done["arguments"]["recipe"]["seed"], done["arguments"]["recipe"]["from_scratch"]) == (3, True)
    assert failed["arguments"]["recipe_hash"] != done["arguments"]["recipe_hash"]
