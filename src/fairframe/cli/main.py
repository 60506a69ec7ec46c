"""The `fairframe` command: it parses, calls one use case, renders. Exit codes: 0 done, 1 refused or failed, 2 usage."""

import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fairframe import __version__
from fairframe.cli.problems import EXPECTED, explain
from fairframe.cli.shell import fail
from fairframe.platform.settings import Settings

COMMANDS = {
    "init": "setup:init",
    "trust": "setup:trust",
    "keys": "keys:app",
    "library": "library:app",
    "rights": "rights:app",
    "curate": "library:curate",
    "dataset": "dataset:app",
    "train": "train:train",
    "evaluate": "train:evaluate",
    "model": "model:app",
    "generate": "generate:generate",
    "usage": "usage:app",
    "royalties": "royalties:app",
    "verify": "verify:verify",
    "audit": "audit:app",
    "report": "report:report",
    "demo": "demo:demo",
}
"""Command, in the order of the help -> module of this package, and the function or the group of commands in it."""


class Commands(TyperGroup):
    """Loads the module of the command that is asked for, and no other: half of a short command's time was imports."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, name = where.split(":")
        found = getattr(import_module(f"fairframe.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(cmd_name)(found)
            return typer.main.get_command(alone)
        group = typer.main.get_group(found)
        group.name = cmd_name
        return group


app = typer.Typer(
    name="fairframe",
    cls=Commands,
    help="Licensed video training, end to end: footage, rights, deliveries, training, films, royalties.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        print(f"fairframe {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="Workspace folder. Default: FAIRFRAME_WORKSPACE, else the current one."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Licensed video training, end to end."""
    ctx.obj = workspace or Settings().workspace


def main() -> None:
    """Entry point. A user's error is one line on standard error, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal's encoding lacks is no reason to stop
    try:
        app(prog_name="fairframe")
    except EXPECTED as error:
        problem = explain(error)
        if problem is None:
            raise
        fail(*problem)
        sys.exit(1)
