"""royalties statement, statements, explain: what contributors earned, why, and what they were paid."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    moment_ms,
    note,
    progress,
    say,
    table,
    workspace,
    write_output,
)
from fairframe.core.errors import InputError, MissingExtra, NotFound
from fairframe.core.time import to_rfc3339
from fairframe.library import contributors
from fairframe.platform.objects import PRIVATE
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import explain as explaining
from fairframe.royalties import periods, statement_batch, statements
from fairframe.royalties.statement_csv import rows
from fairframe.royalties.statement_files import files
from fairframe.royalties.statement_html import load_posters
from fairframe.royalties.statements import Statement

Contributor = Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")]
From = Annotated[str, typer.Option("--from", help="A time or a date (UTC); default: the beginning.")]
To = Annotated[
    str, typer.Option(help="A time or a date (UTC), not included; default: the end of what is closed; of a draft: now.")
]
Period = Annotated[str, typer.Option(help="A closed period's id, instead of --from and --to.")]
CurrencyCode = Annotated[str | None, typer.Option(help="ISO 4217, where there are several.")]
Language = Annotated[str, typer.Option(help="Of the PDF: en or ar.")]

app = group("What contributors earned, why, and what they were paid.")


@app.command()
def statement(
    ctx: typer.Context,
    contributor: Contributor,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for .json, .csv, .html, .pdf.")] = None,
    from_: From = "",
    to: To = "",
    period: Period = "",
    currency: CurrencyCode = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """What a contributor earned and was paid.

    With -o a signed statement of closed time, with all that is needed to recompute it.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            start, end = _time(tx, from_, to, period)
        if output is None:
            with ws.read() as tx:
                body = statements.draft(tx, contributors.find(tx, contributor), start, end, currency)
        else:
            check_writable(output / "statement.json")
            with ws.write() as tx:
                found = statements.statement(tx, contributors.find(tx, contributor), start, end, currency)
            body = found.body
            _write(ws, output, found, language)
            note("anyone can recompute it: fairframe-verify FILE.json --trust LIBRARY/party.json")
    emit(body, as_json, lambda: table(["", "of", "#share", "#amount"], [_line(row) for row in rows(body)]))
    if output is None:
        note("not signed: -o FOLDER signs it")


@app.command("statements")
def all_statements(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the files of all statements.")],
    from_: From = "",
    to: To = "",
    period: Period = "",
    currency: CurrencyCode = None,
    language: Language = "en",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign the statements of everyone for a time.

    Without a time: for the last closed period.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            start, end = _closed(tx) if not (from_ or to or period) else _time(tx, from_, to, period)
            end = periods.closed_until(tx) if end is None else end
            todo = statement_batch.wanted(tx, end, currency)
        check_writable(output / "statement.json")
        if not todo:
            emit([], as_json, lambda: note("nothing was booked for anybody up to then"))
            return
        confirm(f"Sign {len(todo)} statements of {to_rfc3339(start)} to {to_rfc3339(end)}?", yes)
        made: list[dict[str, Any]] = []
        with progress("statements") as show:
            for some in statement_batch.batch(ws, start, end, currency, show):
                for found in some:
                    _write(ws, output, found, language, quiet=True)
                    body = found.body
                    made.append({"statement": found.id, "contributor": body["contributor"]["id"], "new": found.new})
    emit(made, as_json, lambda: say(f"{len(made)} statements in {output}, {sum(one['new'] for one in made)} new"))


@app.command()
def explain(
    ctx: typer.Context,
    contributor: Contributor,
    agreement: Annotated[str | None, typer.Option(help="An agreement's id.")] = None,
    model: Annotated[str | None, typer.Option(help="A checkpoint's id or name.")] = None,
    currency: CurrencyCode = None,
    as_json: AsJson = False,
) -> None:
    """How a contributor's part of a deal or a model came about.

    Step by step, in words and numbers, from the revenue to each clip.
    """
    if (agreement is None) == (model is None):
        raise InputError("name one of the two", code="explain.which", remedy="Say --agreement ID or --model ID")
    with workspace(ctx, "library") as ws, ws.read() as tx:
        body = statements.draft(tx, contributors.find(tx, contributor), currency=currency)
    found = explaining.explain(body, agreement=agreement, model=model)

    def render() -> None:
        for one in found:
            say(one.title, "bold")
            for number, step in enumerate(one.steps, 1):
                say(f"{number:>3}. {step}")
            table(["clip", "#weight", "#amount"], one.clips)
        say(explaining.account(body))

    emit([vars(one) for one in found], as_json, render)


def _write(ws: Workspace, folder: Path, found: Statement, language: str, quiet: bool = False) -> None:
    """Write a statement's files; the paper is left out, and said so, where reportlab is not installed."""
    with ws.read() as tx:
        posters = load_posters(tx, found)
    try:
        for name, data in files(found, posters, language):
            write_output(folder / name, data, PRIVATE, quiet)
    except MissingExtra as error:
        if not quiet:
            note(f"no PDF: {error}")


def _time(tx: Tx, from_: str, to: str, period: str) -> tuple[int, int | None]:
    """The time asked for; its end is None where none was named."""
    if not period:
        return moment_ms(from_) if from_ else 0, moment_ms(to) if to else None
    if from_ or to:
        raise InputError("a period has its own beginning and end", code="statement.period", remedy="Leave out one")
    return _of(tx, period)


def _of(tx: Tx, period: str) -> tuple[int, int]:
    for one in periods.listing(tx):
        if one.id == period:
            return one.from_ms, one.to_ms
    raise NotFound(f"no closed period {period[:60]!r}", code="period.missing")


def _closed(tx: Tx) -> tuple[int, int]:
    held: Iterable[periods.Period] = periods.listing(tx)
    last = list(held)[-1:]
    if not last:
        raise NotFound("no period is closed yet", code="period.missing", remedy="Close one: fairframe royalties close")
    return last[0].from_ms, last[0].to_ms


def _line(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    deal = f"{row.get('model') or row['licensee'] or 'not named'}, {row['purpose']} license" if "purpose" in row else ""
    of = f"{row['title']} ({row['clip']})" if "clip" in row else row.get("title", deal)
    share = (
        f"{row['weight']} of {row['weight_total']} {row['unit']}" if "weight_total" in row else row.get("weight", "")
    )
    return row["line"], of, share, f"{row['amount']} {row['currency']}"
