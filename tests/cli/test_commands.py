"""The command line: help without heavy imports, one-line errors, exit codes, JSON, and a deal between two parties."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from fairframe.cli.main import app

from .conftest import Fairframe

TERMS = """name = "contributors"
version = 1
regime = "opt-out"
notice_date = 2026-01-05
notice_days = 30
effective_date = 2026-03-01
names = ["research"]
text = "Silence consents to research."
"""


def commands() -> list[list[str]]:
    found: list[list[str]] = []

    def walk(command: Any, path: list[str]) -> None:
        if isinstance(command, TyperGroup):
            context = typer.Context(command)
            for name in command.list_commands(context):
                found.append([*path, name])
                walk(command.get_command(context, name), [*path, name])

    walk(typer.main.get_command(app), [])
    assert len(found) > 100
    return found


def groups() -> list[list[str]]:
    every = commands()
    return [one for one in every if any(other[:-1] == one for other in every)]


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_explains_itself(fairframe: Fairframe, path: list[str]) -> None:
    result = fairframe(*path, "--help")
    assert result.code == 0
    assert "Usage: fairframe" in result.out
    assert len(result.out.splitlines()) > 3
    assert "[[" not in result.out, "what may be left out is bracketed once"


@pytest.mark.parametrize("path", [[], *groups()], ids=" ".join)
def test_a_group_tells_each_command_in_a_whole_line(
    fairframe: Fairframe, monkeypatch: pytest.MonkeyPatch, path: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = fairframe(*path, "--help").out.partition("Commands:\n")[2].splitlines()
    assert told and not [line for line in told if line.endswith("...")]


def test_a_command_loads_no_other_commands_module() -> None:
    code = """
