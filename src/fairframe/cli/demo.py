"""demo: the whole loop between a library and a lab."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")] = Path("demo"),
    footage: Annotated[Path | None, typer.Option(help="Your own footage instead of the painted one.")] = None,
    metadata: Annotated[Path | None, typer.Option(help="Its CSV.")] = None,
) -> None:
    """Run the loop: ingest, rights, curation, delivery, training, films, evidence, royalties, an opt-out."""
    from fairframe.flows.demo import run_demo

    run_demo(folder, footage=footage, metadata=metadata)
