"""royalties: revenue in, pools split, statements out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli import receipts, revenue, royalties_split
from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    micro,
    moment_ms,
    note,
    progress,
    read_input,
    say,
    table,
    workspace,
    write_output,
)
from fairframe.core.money import format_money
from fairframe.library import contributors
from fairframe.royalties import allocate as allocation
from fairframe.royalties import balance as position
from fairframe.royalties import payouts, statement_html, statements
from fairframe.royalties import usage as usage_reports
from fairframe.royalties.statement_csv import rows

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

app = group("Revenue, pools, statements, payouts.")


for part in (revenue, receipts, royalties_split):
    app.add_typer(part.app)


@app.command("usage")
def take_usage(
    ctx: typer.Context, report: Annotated[Path, typer.Argument(metavar="REPORT", help="The lab's usage report.")]
) -> None:
    """Take a lab's signed usage report."""
    data = read_input(report)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        done = usage_reports.accept(tx, data)
    found = done.report
    say(
        f"{done.id}: {found.name} consumed {found.delivered_frames} frames of {len(found.items)} clips ({found.method})"
    )


@app.command("allocate")
def run_allocate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Split every open pool among contributors and their assets."""
    with workspace(ctx, "library") as ws, progress("allocate") as show:
        done = allocation.allocate_all(ws, show)

    def render() -> None:
        for one in done:
            say(one.words)
        if not done:
            say("no open pools")

    emit([vars(one) for one in done], as_json, render)


@app.command()
def statement(
    ctx: typer.Context,
    contributor: Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for .json, .csv and .html.")] = None,
    from_: Annotated[str, typer.Option("--from", help="A time or a date (UTC); default: the beginning.")] = "",
    to: Annotated[str, typer.Option(help="A time or a date (UTC), not included; default: now.")] = "",
    currency: Annotated[str | None, typer.Option(help="ISO 4217, where there are several.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a contributor earned and was paid.

    With -o a signed statement, with all that is needed to recompute it.
    """
    start, end = moment_ms(from_) if from_ else 0, moment_ms(to) if to else None
    with workspace(ctx, "library") as ws:
        if output is None:
            with ws.read() as tx:
                body = statements.draft(tx, contributors.find(tx, contributor), start, end, currency)
        else:
            check_writable(output / "statement.json")
            with ws.write() as tx:
                found = statements.statement(tx, contributors.find(tx, contributor), start, end, currency)
                page = statement_html.render_html(found, statement_html.load_posters(tx, found))
            body = found.body
            write_output(output / f"{found.id}.json", found.envelope)
            write_output(output / f"{found.id}.csv", found.csv.encode())
            write_output(output / f"{found.id}.html", page.encode())
            note("anyone can recompute it: fairframe-verify FILE.json --trust LIBRARY/party.json")
    emit(body, as_json, lambda: table(["", "of", "#share", "#amount"], [_statement_line(row) for row in rows(body)]))
    if output is None:
        note("not signed: -o FOLDER signs it")


def _statement_line(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    deal = f"{row['licensee']}, {row['purpose']} license" if "licensee" in row else ""
    of = f"{row['title']} ({row['clip']})" if "clip" in row else row.get("title", deal)
    share = (
        f"{row['weight']} of {row['weight_total']} {row['unit']}" if "weight_total" in row else row.get("weight", "")
    )
    return row["line"], of, share, f"{row['amount']} {row['currency']}"


@app.command()
def balance(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The ledger's accounts, and whether they sum to zero.

    Also what is pending. Exit code 1 where the books do not hold.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = position.balance(tx)

    def show() -> None:
        table(
            ["account", "", "#amount"],
            [(line.words, line.name, micro(line.amount_micro, line.currency)) for line in found.accounts],
            empty="nothing was booked yet",
        )
        for one in found.pending:
            note(one.words)
        for wrong in books.findings:
            say(wrong, "bold red")
        if books.ok and books.transactions:
            say(f"{books.transactions} transactions sum to zero")

    books = found.trial
    data = {
        "accounts": [vars(line) for line in found.accounts],
        "pending": [vars(one) for one in found.pending],
        "holds": books.ok,
        "findings": books.findings,
    }
    emit(data, as_json, show)
    if not books.ok:
        raise typer.Exit(1)


@app.command()
def pay(
    ctx: typer.Context,
    contributor: Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")],
    ref: Annotated[str, typer.Option(help="The payment's reference: paying it twice has one effect.")],
    currency: Annotated[str | None, typer.Option(help="ISO 4217, where there are several.")] = None,
    yes: Yes = False,
) -> None:
    """Record a payout of what is owed.

    Whole minor units are paid; the rest is carried.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            who = contributors.find(tx, contributor)
            planned = payouts.plan(tx, who, ref, currency)
        if planned.new:
            confirm(f"Record a payout of {format_money(planned.amount)} to {who['name']}, reference {ref}?", yes)
        with ws.write() as tx:
            done = payouts.pay(tx, who, ref, currency, planned.amount)
    say(f"{done.id}: {format_money(done.amount)}, carried {micro(done.carry_micro, done.amount.currency.code)}")
