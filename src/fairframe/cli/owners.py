"""library owners: who owns an asset in which shares, and changes of that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.changes import clearances, taken_back
from fairframe.cli.shell import (
    AsJson,
    AsOf,
    KnownAt,
    confirm,
    emit,
    group,
    moments_ms,
    note,
    say,
    table,
    when,
    workspace,
)
from fairframe.cli.since import Since, since_ms
from fairframe.flows import owners as flow
from fairframe.flows.owners import Preview
from fairframe.library import assets, owners, owners_said
from fairframe.library.owners_said import Named

app = group("Who owns an asset, in which shares.")

New = Annotated[bool, typer.Option("--new", help="Add owners that the library does not know yet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would change.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def show(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """The owners of an asset, and all that was ever stated."""
    at_ms, known_ms = moments_ms(as_of, known_at)
    with workspace(ctx, "library") as ws, ws.read() as tx:
        row = assets.find(tx, asset)
        held = owners.of_assets(tx, [row["id"]], known_ms if at_ms is None else at_ms, known_ms).get(row["id"])
        past = [one for one in owners.history(tx, row["id"]) if known_ms is None or one.recorded_at_ms <= known_ms]
    data = {
        "id": row["public_id"],
        "file": row["filename"],
        "now": None if held is None else owners.to_json(held),
        "history": [owners.to_json(one) for one in past],
    }

    def render() -> None:
        say(f"{row['filename']}  ({row['public_id']})", "bold")
        table(
            ["owner", "id", "#share"],
            [(one.name, one.contributor, one.share) for one in (held.parts if held else ())],
            empty="nobody had said by then",
        )
        lines = [(when(one.valid_from_ms), when(one.recorded_at_ms), str(one)) for one in past]
        table(["valid from", "recorded", "owners"], lines)

    emit(data, as_json, render)


@app.command("set")
def set_owners(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")],
    owner: Annotated[list[str], typer.Option("--owner", metavar="WHO=SHARE", help="Such as 'Ana=2/3'; repeat.")],
    since: Since = "",
    new: New = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """State all owners of an asset anew.

    Every owner must permit a use: what a new one has not permitted is taken back. So must who brought it, owner or
    not. Receipts are split by the new shares from when they hold; what is allocated stays.
    """
    _change(ctx, [owners_said.from_words(asset, owner)], "", since, new, dry_run, yes, as_json)


@app.command("import")
def import_owners(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: asset, owner, share; a line for each owner.")],
    since: Since = "",
    new: New = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """State the owners of many assets anew.

    A line that cannot be used stops the whole.
    """
    _change(ctx, owners_said.from_table(file), file.name, since, new, dry_run, yes, as_json)


def _change(
    ctx: typer.Context,
    said: Sequence[Named],
    where: str,
    since: str,
    new: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from_ms = since_ms(since)
    with workspace(ctx, "library") as ws:
        before = flow.preview(ws, lambda tx: owners_said.resolve(tx, said, new=new, where=where), from_ms)
        if not as_json or dry_run:
            emit(before.to_json(), as_json, lambda: render(before))
        if dry_run:
            note("nothing was written")
            return
        confirm(f"State the owners of {before.assets} assets?", yes)
        with ws.write() as tx:
            revoked = flow.change(tx, owners_said.resolve(tx, said, new=new, where=where), from_ms)
    told = f"owners of {before.assets} assets stated, {sum(one.items for one in revoked)} delivered items taken back"
    emit({"assets": before.assets, "revoked": [vars(one) for one in revoked]}, as_json, lambda: say(told))
    if revoked:
        note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def render(found: Preview) -> None:
    """What a change would do, as people read it."""
    say(f"{found.assets} assets, of which {found.changed} change owners", "bold")
    if found.turns:
        lines = [(one.asset, one.filename, one.before, one.after) for one in found.turns]
        table(["asset", "file", "owners until now", "then"], lines)
    if found.changed > len(found.turns):
        say(f"and {found.changed - len(found.turns)} more")
    clearances(found.clearances)
    taken_back(found.takes_back)
