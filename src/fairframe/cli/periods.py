"""Accounting periods: closing, the list of closed ones, the journal for other programs."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fairframe.cli.outputs import check_papers, check_writable, write_papers
from fairframe.cli.shell import AsJson, confirm, emit, group, moment_ms, note, say, table, when, workspace
from fairframe.core.money import Currency, format_micro
from fairframe.core.period_body import TrialLine
from fairframe.core.time import to_rfc3339
from fairframe.platform.objects import PRIVATE
from fairframe.royalties import accounts, closing, journal, periods

Documents = Annotated[Path | None, typer.Option("-o", "--output", help="Folder for the signed trial balance.")]
MARKS = {True: "holds", False: "NO", None: "note"}


app = group("Closing the books.")


@app.command()
def close(
    ctx: typer.Context,
    to: Annotated[str, typer.Option(help="Its end, not included: a time or a date (UTC), or: now.")],
    output: Documents = None,
    carry: Annotated[bool, typer.Option("--carry", help="Revenue that is not allocated stays in its pool.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close the books up to a date and sign their trial balance.

    Shows the trial balance and a checklist first, and refuses with reasons. Nothing can be booked into a closed
    period, and none is ever opened again: what is found later is booked in the next.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = closing.plan(tx, tx.now_ms + 1 if to == "now" else moment_ms(to), carry=carry)
        if as_json and planned.reasons:
            emit(_planned(planned), True, lambda: None)
            raise typer.Exit(1)
        if not as_json:
            _show(planned)
        closing.refuse(planned)
        if output is not None:
            check_papers(output / "period.json")
        confirm("Close it for good?", yes)
        with ws.write() as tx:
            done = closing.close(tx, planned.to_ms, carry=carry, confirmed=planned.digest)
        if output is not None:
            write_papers(output / f"{done.id}.json", closing.papers(ws, done), PRIVATE)
    closed = {**_planned(planned), "id": done.id, "closed_at": to_rfc3339(done.closed_ms)}
    emit(closed, as_json, lambda: say(f"{done.id}: closed up to {when(done.to_ms)}"))


@app.command("periods")
def listing(ctx: typer.Context, output: Documents = None, as_json: AsJson = False) -> None:
    """The closed periods.

    With -o their signed trial balances, which anyone can check.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            found = periods.listing(tx)
        bodies = [closing.body_of(one) for one in found]
        if output is not None:
            for one in found:
                check_papers(output / f"{one.id}.json")
                write_papers(output / f"{one.id}.json", closing.papers(ws, one), PRIVATE)
    data = [
        {"id": one.id, **_times(one.from_ms, one.to_ms), "transactions": body.transactions, "waiting": body.waiting}
        | {"trial_balance": one.digest, "closed_at": to_rfc3339(one.closed_ms)}
        for one, body in zip(found, bodies, strict=True)
    ]
    rows = [
        (one.id, _since(one.from_ms), when(one.to_ms), body.transactions, when(one.closed_ms))
        for one, body in zip(found, bodies, strict=True)
    ]
    columns = ["period", "from", "to, not included", "#transactions", "closed"]
    emit(data, as_json, lambda: table(columns, rows, empty="no period is closed"))


@app.command("journal")
def write_journal(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for journal.csv, .parquet or .beancount.")],
    form: Annotated[Literal["csv", "parquet", "beancount"], typer.Option("--format", help="For what program.")] = "csv",
    from_: Annotated[str, typer.Option("--from", help="A time or a date (UTC); default: the beginning.")] = "",
    to: Annotated[str, typer.Option(help="A time or a date (UTC), not included; default: all.")] = "",
) -> None:
    """Every transaction, by accounting date, for another program.

    With --from it begins with the balances that stood then, so that its sums are those of the ledger.
    """
    start, end = moment_ms(from_) if from_ else 0, moment_ms(to) if to else None
    check_writable(output / f"journal.{form}")
    with workspace(ctx, "library") as ws, ws.read() as tx:
        done = journal.export(tx, output, form, start, end)
    say(f"{done.path}: {done.transactions} transactions")
    if not done.closed:
        note("not all of it is closed: it may still change")


def _show(planned: closing.Plan) -> None:
    say(f"from {_since(planned.from_ms)} up to {when(planned.to_ms)}: {planned.transactions} transactions")
    if planned.totals:
        columns = ["account", "#opening", "#debit", "#credit", "#closing", ""]
        table(columns, [_line(one) for one in accounts.in_order(planned.totals)])
    table(["checked", ""], [(MARKS[one.ok], one.text) for one in planned.findings])


def _line(one: TrialLine) -> tuple[str, ...]:
    amounts = (one.opening_micro, one.debit_micro, one.credit_micro, one.closing_micro)
    shown = (format_micro(amount, Currency(one.currency)) for amount in amounts)
    return (accounts.WORDS.get(one.account, one.account), *shown, one.currency)


def _planned(planned: closing.Plan) -> dict[str, Any]:
    return {
        **_times(planned.from_ms, planned.to_ms),
        "transactions": planned.transactions,
        "totals": [one.to_json() for one in planned.totals],
        "findings": [vars(one) for one in planned.findings],
        "trial_balance": planned.digest,
        "refused": bool(planned.reasons),
    }


def _times(from_ms: int, to_ms: int) -> dict[str, str]:
    return {"from": to_rfc3339(from_ms), "to": to_rfc3339(to_ms)}


def _since(from_ms: int) -> str:
    return when(from_ms) if from_ms else "the beginning"
