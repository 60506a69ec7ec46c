"""Hostile documents, terminals, outputs and settings: one safe line and an exit code, never a traceback or a hang."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from fairframe.cli import shell
from fairframe.cli.main import main
from fairframe.cli.verify import render
from fairframe.core.bundle import PAYLOAD_TYPE, Bundle
from fairframe.core.canonical import parse
from fairframe.core.dsse import open_envelope
from fairframe.core.errors import InputError, Refused
from fairframe.core.finding import Finding
from fairframe.core.party import Party
from fairframe.core.time import DAY_MS, now_ms, to_rfc3339
from fairframe.platform import identity
from fairframe.platform.workspace import create_workspace
from fairframe.verify.kind import Report

from .conftest import Fairframe

LAB = "Zoë Łab"
ESCAPE = "\x1b[2J\x1b[Hholds\n\x9b8m\u202e"
TERMS = """name = "contributors"
version = {version}
regime = "opt-out"
notice_date = 2026-01-05
effective_date = 2026-03-01
names = ["research"]
text = "Silence consents to research."
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that pinned a lab with letters of its own. No test here writes to it."""
    root = tmp_path_factory.mktemp("parties")
    create_workspace(root / "lab", "lab", LAB).close()
    ws = create_workspace(root / "library", "library", "Harbor Stock")
    with ws.write() as tx:
        identity.pin(tx, (root / "lab" / "party.json").read_bytes())
    ws.close()
    return root / "library"


def is_safe(text: str) -> bool:
    return all(line.isprintable() for line in text.splitlines())


def test_all_that_is_shown_is_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    shell.say(ESCAPE)
    shell.note(ESCAPE)
    shell.table(["name"], [[ESCAPE]])
    shell.fail("input", ESCAPE, [ESCAPE])
    shell.emit({"name": ESCAPE, "file": "\udcff"}, True, lambda: None)
    shown = capsys.readouterr()
    assert is_safe(shown.out) and is_safe(shown.err)
    assert "\x9b" not in shown.out and "holds\n" not in shown.out


def test_a_hostile_error_is_one_safe_line(fairframe: Fairframe, library: Path, tmp_path: Path) -> None:
    result = fairframe("-w", library, "rights", "terms", "add", tmp_path / ("no" + ESCAPE))
    assert result.code == 1 and is_safe(result.err) and len(result.err.splitlines()) == 1


def test_what_a_hostile_document_says_is_safe(capsys: pytest.CaptureFixture[str]) -> None:
    render(Report("film", (Finding(True, "film.generated", ESCAPE), Finding(False, "film.hash", ESCAPE)), (ESCAPE,)))
    shown = capsys.readouterr()
    assert is_safe(shown.out) and is_safe(shown.err) and len(shown.out.splitlines()) == 3


def test_reasons_and_markup_are_literal(capsys: pytest.CaptureFixture[str]) -> None:
    error = Refused("no", reasons=["[red]a[/nothing]"])
    shell.fail(error.code, str(error), error.reasons)
    assert "[red]a[/nothing]" in capsys.readouterr().err
    with shell.progress("look") as show:
        show(1, 2, "[/nothing]" + ESCAPE)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_letter_does_not_stop_a_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: Path, encoding: str
) -> None:
    shown = tmp_path / "shown"
    for more in ((), ("--json",)):
        with shown.open("w", encoding=encoding) as stream, monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["fairframe", "-w", str(library), "trust", "list", *more])
            patched.setattr(sys, "stdout", stream)
            with pytest.raises(SystemExit) as stop:
                main()
        assert not stop.value.code
    assert [one["name"] for one in json.loads(shown.read_text(encoding))] == ["Harbor Stock", LAB]


@pytest.mark.parametrize(
    "order",
    [
        "rights terms add PATH", "rights accept PATH", "rights attested PATH", "royalties usage PATH",
        "trust add PATH --yes", "library release add x PATH", "verify audit --against PATH",
        "verify x --trust PATH", "verify PATH",
    ],
)  # fmt: skip
def test_a_document_is_a_regular_file(fairframe: Fairframe, library: Path, tmp_path: Path, order: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # opening one for reading waits for a writer, for ever
    for path in (pipe, tmp_path, tmp_path / "none"):
        result = fairframe("-w", library, *order.replace("PATH", str(path)).split())
        assert result.code in (1, 2) and "Traceback" not in result.err
    endless = tmp_path / "endless"
    with endless.open("wb") as stream:
        stream.truncate(shell.MAX_INPUT_BYTES + 1)
    result = fairframe("-w", library, *order.replace("PATH", str(endless)).split())
    assert result.code == 1 and len(result.err.splitlines()) == 1


def test_numbers_in_terms_are_bounded(fairframe: Fairframe, library: Path, tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    for version in ("9" * 5000, "9" * 30, "1_000_001", "inf"):
        file.write_text(TERMS.format(version=version))
        result = fairframe("-w", library, "rights", "terms", "add", file)
        assert result.code == 1 and result.err.startswith("error[input.bad_terms]: "), version


@pytest.mark.parametrize("config", [b"n = " + b"9" * 5000, b"\xff", b"[", b"", b"n = " + b"[" * 50_000])
def test_a_broken_configuration_is_one_line(fairframe: Fairframe, tmp_path: Path, config: bytes) -> None:
    (tmp_path / "fairframe.toml").write_bytes(config)
    result = fairframe("-w", tmp_path, "library", "list")
    assert result.code == 1 and result.err.startswith("error[workspace.bad_config]: ")
    assert len(result.err.splitlines()) == 1


def test_an_output_replaces_files_only(fairframe: Fairframe, library: Path, tmp_path: Path) -> None:
    pipe, link, page = tmp_path / "pipe", tmp_path / "link", tmp_path / "page.html"
    os.mkfifo(pipe)
    page.write_text("old")
    link.symlink_to(page)
    for path in (pipe, link, tmp_path, page / "below.html"):
        result = fairframe("-w", library, "report", "-o", path)
        assert result.code == 1 and "input.unwritable" in result.err
    assert pipe.is_fifo() and link.is_symlink() and page.read_text() == "old"
    assert fairframe("-w", library, "report", "-o", page).code == 0
    assert page.read_text().startswith("<!")


def test_a_workspace_below_a_file_is_one_line(fairframe: Fairframe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        result = fairframe("init", folder, "--role", "lab", "--name", "North Lab")
        assert result.code == 1 and len(result.err.splitlines()) == 1 and str(tmp_path) in result.err


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("FAIRFRAME_MEDIA_SECONDS", "abc", "input.settings"),
        ("FAIRFRAME_WORKERS", "0", "input.settings"),
        ("FAIRFRAME_DATABASE_URL", "foo:s3cret", "input.database_url"),
        ("FAIRFRAME_DATABASE_URL", "mysql://u:s3cret@host/x", "input.database_url"),
        ("FAIRFRAME_DATABASE_URL", "postgresql+psycopg://u:s3cret@host:port/x", "input.database_url"),
        ("FAIRFRAME_DATABASE_URL", "postgresql+psycopg://u:s3cret@127.0.0.1:1/x", "database"),
    ],
)
def test_broken_settings_are_one_line_without_secrets(
    fairframe: Fairframe, library: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: str
) -> None:
    monkeypatch.setenv(name, value)
    result = fairframe("-w", library, "library", "list")
    assert result.code == 1 and result.err.startswith(f"error[{code}]: ")
    assert len(result.err.splitlines()) == 1 and "s3cret" not in result.err


def test_a_damaged_database_is_one_line(fairframe: Fairframe, library: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shutil.copytree(library, folder, ignore=shutil.ignore_patterns("fairframe.db*"))
    (folder / "fairframe.db").write_bytes(b"no database, but long enough to be looked at" * 1000)
    result = fairframe("-w", folder, "library", "list")
    assert result.code == 1 and len(result.err.splitlines()) == 1 and "backup" in result.err


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("dataset build agr_x --name n --max-black 5000", ("--max-black", "1000")),
        ("dataset build agr_x --name n --min-frames -1", ("--min-frames", "0")),
        ("library list --limit 0", ("--limit", "1")),
        ("init x --role boss --name n", ("--role", "library")),
        ("generate x --model m --seconds 1 -o x.mp4 --purpose sell", ("--purpose", "research")),
    ],
)
def test_usage_mistakes_name_the_option_and_its_limit(
    fairframe: Fairframe, library: Path, order: str, said: tuple[str, str]
) -> None:
    result = fairframe("-w", library, *order.split())
    assert result.code == 2
    assert all(word in result.err for word in said) and "pydantic" not in result.err


def test_a_clock_before_the_workspace_is_told_and_signs_what_holds(
    fairframe: Fairframe, library: Path, tmp_path: Path
) -> None:
    lab, late = library.parent / "lab" / "party.json", tmp_path / "library"
    create_workspace(late, "library", "Harbor Stock", lambda: now_ms() + DAY_MS).close()
    pinned = fairframe("-w", late, "trust", "add", lab, "--yes")
    assert pinned.code == 0 and "clock" in pinned.err
    order = ("--offer", "research", "--licensee", lab, "-o", tmp_path / "agreement.json")
    assert fairframe("-w", late, "rights", "agree", *order).code == 0
    who = Party.from_envelope((late / "party.json").read_bytes())
    keys = {key.keyid: key.public for key in who.keys}
    opened = open_envelope((tmp_path / "agreement.json").read_bytes(), keys, payload_type=PAYLOAD_TYPE)
    assert Bundle.from_json(parse(opened.payload)).issued_at_ms >= who.created_at_ms


ID = "agr_" + "0" * 26


def test_a_table_that_is_too_wide_keeps_its_ids_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[ID, "a name of some length", ID], [ID, "another", None]]
    for width, lines in (("120", 3), ("60", 7)):
        monkeypatch.setenv("COLUMNS", width)
        shell.table(["agreement", "name", "upgrade of"], rows)
        shown = capsys.readouterr().out
        assert shown.count(ID) == 3 and len(shown.splitlines()) == lines
    monkeypatch.delenv("COLUMNS")
    shell.table(["agreement", "name", "upgrade of"], [[ID, "x" * 500, ID]])
    assert len(capsys.readouterr().out.splitlines()) == 2, "where a program reads it, a row is a line"


@pytest.mark.parametrize(("text", "same"), [("2026-01-31", "2026-01-31T00:00:00.000Z"), ("2026-1-3", None), ("", None)])
def test_a_date_is_its_first_moment(text: str, same: str | None) -> None:
    if same is None:
        with pytest.raises(InputError):
            shell.moment_ms(text)
    else:
        assert to_rfc3339(shell.moment_ms(text)) == same
