"""The `fairframe` command: it parses, calls one use case, renders. Exit codes: 0 done, 1 refused or failed, 2 usage."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from fairframe import __version__
from fairframe.cli import (
    audit,
    dataset,
    demo,
    generate,
    keys,
    library,
    model,
    periods,
    report,
    rights,
    royalties,
    setup,
    train,
    usage,
    verify,
)
from fairframe.cli.problems import EXPECTED, explain
from fairframe.cli.shell import fail
from fairframe.platform.settings import Settings

app = typer.Typer(
    name="fairframe",
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


setup.register(app)
app.add_typer(setup.trust, name="trust")
app.add_typer(keys.app, name="keys")
app.add_typer(library.app, name="library")
app.add_typer(rights.app, name="rights")
library.register(app)
app.add_typer(dataset.app, name="dataset")
train.register(app)
app.add_typer(model.app, name="model")
generate.register(app)
app.add_typer(usage.app, name="usage")
periods.register(royalties.app)
app.add_typer(royalties.app, name="royalties")
verify.register(app)
app.add_typer(audit.app, name="audit")
report.register(app)
demo.register(app)


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
