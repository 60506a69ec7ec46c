"""The figures of a release on both databases, beside sums that plain Python makes of the same rows."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.ancestors import AncestorRef
from fairframe.core.errors import BadDocument, Conflict, Refused
from fairframe.core.ids import new_id
from fairframe.core.item_line import Item
from fairframe.dataset import feeds
from fairframe.dataset.loader import find_delivery, items_of
from fairframe.dataset.receive import Received
from fairframe.flows import model_release
from fairframe.flows.disclosures import reading
from fairframe.flows.disclosures.figure import answer
from fairframe.flows.disclosures.functions import elements
from fairframe.flows.disclosures.papers import Papers, recheck, take
from fairframe.flows.opt_out import opt_out
from fairframe.library import contributors
from fairframe.platform.runs import alone
from fairframe.platform.workspace import Workspace
from fairframe.training import registry
from fairframe.training.publishing import Made, place_for, publish
from fairframe.training.usage import UsageCount

from ..dataset.conftest import PEOPLE, Loop, at_lab, films, loop  # noqa: F401  (fixtures)

WINDOW = {"clip": {"size": 16, "frames": 5, "fps": 24}}
EXTERNAL = AncestorRef("external", "Some/Model <b>", "ab" * 32, "some terms", "undisclosed", 0, 1, "captioner")


def tensor_file(path: Path, *shape: int) -> None:
    """A safetensors file of zeros."""
    count = 1
    for side in shape:
        count *= side
    header = json.dumps({"w": {"dtype": "U8", "shape": shape, "data_offsets": [0, count]}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(count))


def made(lab: Workspace, name: str, frames: dict[str, int], ancestors: tuple[AncestorRef, ...], size: int) -> str:
    """Publish a checkpoint as training does, on weights that are zeros; gives the hash of its weights."""
    place = place_for(lab, name)
    tensor_file(place.part / "vae" / "model.safetensors", size, 3)
    with lab.read() as tx:
        delivery = find_delivery(tx, "squares")
    usage = [UsageCount("house" if item == "house" else delivery["public_id"], item, n) for item, n in frames.items()]
    return str(
        publish(lab, place, Made(new_id("ckp"), WINDOW, ancestors, lambda tx: None, delivery, usage))["weights_hash"]
    )


@pytest.fixture
def items(loop: Loop, at_lab: Received) -> list[Item]:  # noqa: F811
    """The items of a delivery; `older` consumed the first three, and `harbor`, made of it, the second to fourth."""
    with loop.lab.read() as tx:
        found = items_of(tx, find_delivery(tx, "squares"))
    ids = [one.id for one in found]
    first = made(loop.lab, "older", {ids[0]: 10, ids[1]: 20, ids[2]: 30, "house": 7}, (EXTERNAL,), 4)
    parent = AncestorRef("checkpoint", "older", first, "", "disclosed", 1, 2)
    made(loop.lab, "harbor", {ids[1]: 1, ids[2]: 2, ids[3]: 3}, (parent, EXTERNAL), 5)
    # the same weights again, under another name: what either consumed counts of both
    assert made(loop.lab, "older-again", {ids[0]: 10}, (EXTERNAL,), 4) == first
    return found


def test_figures_count_a_checkpoint_and_what_it_was_made_of(loop: Loop, items: list[Item]) -> None:  # noqa: F811
    with loop.lab.read() as tx:
        found = {name: one.value for name, one in reading.read(tx, registry.find(tx, "older-again")).items()}
        assert (found["checkpoints"], found["frames_consumed"], found["house_frames"]) == (2, 70, 7)
        figures = reading.read(tx, registry.find(tx, "harbor"))
    found = {name: one.value for name, one in figures.items()}
    # of two checkpoints with the parent's weights both count
    consumed = items[:4]
    assert (found["checkpoints"], found["house_frames"], found["frames_consumed"]) == (3, 7, 76)
    assert found["clips_consumed"] == len(consumed) == 4
    assert found["contributors_consumed"] == len({one.contributor for one in consumed})
    assert found["assets_consumed"] == len({one.asset for one in consumed})
    assert found["consumed_ms"] == sum(one.duration_ms for one in consumed)
    assert found["clips_delivered"] == len(items)
    assert found["delivered_ms"] == sum(one.duration_ms for one in items)
    assert found["contributors_delivered"] == len({one.contributor for one in items})
    assert found["clips_held_out"] == sum(one.split == "heldout" for one in items)
    assert found["caption_characters"] == sum(len(one.caption) for one in items)
    assert found["ancestors"] == [["Some/Model <b>", "external", "captioner", "some terms", "undisclosed", "ab" * 32]]
    assert found["ancestors_undisclosed"] == 1
    assert found["windows"] == [[name, 16, 5, 24] for name in ("older", "harbor", "older-again")]
    assert found["tensors"] == [["vae", 15]]
    assert found["licensed_sides"] == [[loop.agreement, 256, None]]
    assert {one.type for one in figures["clips_consumed"].evidence} == {"lineage", "delivery"}
    assert len(figures["windows"].evidence) == 3


def test_figures_follow_a_feed_and_older_ones_stay(loop: Loop, items: list[Item], clock: Any) -> None:  # noqa: F811
    with loop.lab.read() as tx:
        before = reading.read(tx, registry.find(tx, "harbor"))
    clock.advance(1_000)
    name = next(one for one in PEOPLE if items[0].id in loop.items_of(one))  # of whom clips were consumed
    with loop.library.write() as tx:
        opt_out(tx, contributors.find(tx, name), "no more")
        feed = feeds.issue(tx, loop.agreement)
    with loop.lab.write() as tx:
        feeds.refresh(tx, feed)
    theirs = set(loop.items_of(name))
    frames = {items[0].id: 20, items[1].id: 21, items[2].id: 32, items[3].id: 3}
    with loop.lab.read() as tx:
        after = {key: one.value for key, one in reading.read(tx, registry.find(tx, "harbor")).items()}
        for key, figure in before.items():
            again = answer(tx, figure.question, figure.parameters)
            assert (again.value, again.rows) == (figure.value, figure.rows), key
    assert after["clips_taken_back"] == len(theirs)
    assert after["clips_taken_back_consumed"] == len(theirs & set(frames)) > 0
    assert after["frames_taken_back_consumed"] == sum(n for item, n in frames.items() if item in theirs)
    assert [count for _, count in after["taken_back_reasons"]] == [len(theirs)]
    assert after["feeds"][0][2] == 2


def test_undisclosed_data_stands_at_the_top_of_each_disclosure(loop: Loop, items: list[Item]) -> None:  # noqa: F811
    with loop.lab.read() as tx:
        documents = model_release.preview(tx, "harbor").documents
    for name in ("eu-training-summary.md", "california-ab-2013.md"):
        text = documents[name].decode()
        assert "1 ancestor [1] whose training data is undisclosed" in text.partition("## ")[0]
        assert r"Some/Model \<b\>" in text
        assert "captions for training were written by" in text.casefold()
    card = documents["README.md"].decode()
    assert '- "Some/Model' not in card.partition("\n---\n")[0], "no name of the Hub"
    assert "some terms" in documents["LICENSE"].decode() or "NO LICENSE" in documents["LICENSE"].decode()


def test_figures_of_a_checkpoint_that_is_not_here_differ(loop: Loop, items: list[Item], tmp_path: Path) -> None:  # noqa: F811
    with loop.lab.read() as tx:
        written: dict[str, Any] = json.loads(model_release.preview(tx, "harbor").documents["figures.json"])
        (tmp_path / "figures.json").write_text(json.dumps(written), "utf-8")
        assert recheck(tx, tmp_path) == []
        for figure in written["figures"]:
            figure["parameters"]["checkpoint"] = new_id("ckp")
        (tmp_path / "figures.json").write_text(json.dumps(written), "utf-8")
        found = {one.name: one.now for one in recheck(tx, tmp_path)}
    assert found["tensors"] == [] and found["checkpoints"] == 0


@pytest.mark.parametrize("term", ["commercial_output", "delete_on_opt_out", "bounds", "passed"])
def test_documents_that_were_read_under_other_terms_no_longer_fit(
    loop: Loop,  # noqa: F811
    items: list[Item],
    tmp_path: Path,
    term: str,
) -> None:
    drafts = tmp_path / "drafts"
    with loop.lab.read() as tx:
        found = model_release.write_drafts(tx, "harbor", drafts)
        fresh = Papers(found.documents, found.subject.figures["checkpoints"].head, tx.now_ms)
        assert take(tx, fresh, drafts).files["README.md"] == found.documents["README.md"]
        other = {"commercial_output": True, "delete_on_opt_out": True, "bounds": [], "passed": []}
        written = json.loads((drafts / "figures.json").read_text("utf-8"))
        assert written[term] != other[term]
        (drafts / "figures.json").write_text(json.dumps(written | {term: other[term]}), "utf-8")
        with pytest.raises(Refused, match="no longer fit") as wrong:
            take(tx, fresh, drafts)
    assert [reason.split()[0] for reason in wrong.value.reasons] == [term]


def test_a_folder_is_written_by_one_at_a_time(loop: Loop, items: list[Item], tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    half_done = tmp_path / f".{out.name}.fairframe-other"
    with loop.lab.read() as tx:
        with alone(loop.lab, model_release.KIND, str(out)):
            half_done.mkdir()
            with pytest.raises(Conflict) as live:
                model_release.write_drafts(tx, "harbor", out)
            assert (live.value.code, half_done.exists(), out.exists()) == ("run.live", True, False)
            with pytest.raises(Conflict) as live:
                model_release.release(loop.lab, "harbor", out)
            assert (live.value.code, half_done.exists(), out.exists()) == ("run.live", True, False)
        model_release.write_drafts(tx, "harbor", out)
        assert (out / "figures.json").is_file() and not half_done.exists()


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, struct.pack("<Q", 4) + b"[[[[", struct.pack("<Q", 2) + b"{]"])
def test_what_is_no_safetensors_file_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(BadDocument, match="no safetensors"):
        elements(tmp_path / "x")
