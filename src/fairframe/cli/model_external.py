"""model external: models from elsewhere, and what a person says of their licenses."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.shell import AsJson, emit, group, say, table, when, workspace
from fairframe.core.errors import InputError
from fairframe.training import externals
from fairframe.training.externals import External, Word

app = group("Models from elsewhere, and their licenses.")


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What trainings name it by.")],
    license: Annotated[str, typer.Option(help="The license's name, e.g. an SPDX identifier.")],
    url: Annotated[str, typer.Option(help="Where the license's text is.")],
    by: Annotated[str, typer.Option(help="The person who read it.")],
    weights: Annotated[Path | None, typer.Option(help="Its weights: one file, which is hashed.")] = None,
    hash: Annotated[str | None, typer.Option(help="Or the SHA-256 of its weights.")] = None,
    commercial: Annotated[Word, typer.Option(help="Whether it permits commercial use.")] = "unknown",
    release: Annotated[Word, typer.Option(help="Whether it permits to release weights derived from it.")] = "unknown",
) -> None:
    """Declare a model from elsewhere and its license.

    Of the same weights the newest declaration holds. What is unknown is not permitted.
    """
    if (weights is None) == (hash is None):
        raise InputError("say which weights it has", code="input.bad_external", remedy="Give --weights FILE or --hash.")
    with workspace(ctx, "lab") as ws:
        found = externals.hash_weights(weights) if weights is not None else str(hash)
        with ws.write() as tx:
            public_id = externals.add(tx, External(name, found, license, url, by, commercial, release))
    say(f"{name} ({public_id}): license {license}, data undisclosed")
    say(f"commercial use: {commercial}; release of derived weights: {release}, as {by} says")


@app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What was declared of each model from elsewhere, as it holds now."""
    with workspace(ctx, "lab") as ws, ws.read() as tx:
        found = [dict(row) for row in externals.listing(tx)]
    keep = ("public_id", "name", "hash", "license", "license_url", "commercial", "release", "declared_by")
    emit(
        [{key: row[key] for key in (*keep, "recorded_at_ms")} | {"data": externals.DATA} for row in found],
        as_json,
        lambda: table(
            ["model", "license", "commercial use", "derived weights", "data", "says", "since"],
            [
                (
                    row["name"], f"{row['license']} ({row['license_url']})", row["commercial"], row["release"],
                    externals.DATA, row["declared_by"], when(row["recorded_at_ms"]),
                )
                for row in found
            ],
            empty="no models from elsewhere were declared",
        ),
    )  # fmt: skip
