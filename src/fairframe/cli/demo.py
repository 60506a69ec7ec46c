"""demo: the whole loop between a library and a lab."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.shell import progress, say
from fairframe.core.errors import Conflict


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")] = Path("demo"),
    footage: Annotated[Path | None, typer.Option(help="Your own footage instead of the painted one.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Its CSV.")] = None,
    paint: Annotated[bool, typer.Option("--paint", help="Only paint the footage, with its CSV, into DIR.")] = False,
) -> None:
    """Run the whole loop, from footage to an opt-out.

    About 10 minutes on 2 cores, on footage that it paints; DIR gets both workspaces and all that passed between them.
    """
    if paint:
        from fairframe.flows.demo_footage import render

        if folder.exists():
            raise Conflict(f"{folder} exists already", code="demo.exists", remedy="Name a new folder, or delete it.")
        with progress("paint") as show:
            say(f"painted {render(folder, show)}")
        return
    from fairframe.flows.demo import run_demo

    run_demo(folder, footage=footage, metadata=metadata)
