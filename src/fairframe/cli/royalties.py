"""royalties: revenue in, pools split, statements out."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli import payees, payouts, periods, receipts, remittances, revenue, royalties_split, statements
from fairframe.cli.shell import (
    AsJson,
    emit,
    group,
    micro,
    note,
    progress,
    read_input,
    say,
    table,
    workspace,
)
from fairframe.royalties import allocate as allocation
from fairframe.royalties import balance as position
from fairframe.royalties import usage as usage_reports

app = group("Revenue, pools, statements, payouts.")
for part in (revenue, receipts, royalties_split, statements, periods):
    app.add_typer(part.app)
app.add_typer(payees.app, name="payee")
app.command()(payees.policy)
app.command()(payees.withholding)
app.add_typer(payouts.app, name="payout")
app.command()(payouts.pay)
app.command()(remittances.remit)


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
    """Split every open pool among contributors and their assets.

    Each event stands for itself. Exit code 1 where one failed for another reason than waiting.
    """
    with workspace(ctx, "library") as ws, progress("allocate") as show:
        done = allocation.allocate_all(ws, show)

    def render() -> None:
        for one in done:
            say(one.words)
        if not done:
            say("no open pools")

    emit([vars(one) for one in done], as_json, render)
    if any(one.failed for one in done):
        raise typer.Exit(1)


@app.command()
def balance(
    ctx: typer.Context,
    settled: Annotated[bool, typer.Option("--all", help="With the accounts in which nothing is left.")] = False,
    as_json: AsJson = False,
) -> None:
    """The ledger's accounts, and whether they sum to zero.

    Also what is pending. Exit code 1 where the books do not hold.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = position.balance(tx, settled=settled)

    def show() -> None:
        table(
            ["account", "", "#amount"],
            [(line.words, line.name, micro(line.amount_micro, line.currency)) for line in found.accounts],
            empty="nothing is left in any account" if books.transactions else "nothing was booked yet",
        )
        for one in found.remitted:
            note(one.words)
        for one in found.pending:
            note(one.words)
        for wrong in books.findings:
            say(wrong, "bold red")
        if books.ok and books.transactions:
            say(f"{books.transactions} transactions sum to zero")

    books = found.trial
    data = {
        "accounts": [vars(line) for line in found.accounts],
        "remitted": [vars(one) for one in found.remitted],
        "pending": [vars(one) for one in found.pending],
        "holds": books.ok,
        "findings": books.findings,
    }
    emit(data, as_json, show)
    if not books.ok:
        raise typer.Exit(1)
