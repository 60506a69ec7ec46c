"""report: a workspace as one HTML page."""

import typer

from fairframe.cli.shell import OutFile, workspace, write_output
from fairframe.platform.objects import PRIVATE


def report(ctx: typer.Context, output: OutFile) -> None:
    """What this workspace holds and did, as one HTML file."""
    from fairframe.flows.report import report as make_report

    with workspace(ctx) as ws:
        page = make_report(ws)
    write_output(output, page.encode(), PRIVATE)
