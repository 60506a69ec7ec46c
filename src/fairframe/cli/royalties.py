"""royalties: revenue in, pools split, statements out."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli import payees, payouts, royalties_split, statements
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
)
from fairframe.core.money import format_money, parse_money
from fairframe.platform import bundles
from fairframe.rights import agreements
from fairframe.royalties import allocate as allocation
from fairframe.royalties import balance as position
from fairframe.royalties import corrections, revenue
from fairframe.royalties import usage as usage_reports

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

app = group("Revenue, pools, statements, payouts.")
app.add_typer(royalties_split.app)
app.add_typer(statements.app)
app.add_typer(payees.app, name="payee")
app.command()(payees.policy)
app.command()(payees.withholding)
app.add_typer(payouts.app, name="payout")
app.command()(payouts.pay)


@app.command("revenue")
def book(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    amount: Annotated[str, typer.Option(help="Gross receipts, a decimal.")],
    ref: Annotated[str, typer.Option(help="The invoice number: booking it twice has one effect.")],
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "USD",
    tax: Annotated[str, typer.Option(help="Tax in it, a decimal.")] = "0",
    received: Annotated[str, typer.Option(help="When: a time or a date (UTC); default: now.")] = "",
    yes: Yes = False,
) -> None:
    """Book money received under an agreement.

    The contributors' share of it goes into a pool.
    """
    gross, tax_minor = parse_money(amount, currency), parse_money(tax, currency).minor
    at = moment_ms(received) if received else None
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = revenue.plan(tx, agreement, gross, ref, tax_minor, at)
            deal = agreements.find(tx, agreement)
            lab = bundles.pinned(tx, deal.lab).name
        if planned.new:
            say(f"{lab}, {deal.offer} license {agreement}: {format_money(gross)}, reference {planned.reference}")
            pool = micro(planned.pool_micro, currency)
            say(f"{format_money(planned.net)} net; {deal.share} of it into the contributors' pool: {pool}")
            confirm("Book it?", yes)
        with ws.write() as tx:
            done = revenue.book(tx, agreement, gross, ref, tax_minor, at)
    say(
        f"{done.id}: {format_money(done.net)} net, pool {micro(done.pool_micro, currency)}"
        + ("" if done.new else ", known")
    )


@app.command()
def correct(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    ref: Annotated[str, typer.Option(help="The reference under which it was booked.")],
    reason: Annotated[str, typer.Option(help="Why; stays in the library.")],
    yes: Yes = False,
) -> None:
    """Take back a receipt that was booked by mistake.

    It is taken back whole, and with it what contributors got from it.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = corrections.plan(tx, agreement, ref)
        if planned.new:
            say(f"{planned.event}: {format_money(planned.gross)}, reference {planned.reference}")
            allocated = f"{planned.contributors} contributors give back what they got from it"
            say(allocated if planned.contributors else "no contributor got anything from it yet")
            confirm("Take it back?", yes)
        with ws.write() as tx:
            done = corrections.correct(tx, agreement, ref, reason)
    say(f"{done.transaction}: {done.event} taken back" + ("" if done.new else ", known"))


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
