"""usage: what a lab reports back."""

from typing import Annotated

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import OutFile, group, say, workspace, write_output
from fairframe.training.reporting import report as sign_report

app = group("Usage: frames of each clip that training really consumed.")


@app.callback()
def usage() -> None:
    """Usage: frames of each clip that training really consumed."""


@app.command()
def report(
    ctx: typer.Context, model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or id.")], output: OutFile
) -> None:
    """Sign a usage report on a checkpoint for the library (lab)."""
    with workspace(ctx, "lab") as ws:
        check_writable(output)
        with ws.write() as tx:
            envelope = sign_report(tx, model)
        write_output(output, envelope)
    say("usage report signed")
