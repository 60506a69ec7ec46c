import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fairframe.verify.main import main

_MODULES = """
import sys
before = set(sys.modules)
import fairframe.verify.main, fairframe.verify.registry
print("\\n".join(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def trusted(world: Any, tmp_path: Path) -> list[str]:
    """The options that trust library and lab."""
    options: list[str] = []
    for name, party in (("library", world.library), ("lab", world.lab)):
        path = tmp_path / f"{name}.party.json"
        path.write_bytes(party.document())
        options += ["--trust", str(path)]
    return options


def test_imports_nothing_but_core_cryptography_and_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-c", _MODULES], capture_output=True, text=True, check=True)
    allowed = {*sys.stdlib_module_names, "fairframe", "cryptography", "_cffi_backend", "_openssl"}
    modules = done.stdout.split()
    assert {name.partition(".")[0] for name in modules} <= allowed
    stages = {name.split(".")[1] for name in modules if name.startswith("fairframe.")}
    assert stages == {"core", "verify"}


def test_runs_as_a_module(world: Any, trusted: list[str]) -> None:
    world.deliver()
    command = [sys.executable, "-m", "fairframe.verify.main", str(world.folder), *trusted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 36 checks hold" in done.stdout
    world.clip_path(0).write_bytes(b"clip 0ne")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "FAILS     clips.changed" in done.stdout
    assert "1 of 36 checks do not hold" in done.stdout
    assert done.stderr == ""


def test_a_terminal_that_lacks_a_letter_is_no_failed_check(world: Any, trusted: list[str]) -> None:
    world.deliver()
    (world.folder / "\u00fc.txt").write_text("")
    command = [sys.executable, "-m", "fairframe.verify.main", str(world.folder), *trusted]
    env = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (1, "")
    assert "?.txt" in done.stdout and "1 of 36 checks do not hold" in done.stdout


def test_says_what_it_trusts_and_what_it_cannot_show(
    world: Any, trusted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    world.deliver()
    assert main([str(world.folder), *trusted]) == 0
    text = capsys.readouterr().out
    assert world.library.party.fingerprint in text
    assert "not shown" in text
    assert not {"safe", "compliant", "removed"} & set(text.lower().split())


def test_prints_json(world: Any, trusted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver()
    assert main([str(world.folder), "--json", *trusted]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["holds"] is True
    assert all(set(finding) == {"ok", "code", "text"} for finding in value["findings"])


def test_without_trusted_parties_nothing_holds(world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver()
    assert main([str(world.folder)]) == 1
    assert "dsse.unknown_key" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_trust_file_that_is_none(
    world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "party.json"
    if content is not None:
        path.write_bytes(content)
    assert main([str(world.folder), "--trust", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "party.json" in error


def test_a_target_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent")]) == 2
    assert "There is no such file" in capsys.readouterr().err


def test_names_cannot_write_to_the_terminal(world: Any, trusted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver()
    world.write("\x1b[2Jgone\u202e", b"")
    assert main([str(world.folder), *trusted]) == 1
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\u202e" not in text
