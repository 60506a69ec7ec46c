"""Releasing weights: the figures and their queries, the permission, the folder, and what the verifier finds in it."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fairframe.core.errors import Conflict, IntegrityFailure, Refused
from fairframe.core.party import Party
from fairframe.core.time import DAY_MS
from fairframe.dataset import feeds
from fairframe.flows import model_release
from fairframe.flows.disclosures import reading
from fairframe.flows.disclosures.figure import answer
from fairframe.flows.disclosures.papers import recheck
from fairframe.flows.disclosures.registry import DOCUMENTS
from fairframe.flows.opt_out import opt_out
from fairframe.flows.upgrade import grant
from fairframe.generation import grants
from fairframe.library import contributors
from fairframe.rights import offers
from fairframe.royalties import usage
from fairframe.training import registry, released
from fairframe.training.reporting import report
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

pytestmark = pytest.mark.torch

Studio = Any
OPEN = (offers.SHIPPED / "research.toml").read_text("utf-8")
for old, new in {
    'name = "research"': 'name = "open-weights"',
    '"train", "fine_tune"]': '"train", "fine_tune", "release_weights"]',
    'model_scope = "licensee"': 'model_scope = "any"',
    "weights_release = false": "weights_release = true",
    'territory = "world"': 'territory = "DE,US"',
}.items():
    assert old in OPEN
    OPEN = OPEN.replace(old, new)


@pytest.fixture
def permitted(studio: Studio) -> Studio:
    """The studio after an upgrade whose grant lets the weights of `harbor` go."""
    with studio.lab.write() as tx:
        data = report(tx, "harbor")
    with studio.library.write() as tx:
        usage.accept(tx, data)
    (studio.library.root / "offers").mkdir(exist_ok=True)
    (studio.library.root / "offers" / "open-weights.toml").write_text(OPEN, "utf-8")
    agreement = studio.loop.agree(studio.loop.agreement, "open-weights")
    with studio.library.write() as tx:
        (granted,) = grant(tx, agreement)
    with studio.lab.write() as tx:
        grants.take(tx, granted.envelope)
    return studio


@pytest.fixture
def withdraw(permitted: Studio) -> Callable[[], str]:
    """A contributor whose clips training consumed opts out, and the lab takes the feed; gives the name."""

    def run() -> str:
        name = permitted.consumed()[0]
        with permitted.library.write() as tx:
            opt_out(tx, contributors.find(tx, name), "no more")
            data = feeds.issue(tx, permitted.loop.agreement)
        with permitted.lab.write() as tx:
            feeds.refresh(tx, data)
        return name

    return run


def check(studio: Studio, folder: Path) -> Report:
    trust = Trust.of(
        [Party.from_envelope((ws.root / "party.json").read_bytes()) for ws in (studio.library, studio.lab)]
    )
    return verify(folder, trust, studio.lab.clock())


def failed(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.ok is False}


def test_a_release_is_signed_recorded_and_verifies(permitted: Studio, tmp_path: Path) -> None:
    done = model_release.release(permitted.lab, "harbor", tmp_path / "out")
    report = check(permitted, done.folder)
    assert (report.kind, failed(report)) == ("model release", set())
    assert {one.code for one in report.findings} >= {"release.lineage", "release.weights", "release.figures"}
    signed = json.loads((done.folder / "lineage.json").read_text())
    assert signed["signatures"]
    assert done.license == "fairframe-weights-draft"
    assert {one.file for one in DOCUMENTS} <= {path.name for path in done.folder.iterdir()}
    with permitted.lab.read() as tx:
        (row,) = released.of_all(tx)[registry.find(tx, "harbor")["id"]]
        told = tx.rows(model_release_entries())
    assert (row["document"], row["purpose"]) == (done.document, "research")
    assert [entry["kind"] for entry in told] == ["checkpoint.released"]
    with pytest.raises(Conflict, match="exists already"):
        model_release.release(permitted.lab, "harbor", done.folder)


def model_release_entries() -> Any:
    from fairframe.platform.tables import audit_entry

    return audit_entry.select().where(audit_entry.c.kind == "checkpoint.released")


def test_a_research_agreement_does_not_let_weights_go(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        model_release.release(studio.lab, "harbor", tmp_path / "out")
    assert {reason.split(":")[0] for reason in refused.value.reasons} == {"guard.action", "guard.model_scope"}
    assert list(tmp_path.glob("*out*")) == []
    with studio.lab.read() as tx:
        found = model_release.write_drafts(tx, "harbor", tmp_path / "drafts")
    assert found.subject.license is None
    text = (tmp_path / "drafts" / "LICENSE").read_text()
    assert "NO LICENSE CAN BE GRANTED" in text
    assert "release_weights" in text
    assert not list((tmp_path / "drafts").rglob("*.safetensors"))


def test_every_figure_is_asked_again_and_every_reference_has_one(
    permitted: Studio, withdraw: Any, tmp_path: Path
) -> None:
    with permitted.lab.read() as tx:
        found = model_release.preview(tx, "harbor")
        for name, figure in found.subject.figures.items():
            again = answer(tx, figure.question, figure.parameters)
            assert (again.value, again.rows) == (figure.value, figure.rows), name
    by_name = {one["name"]: one for one in json.loads(found.documents["figures.json"])["figures"]}
    for document in DOCUMENTS:
        body, _, sources = found.documents[document.file].decode().partition("Figures, ")
        cited = {int(n) for n in re.findall(r"\[(\d+)\]", body)}
        listed = {one["cited"][document.file]: one for one in by_name.values() if document.file in one["cited"]}
        assert cited == set(listed) == {int(n) for n in re.findall(r"^(?:\| )?\[(\d+)\]", sources, re.M)}
        assert all(one["name"] in sources for one in listed.values())


def test_a_figure_is_of_its_moment_and_a_later_opt_out_shows_in_the_next(
    permitted: Studio, withdraw: Callable[[], str], tmp_path: Path
) -> None:
    with permitted.lab.read() as tx:
        before = model_release.write_drafts(tx, "harbor", tmp_path / "drafts").subject
    permitted.lab.clock.advance(60_000)
    name = withdraw()
    with permitted.lab.read() as tx:
        assert recheck(tx, tmp_path / "drafts") == []
        after = model_release.preview(tx, "harbor")
        used = {use["item"]: use["frames"] for use in registry.usage_of(tx, registry.find(tx, "harbor")["id"])}
    theirs = [item for item in permitted.loop.items_of(name) if item in used]
    frames = sum(used[item] for item in theirs)
    assert before.figures["frames_taken_back_consumed"].number == 0
    assert after.subject.figures["clips_taken_back_consumed"].number == len(theirs) > 0
    assert after.subject.figures["frames_taken_back_consumed"].number == frames > 0
    assert f"{frames:,} frames" in after.documents["README.md"].decode()
    assert any("taken back since" in warning for warning in after.warnings)


def test_a_changed_figure_and_a_strange_one_are_found(permitted: Studio, tmp_path: Path) -> None:
    with permitted.lab.read() as tx:
        model_release.write_drafts(tx, "harbor", tmp_path / "drafts")
        path = tmp_path / "drafts" / "figures.json"
        value = json.loads(path.read_text())
        by_name = {one["name"]: one for one in value["figures"]}
        by_name["clips_delivered"]["value"] += 1
        by_name["house_frames"]["query"] = "select 7 as value, 1 as counted"
        path.write_text(json.dumps(value))
        found = {one.name: one.now for one in recheck(tx, tmp_path / "drafts")}
    assert found == {"clips_delivered": 4, "house_frames": None}


def test_documents_that_counsel_read_go_out_as_they_are(
    permitted: Studio, withdraw: Callable[[], str], tmp_path: Path
) -> None:
    drafts = tmp_path / "drafts"
    with permitted.lab.read() as tx:
        model_release.write_drafts(tx, "harbor", drafts)
    (drafts / "LICENSE").write_text("The license as counsel left it.\n")
    done = model_release.release(permitted.lab, "harbor", tmp_path / "out", reviewed=drafts)
    assert (done.folder / "LICENSE").read_text() == "The license as counsel left it.\n"
    assert failed(check(permitted, done.folder)) == set()
    permitted.lab.clock.advance(60_000)
    withdraw()
    with pytest.raises(Refused, match="no longer fit") as refused:
        model_release.release(permitted.lab, "harbor", tmp_path / "later", reviewed=drafts)
    assert any(reason.startswith("frames_taken_back_consumed") for reason in refused.value.reasons)
    assert not (tmp_path / "later").exists()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda f: (f / "README.md").write_text("better"), "model.changed"),
        (lambda f: (f / "LICENSE").unlink(), "model.missing"),
        (lambda f: (f / "extra.py").write_text("print()"), "model.extra"),
        (lambda f: (f / "vae" / "config.json").write_text("{}"), "model.changed"),
    ],
)
def test_a_changed_folder_is_found(permitted: Studio, tmp_path: Path, harm: Callable[[Path], Any], code: str) -> None:
    folder = model_release.release(permitted.lab, "harbor", tmp_path / "out").folder
    harm(folder)
    assert failed(check(permitted, folder)) == {code}


def test_changed_weights_are_not_released(permitted: Studio, tmp_path: Path) -> None:
    with permitted.lab.read() as tx:
        folder = registry.folder_of(permitted.lab, registry.find(tx, "harbor"))
    (folder / "window.json").write_text("{}")
    with pytest.raises(IntegrityFailure):
        model_release.release(permitted.lab, "harbor", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_old_feed_keeps_weights_at_home(permitted: Studio, tmp_path: Path) -> None:
    permitted.lab.clock.advance(8 * DAY_MS)
    with pytest.raises(Refused) as refused:
        model_release.release(permitted.lab, "harbor", tmp_path / "out")
    assert "guard.feed_age" in {reason.split(":")[0] for reason in refused.value.reasons}


def test_the_license_repeats_the_strictest_bounds(permitted: Studio) -> None:
    with permitted.lab.read() as tx:
        found = model_release.preview(tx, "harbor")
    text = " ".join(found.documents["LICENSE"].decode().split())
    assert "for research that is not commercial, and for nothing else, in these countries only: DE,US" in text
    assert "Films that the weights make may not be sold" in text
    assert "CC-BY-NC-4.0: no because it never ends, and the agreements do" in text


def test_the_front_matter_reads_as_the_hub_documents_it(permitted: Studio) -> None:
    from huggingface_hub import ModelCard

    with permitted.lab.read() as tx:
        text = model_release.preview(tx, "harbor").documents["README.md"].decode()
        delivery = registry.find(tx, "harbor")["delivery"]
    card = ModelCard(text).data
    assert (card.license, card.license_name, card.license_link) == ("other", "fairframe-weights-draft", "LICENSE")
    assert (card.datasets, card.library_name, card.pipeline_tag) == ([delivery], "diffusers", "text-to-video")
    assert "fairframe" in (card.tags or [])


def test_no_document_claims_that_a_law_is_met(permitted: Studio) -> None:
    with permitted.lab.read() as tx:
        found = model_release.preview(tx, "harbor")
    for document in DOCUMENTS:
        text = found.documents[document.file].decode()
        assert "draft for counsel" in text.casefold()
        assert not re.search(r"\b(complian|complies|conform|removed|unlearned)\w*", text, re.IGNORECASE)


def test_no_release_of_a_copy_that_shutil_left_half(permitted: Studio, tmp_path: Path, monkeypatch: Any) -> None:
    """A disk that writes something else: the copy is held against the lineage."""
    real = shutil.copyfile

    def bad(source: Path, target: Path) -> None:
        real(source, target)
        if Path(target).suffix == ".safetensors":
            with Path(target).open("r+b") as stream:
                stream.truncate(10)

    monkeypatch.setattr(shutil, "copyfile", bad)
    with pytest.raises(IntegrityFailure, match="changed while it was copied"):
        model_release.release(permitted.lab, "harbor", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_questions_have_names_of_their_own() -> None:
    from fairframe.flows.disclosures.functions import FUNCTIONS
    from fairframe.flows.disclosures.statements import STATEMENTS

    assert len(reading.QUESTIONS) == len(STATEMENTS) + len(FUNCTIONS)


@pytest.fixture
def command(permitted: Studio, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., tuple[int, str, str]]:
    """The `fairframe` command on the lab, by the clock of these workspaces."""
    from fairframe.cli import shell
    from fairframe.cli.main import main
    from fairframe.platform.workspace import open_workspace

    monkeypatch.setattr(shell, "open_workspace", lambda root, **_: open_workspace(root, permitted.lab.clock))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["fairframe", "-w", *map(str, (permitted.lab.root, "model", *words))])
        with pytest.raises(SystemExit) as stop:
            main()
        shown = capsys.readouterr()
        return int(stop.value.code or 0), shown.out, shown.err

    return run


def test_the_command_previews_asks_and_releases(command: Any, permitted: Studio, tmp_path: Path) -> None:
    assert json.loads(command("list", "--json")[1])[0]["released"] == []
    code, out, _ = command("release", "harbor")
    assert code == 0
    assert "permitted for research" in out
    assert "cannot be called back" in out
    code, out, err = command("release", "harbor", "-o", tmp_path / "out")
    assert (code, "input.confirm" in err) == (1, True)
    assert not (tmp_path / "out").exists()
    code, out, _ = command("release", "harbor", "-o", tmp_path / "out", "--yes", "--json")
    done = json.loads(out)
    assert (code, done["license"]) == (0, "fairframe-weights-draft")
    (left,) = json.loads(command("list", "--json")[1])[0]["released"]
    assert (left["document"], left["purpose"], left["license"]) == (done["document"], "research", done["license"])
    shown = command("list")[1]
    assert "weights released" in shown and "research" in shown
    assert "weights released 2026-05-28 20:26 for research until 2027-05-28 20:26" in command("show", "harbor")[1]
    assert failed(check(permitted, tmp_path / "out")) == set()
    assert command("figures", tmp_path / "out")[0] == 0
    value = json.loads((tmp_path / "out" / "figures.json").read_text())
    value["figures"][0]["value"] = 12
    (tmp_path / "out" / "figures.json").write_text(json.dumps(value))
    code, out, _ = command("figures", tmp_path / "out")
    assert (code, "12" in out) == (1, True)


def test_the_command_says_why_not_and_drafts_all_the_same(command: Any, permitted: Studio, tmp_path: Path) -> None:
    permitted.lab.clock.advance(8 * DAY_MS)
    code, out, _ = command("release", "harbor", "--json")
    said = json.loads(out)
    assert (code, said["permitted"], said["license"]) == (1, False, None)
    assert any(reason.startswith("guard.feed_age") for reason in said["reasons"])
    code, _, err = command("release", "harbor", "-o", tmp_path / "out", "--yes")
    assert code == 1
    assert err.startswith("error[guard.refused]")
    code, out, err = command("release", "harbor", "--documents-only", "-o", tmp_path / "drafts")
    assert (code, "refused: guard." in out, "nothing is signed" in err) == (0, True, True)
    assert {path.name for path in (tmp_path / "drafts").iterdir()} == {one.file for one in DOCUMENTS} | {"figures.json"}
