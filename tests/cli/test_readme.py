"""The README's commands are those that exist, and its terms are terms."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from fairframe.cli.main import app
from fairframe.rights.terms import parse

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"^\$ fairframe (.*)$", README, re.MULTILINE)))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_exists_with_its_options(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)
    if words[0] == "-w":
        words = words[2:]
    while isinstance(command, TyperGroup):
        command = command.get_command(typer.Context(command), words.pop(0))
    with command.make_context("readme", words) as context:
        assert not context.args


def test_the_readme_shows_terms_that_can_be_added() -> None:
    shown = re.search(r"cat > terms.toml <<'END'\n(.*?)\nEND\n", README, re.DOTALL)
    assert shown is not None and parse(shown[1].encode()).regime == "opt-out"
