"""Document releases from the command line: what they say, in bulk after a preview, taken back; people by a ruling."""

import hashlib
from pathlib import Path

import pytest
from tests.rights.test_recheck import Scene, scene  # noqa: F401  (fixture)

from fairframe.library import facts

from .conftest import Fairframe

PAPER = b"%PDF-1.7 I agree, and to the training of models"


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


def test_from_a_ruling_to_a_table_of_releases(scene: Scene, fairframe: Fairframe, tmp_path: Path) -> None:  # noqa: F811
    root, paper = scene.ws.root, tmp_path / "ana.pdf"
    paper.write_bytes(PAPER)
    look = ("-w", root, "rights", "review", "rule", "0.mp4", "people", "--reason", "a face")
    assert fairframe(*look, "--yes").code == 2
    assert fairframe(*look, "--seen", "--none", "--yes").code == 2
    assert fairframe(*look, "--seen").code == 1, "it asks first"
    assert fairframe(*look, "--seen", "--yes").code == 0
    with scene.ws.read() as tx:
        assert facts.current(tx, scene.ids[0])["people"] == "yes"
    explain = ("-w", root, "rights", "clear", scene.agreement.public_id, "--explain", "0.mp4", "--json")
    codes = lambda: [one["code"] for one in fairframe(*explain).data["findings"]]  # noqa: E731
    assert codes() == ["model_release_missing"]

    release = ("-w", root, "library", "release")
    add = (*release, "add", "0.mp4", paper, "--ai-training", "--minor")
    added = fairframe(*add, "--territory", "US,CA", "--until", "2027-01-01")
    assert added.code == 0 and hashlib.sha256(PAPER).hexdigest() in added.err and "guardian" in added.err
    assert codes() == ["model_release_territory", "model_release_term", "model_release_minor"]
    assert fairframe(*add, "--guardian", "Rosa Duarte").code == 1, "it is on file and says otherwise"
    listed = fairframe(*release, "list", "0.mp4", "--json").data
    assert [(one["territory"], one["minor"], one["guardian_signed"], one["state"]) for one in listed] == [
        ("CA,US", True, False, "in force")
    ]
    assert fairframe(*release, "revoke", "0.mp4", listed[0]["id"]).code == 0
    again = fairframe(*add, "--guardian", "Rosa Duarte")
    assert again.code == 1 and "release.revoked" in again.err
    anew = tmp_path / "anew.pdf"
    anew.write_bytes(PAPER + b"% signed anew")
    order = (*release, "add", "0.mp4", anew, "--ai-training", "--minor", "--guardian", "Rosa Duarte")
    assert fairframe(*order).code == 0 and codes() == []
    shown = fairframe("-w", root, "library", "show", "0.mp4")
    assert hashlib.sha256(anew.read_bytes()).hexdigest() in shown.out and "Duarte" not in shown.out

    table = tmp_path / "releases.csv"
    lines = [f"{n}.mp4,ana.pdf,property,yes,world" for n in range(4)]
    table.write_text("\n".join(["asset,document,kind,ai_training,territory", *lines, "9.mp4,ana.pdf,model,no,"]))
    wrong = fairframe(*release, "import", table, "--yes")
    assert wrong.code == 1 and "line 6" in wrong.out and "none was" in wrong.err
    table.write_text("\n".join(["asset,document,kind,ai_training,territory", *lines]))
    asked = fairframe(*release, "import", table)
    assert asked.code == 1 and "input.confirm" in asked.err and "ana.pdf" in asked.out
    assert fairframe(*release, "import", table, "--yes", "--json").data == {"taken": 4, "known": 0, "problems": []}
    assert fairframe(*release, "import", table, "--yes", "--json").data["known"] == 4
    listed = fairframe(*release, "list", "--document", hashlib.sha256(PAPER).hexdigest(), "--json").data
    assert len(listed) == 5
    end = (*release, "revoke-document", hashlib.sha256(PAPER).hexdigest())
    assert fairframe(*end).code == 1 and "4 releases" in fairframe(*end, "--yes").out
    assert fairframe(*end, "--yes").code == 1, "none is left"
    assert "revoked" in fairframe(*release, "list").out