import sys
sys.argv = ["fairframe", "keys", "--help"]
from fairframe.cli.main import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0
others = [m for m in sys.modules if m.startswith(("fairframe.rights.", "fairframe.royalties.", "fairframe.training."))]
assert not others, others
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_loads_nothing_heavy() -> None:
    heavy = ["torch", "diffusers", "transformers", "av", "cv2", "c2pa", "duckdb", "numpy", "pyarrow", "alembic"]
    code = f"""
import sys
sys.argv = ["fairframe", "--help"]
from fairframe.cli.main import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0
loaded = [m for m in {heavy!r} if m in sys.modules]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_missing_workspace_is_one_line_and_exit_code_1(fairframe: Fairframe, tmp_path: Path) -> None:
    result = fairframe("--workspace", tmp_path, "library", "list")
    assert result.code == 1
    assert result.err.startswith("error[workspace.missing]: ")
    assert "fairframe init" in result.err and "Traceback" not in result.err


def test_usage_errors_are_exit_code_2(fairframe: Fairframe) -> None:
    assert fairframe("library", "ingest").code == 2
    assert fairframe("no-such-command").code == 2
    assert fairframe("rights", "clear").code == 2


@pytest.fixture
def parties(fairframe: Fairframe, tmp_path: Path) -> tuple[Path, Path]:
    library, lab = tmp_path / "library", tmp_path / "lab"
    assert fairframe("init", library, "--role", "library", "--name", "Harbor Stock").code == 0
    assert fairframe("init", lab, "--role", "lab", "--name", "North Lab").code == 0
    for one, other in ((library, lab), (lab, library)):
        assert fairframe("--workspace", one, "trust", "add", other / "party.json", "--yes").code == 0
    return library, lab


def test_trust_needs_a_compared_fingerprint(fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    assert fairframe("init", stranger, "--role", "lab", "--name", "Stranger").code == 0
    document = stranger / "party.json"
    silent = fairframe("-w", parties[0], "trust", "add", document)
    assert silent.code == 1 and "input.confirm" in silent.err
    wrong = fairframe("-w", parties[0], "trust", "add", document, "--fingerprint", "00" * 32)
    assert wrong.code == 1 and "differ" in wrong.out
    listed = fairframe("-w", parties[0], "trust", "list", "--json").data
    assert [one["name"] for one in listed] == ["Harbor Stock", "North Lab"]


def test_trust_is_taken_back_after_a_look_at_what_hangs_on_it(fairframe: Fairframe, parties: tuple[Path, Path]) -> None:
    library, lab = parties
    shown = fairframe("-w", library, "trust", "remove", "North Lab", "--dry-run")
    assert shown.code == 0 and "0 documents that it signed stay as evidence" in shown.out
    silent = fairframe("-w", library, "trust", "remove", "North Lab")
    assert silent.code == 1 and "input.confirm" in silent.err
    assert [one["until_ms"] for one in fairframe("-w", library, "trust", "list", "--json").data] == [None, None]
    offer = ("rights", "agree", "--offer", "research", "--licensee", lab / "party.json", "--fee", "1.00")
    done = fairframe("-w", library, "trust", "remove", "North Lab", "--yes", "--json")
    assert done.code == 0 and done.data["role"] == "lab"
    listed = fairframe("-w", library, "trust", "list", "--json").data
    assert [one["until_ms"] is None for one in listed] == [True, False]
    refused = fairframe("-w", library, *offer, "--currency", "USD", "-o", library / "offer.json")
    assert refused.code == 1 and refused.err.startswith("error[trust.unpinned]: ")
    assert not (library / "offer.json").exists()
    foreign = fairframe("-w", library, "verify", lab / "party.json")
    assert foreign.code == 1 and "North Lab" in foreign.err and "is no longer trusted here" in foreign.err
    assert fairframe("-w", library, "trust", "add", lab / "party.json", "--yes").out.endswith("pinned\n")
    assert fairframe("-w", library, *offer, "--currency", "USD", "-o", library / "offer.json").code == 0


def test_a_deal_is_offered_signed_and_accepted(
    fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path
) -> None:
    library, lab = parties
    offer, signed = tmp_path / "agreement.json", tmp_path / "countersigned.json"
    made = fairframe(
        "-w", library, "rights", "agree", "--offer", "research", "--licensee", lab / "party.json",
        "--fee", "10000.00", "--currency", "USD", "-o", offer,
    )  # fmt: skip
    assert made.code == 0, made.err
    assert fairframe("-w", lab, "rights", "sign", offer, "-o", signed, "--yes").code == 0
    assert fairframe("-w", library, "rights", "accept", signed).code == 0
    (deal,) = fairframe("-w", library, "rights", "list", "--json").data
    assert (deal["state"], deal["fee"]) == ("active", "10000.00 USD")
    verified = fairframe("-w", lab, "verify", signed, "--json")
    assert verified.code == 0 and verified.data["holds"]
    south = tmp_path / "south"
    assert fairframe("init", south, "--role", "lab", "--name", "South Lab").code == 0
    for who in ("library", "lab"):
        assert fairframe("-w", south, "trust", "add", tmp_path / who / "party.json", "--yes").code == 0
    foreign = fairframe("-w", south, "verify", signed, "--json")
    failed = [one["code"] for one in foreign.data["findings"] if one["ok"] is False]
    assert (foreign.code, failed) == (1, ["document.recipient"]), "another lab's agreement"
    tampered = tmp_path / "tampered.json"
    tampered.write_bytes(signed.read_bytes().replace(b"payload", b"payl0ad", 1))
    assert fairframe("-w", lab, "verify", tampered).code == 1
    audit = fairframe("-w", library, "verify", "audit", "--against", offer, "--json")
    assert audit.code == 0 and audit.data["holds"]
    cleared = fairframe("-w", library, "rights", "clear", deal["id"], "--json").data
    assert cleared["counts"] == {"DENY": 0, "REVIEW": 0, "ALLOW": 0}


def test_a_party_document_shows_nothing_where_nobody_is_trusted(
    fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path
) -> None:
    alone = fairframe("-w", tmp_path, "verify", parties[1] / "party.json")
    assert alone.code == 1 and "holds " not in alone.out and "nothing of it could be checked" in alone.out
    assert fairframe("-w", parties[0], "verify", parties[1] / "party.json").code == 0


def test_a_command_of_the_other_role_says_so(fairframe: Fairframe, parties: tuple[Path, Path]) -> None:
    result = fairframe("-w", parties[1], "library", "list")
    assert result.code == 1 and "workspace.role" in result.err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "model.missing"),
        (("--guidance", "1"), "model.missing"),
        (("--guidance", "20"), "model.missing"),
        (("--guidance", "0.9"), "input.guidance"),
        (("--guidance", "20.5"), "input.guidance"),
        (("--guidance", "nan"), "input.guidance"),
        (("--steps", "0"), "input.steps"),
    ],
    ids=" ".join,
)
def test_a_film_is_ordered_within_bounds(
    fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    order = ("generate", "a boat", "--model", "none", "--seconds", 1, "-o", tmp_path / "film.mp4")
    result = fairframe("-w", parties[1], *order, *options)
    assert result.code == 1 and code in result.err


def test_terms_and_offers_read_as_json(fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text(TERMS)
    assert fairframe("-w", parties[0], "rights", "terms", "add", file).code == 0
    assert fairframe("-w", parties[0], "rights", "terms", "list", "--json").data[0]["regime"] == "opt-out"
    names = {one["name"] for one in fairframe("-w", parties[0], "rights", "offers", "--json").data}
    assert {"research", "commercial"} <= names
    file.write_text("not = [toml")
    broken = fairframe("-w", parties[0], "rights", "terms", "add", file)
    assert broken.code == 1 and "input.bad_terms" in broken.err
