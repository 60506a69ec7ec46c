"""rights what-if: what an act would do, before anybody does it."""

from typing import Annotated

import typer

from fairframe.cli.changes import taken_back
from fairframe.cli.consent import Who, labs_of, render_impact, said
from fairframe.cli.shell import AsJson, emit, group, note, say, workspace
from fairframe.flows import opt_out as opting
from fairframe.flows.impact import impact
from fairframe.library import contributors

app = group("What an act would do.")
what_if_app = group("What an act would do; each changes nothing.")
app.add_typer(what_if_app, name="what-if")


@what_if_app.command("opt-out")
def what_if_opt_out(ctx: typer.Context, contributor: Who, as_json: AsJson = False) -> None:
    """What a contributor's overall no would do.

    Releases, deliveries and obligations, checkpoints with frames seen, money. The same that `rights opt-out` shows.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = impact(tx, contributors.find(tx, contributor))
        labs = labs_of(tx, found)
    emit(found.to_json(), as_json, lambda: render_impact(found, labs))
    note("nothing was changed")


@what_if_app.command("consent")
def what_if_consent(
    ctx: typer.Context,
    contributor: Who,
    deny: Annotated[str, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")],
    asset: Annotated[str | None, typer.Option(help="Only for this asset.")] = None,
    collection: Annotated[str | None, typer.Option(help="Only for this collection.")] = None,
    action: Annotated[str, typer.Option(help="train, serve, release_weights, ... or *.")] = "*",
    as_json: AsJson = False,
) -> None:
    """What a narrower no would take back from labs."""
    with workspace(ctx, "library") as ws:
        no = opting.preview(ws, lambda tx: opting.deny(tx, **said(tx, contributor, deny, action, asset, collection))[1])

    def render() -> None:
        taken_back(no)
        if not no:
            say("takes back nothing that was delivered")

    emit([vars(one) for one in no], as_json, render)
    note("nothing was changed")
