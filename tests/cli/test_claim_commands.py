"""A claim from the command line: looked at, lodged, in the queue, shown as a page, settled, checked."""

from pathlib import Path

import pytest

from fairframe.core.timecode import Rate
from fairframe.curation.curate import curate
from fairframe.flows.ingest import ingest
from fairframe.media.encode import write_mp4
from fairframe.platform.workspace import Workspace

from ..curation.conftest import make_scene
from .conftest import Fairframe


@pytest.fixture
def database() -> str:
    """The commands open the workspaces by their folders, so on SQLite."""
    return "sqlite"


def test_a_claim_from_film_to_outcome(library: Workspace, fairframe: Fairframe, tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    for seed in (1, 2):
        write_mp4(tmp_path / "ana" / f"{seed}.mp4", make_scene(seed, 30), Rate(24))
    ingest(library, tmp_path / "ana", contributor="Ana <b>Rivera</b>")
    curate(library)
    film, page = tmp_path / "film.mp4", tmp_path / "claim.html"
    write_mp4(film, make_scene(2, 30, size=(144, 96)), Rate(24), crf=30)
    rights = ("-w", library.root, "rights")
    order = (*rights, "claim", film, "--contributor", "Ana <b>Rivera</b>")

    looked = fairframe(*order, "--dry-run", "--json")
    assert looked.code == 0, looked.err
    assert looked.data["claim"] is None and looked.data["near"][0]["filename"] == "2.mp4"
    assert fairframe(*rights, "claims", "list", "--json").data == []

    told = fairframe(*order, "--words", "<script>mine</script>", "--html", page)
    assert told.code == 0, told.err
    assert "2.mp4" in told.out and "random frames of this library" in told.out and "never a verdict" in told.err
    text = page.read_text("utf-8")
    assert "<script" not in text and "&lt;script&gt;mine" in text and "data:image/jpeg;base64," in text
    assert "http" not in text.replace("http-equiv", ""), "the page loads nothing"

    (case,) = fairframe(*rights, "review", "list", "--json").data["claims"]
    assert (case["film_name"], case["state"], case["words"]) == ("film.mp4", "open", "<script>mine</script>")
    assert case["public_id"] in fairframe(*rights, "review", "list").out
    shown = fairframe(*rights, "claims", "show", case["public_id"], "--json").data
    assert shown["found"]["near"][0]["pairs"][0]["distance"] <= 16
    again = fairframe(*order)
    assert again.code == 1 and "claim.open" in again.err

    settle = (*rights, "claims", "settle", case["public_id"], "--reason", "the same take")
    assert fairframe(*settle).code == 2
    outcome = tmp_path / "outcome.json"
    assert fairframe(*settle, "--uphold", "-o", outcome).code == 0
    assert fairframe(*rights, "claims", "list", "--json").data == []
    assert "the same take" in fairframe(*rights, "claims", "show", case["public_id"]).out
    checked = fairframe("-w", library.root, "verify", outcome)
    assert checked.code == 0, checked.out + checked.err
