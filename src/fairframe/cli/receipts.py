"""royalties import, receipts: many revenue events from a file, and the list of them."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.revenue import Yes, note_alike
from fairframe.cli.shell import AsJson, confirm, emit, group, micro, money, note, say, table, when, workspace
from fairframe.core.money import format_money
from fairframe.royalties import events, receipts, revenue_file
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.quantity import quantity_words
from fairframe.royalties.revenue import Booked

app = group("Revenue events: from a file, and listed.")


@app.command("import")
def take_in(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A CSV with a header.")] = None,
    template: Annotated[bool, typer.Option("--template", help="Print an example of such a file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would book.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Book revenue, invoices and refunds from a CSV.

    It is shown before; all lines are booked, or none. A line that was booked before is known and changes nothing.
    """
    if template:
        print(revenue_file.TEMPLATE, end="")
        return
    if file is None:
        raise typer.BadParameter("name a FILE, or say --template")
    entries = revenue_file.read(file)
    with workspace(ctx, "library") as ws:
        found = revenue_file.preview(ws, entries, file.name)
        new = sum(one.new for one in found)
        with ws.read() as tx:
            note_alike(events.near(tx, [(one.subject, one.reference) for one in found if one.new]))
        if dry_run or not as_json:
            shown = [{**_data(one), "event": None} if one.new else _data(one) for one in found]
            emit(shown, as_json, lambda: _lines(found))
        if dry_run:
            note("nothing was written")
            return
        if new:
            confirm(f"Book {new} events?", yes)
        with ws.write() as tx:
            done = revenue_file.book_all(tx, entries, file.name, confirmed=found)
    emit([_data(one) for one in done], as_json, lambda: say(f"{new} booked, {len(done) - new} known"))


@app.command("receipts")
def listing(
    ctx: typer.Context,
    agreement: Annotated[str | None, typer.Argument(metavar="AGREEMENT", help="Only of this one.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only in this one: {', '.join(receipts.STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = receipts.LIMIT,
    as_json: AsJson = False,
) -> None:
    """Receipts, invoices and refunds, and their states.

    The newest first.
    """
    if state is not None and state not in receipts.STATES:
        raise typer.BadParameter(f"--state is one of {', '.join(receipts.STATES)}")
    with workspace(ctx, "library") as ws, ws.read() as tx:
        if agreement is not None:
            find_agreement(tx, agreement)
        found, more = receipts.listing(tx, agreement, state, limit)
    rows = [
        (when(one.effective_ms)[:10], one.kind, one.reference, one.of or None, one.model or one.agreement,
         money(one.gross_minor, one.currency), quantity_words(one.kind, one.quantity) or None, _state(one))
        for one in found
    ]  # fmt: skip
    columns = ["date", "kind", "reference", "refers to", "of", "#gross", "#for", "state"]
    emit([one.to_json() for one in found], as_json, lambda: table(columns, rows, empty="nothing was booked yet"))
    if more:
        note(f"and {more} older ones: --limit N")


def _state(one: receipts.Listed) -> str:
    if one.open_minor:
        return f"{one.state}, {money(one.open_minor, one.currency)} open"
    if one.refunded_minor and one.state != "refunded":
        return f"{one.state}, {money(one.refunded_minor, one.currency)} refunded"
    return one.state


def _data(one: Booked) -> dict[str, object]:
    return {
        "event": one.id, "agreement": one.agreement, "subject": one.subject, "kind": one.kind,
        "reference": one.reference, "currency": one.gross.currency.code, "gross_minor": one.gross.minor,
        "tax_minor": one.tax.minor, "pool_micro": str(one.pool_micro), "quantity": one.quantity, "new": one.new,
    }  # fmt: skip


def _lines(found: list[Booked]) -> None:
    table(
        ["date", "kind", "reference", "of", "#gross", "#tax", "#pool", ""],
        [
            (when(one.effective_ms)[:10], one.kind, one.reference, one.subject, format_money(one.gross),
             format_money(one.tax), micro(one.pool_micro, one.gross.currency.code), "" if one.new else "known")
            for one in found
        ],
    )  # fmt: skip
