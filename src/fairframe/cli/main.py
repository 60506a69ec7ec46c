"""The `fairframe` command: it parses, calls one use case, renders. Exit codes: 0 done, 1 refused or failed, 2 usage."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fairframe import __version__
from fairframe.cli import dataset, demo, generate, library, report, rights, royalties, setup, train, usage, verify
from fairframe.cli.shell import err
from fairframe.core.errors import FairframeError, Refused
from fairframe.platform.settings import Settings

app = typer.Typer(
    name="fairframe",
    help="Licensed video training, end to end: footage, rights, deliveries, training, films, royalties.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


EXTRAS = {
    **dict.fromkeys(("av", "cv2", "c2pa", "numpy"), "media"),
    **dict.fromkeys(("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors"), "train"),
    **dict.fromkeys(("psycopg", "adbc_driver_postgresql"), "postgres"),
}
"""Module -> the extra that brings it."""


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
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Licensed video training, end to end."""
    ctx.obj = workspace or Settings().workspace


setup.register(app)
app.add_typer(setup.trust, name="trust")
app.add_typer(library.app, name="library")
app.add_typer(rights.app, name="rights")
library.register(app)
app.add_typer(dataset.app, name="dataset")
train.register(app)
generate.register(app)
app.add_typer(usage.app, name="usage")
app.add_typer(royalties.app, name="royalties")
verify.register(app)
report.register(app)
demo.register(app)


def main() -> None:
    """Entry point. A user's error is one line on standard error, never a traceback."""
    try:
        app(prog_name="fairframe")
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        text = f"this needs {error.name}, which is not installed. Install it with: pip install 'fairframe[{extra}]'."
        err.print(Text.assemble(("error[missing_extra]: ", "bold red"), text), soft_wrap=True)
        sys.exit(1)
    except FairframeError as error:
        err.print(Text.assemble((f"error[{error.code}]: ", "bold red"), str(error)), soft_wrap=True)
        if isinstance(error, Refused):
            for reason in error.reasons:
                err.print(Text(f"  - {reason}"), soft_wrap=True)
        sys.exit(1)
