"""rights terms: what silence means, in which version, and who was told of it."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.shell import AsJson, emit, group, moment_ms, read_input, say, table, when, workspace
from fairframe.library import contributors
from fairframe.rights import terms as contributor_terms

app = group("Contributors' terms: what silence means.")


@app.command("add")
def terms_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML: name, version, regime, dates, what they name.")],
    tell: Annotated[
        list[str] | None, typer.Option("--tell", help="A contributor who was told (repeat; 'all' for everybody).")
    ] = None,
    noticed: Annotated[
        str, typer.Option(help="When they were told, a time or a date (UTC); default: the file's notice date.")
    ] = "",
) -> None:
    """Keep a version of the contributors' terms.

    With --tell also who was told of it, at the file's notice date or at --noticed.
    """
    data = read_input(file)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = contributor_terms.add(tx, data, str(file))
        told = list(contributors.listing(tx)) if tell == ["all"] else [contributors.find(tx, one) for one in tell or []]
        at = moment_ms(noticed) if noticed else int(row["notice_ms"])
        for who in told:
            contributor_terms.accept(tx, who, row, at, int(row["effective_ms"]))
    say(f"{row['name']} version {row['version']} ({row['regime']}), {len(told)} contributors told")


@app.command("list")
def terms_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All versions of all terms."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        rows = [dict(r) for r in contributor_terms.listing(tx)]
    data = [{k: v for k, v in r.items() if k != "id"} for r in rows]
    emit(
        data,
        as_json,
        lambda: table(
            ["terms", "#version", "regime", "notice", "effective", "silence consents to"],
            [
                (
                    r["name"],
                    r["version"],
                    r["regime"],
                    when(r["notice_ms"]),
                    when(r["effective_ms"]),
                    ", ".join(r["names"]),
                )
                for r in data
            ],
            empty="no terms; add some with: fairframe rights terms add FILE",
        ),
    )
