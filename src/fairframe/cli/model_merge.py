"""model merge: the weighted mean of two checkpoints."""

from typing import Annotated

import typer

from fairframe.cli.model_list import Tenant
from fairframe.cli.shell import group, note, progress, say, workspace
from fairframe.core.rational import Share
from fairframe.rights.vocabulary import Purpose

app = group("Merging.")


@app.command()
def merge(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(help="A checkpoint, name or id.")],
    second: Annotated[str, typer.Argument(help="Another one of the same architecture.")],
    name: Annotated[str, typer.Option(help="The new checkpoint's name.")],
    weight: Annotated[str, typer.Option(help="The first one's part, as a fraction.")] = "1/2",
    purpose: Annotated[Purpose, typer.Option(help="What it is made for.")] = "research",
    tenant: Tenant = None,
) -> None:
    """Make a checkpoint whose weights are the mean of two.

    It may be used for what both may be used for, at most.
    """
    from fairframe.training.merging import merge as run_merge

    part = Share.parse(weight)
    with workspace(ctx, "lab") as ws, progress("merge") as show:
        done = run_merge(ws, first, second, name, part=part, purpose=purpose, tenant=tenant, show=show)
    say(f"{done.name} ({done.checkpoint}) in {done.folder}")
    if not done.related:
        note("the two share no ancestor: a mean of weights that were never alike is seldom of use; evaluate it")
