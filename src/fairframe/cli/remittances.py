"""royalties remit: tax, withheld tax and the library's share leave the library's cash."""

from typing import Annotated, Literal

import typer

from fairframe.cli.shell import AsJson, confirm, emit, micro, moment_ms, money, say, table, when, workspace
from fairframe.core.errors import InputError
from fairframe.core.money import format_money, parse_money
from fairframe.core.time import to_rfc3339
from fairframe.royalties import remittances
from fairframe.royalties.remittances import Remittance


def remit(
    ctx: typer.Context,
    account: Annotated[
        Literal["tax", "withholding", "library"] | None,
        typer.Argument(help="What it was; without it: what was booked."),
    ] = None,
    amount: Annotated[str, typer.Option(help="What left, a decimal.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "",
    ref: Annotated[str, typer.Option(help="The transfer's number: booking it twice has one effect.")] = "",
    on: Annotated[str, typer.Option(help="The bank's day: a time or a date (UTC); default: now.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Book tax paid over, or the library's share moved out.

    It leaves the library's cash for good, and is never more than the account holds. Tax that was withheld from payouts
    has an account of its own.
    """
    if account is None and not (amount or currency or ref or on):
        _list(ctx, as_json)
        return
    if account is None or not (amount and currency and ref):
        raise InputError(
            "say how much of what left",
            code="remittance.which",
            remedy="Say tax, withholding or library, --amount A --currency C --ref REF",
        )
    asked = parse_money(amount, currency.upper())
    at = moment_ms(on) if on else None
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = remittances.plan(tx, account, asked, ref, at)
        if planned.new:
            code = asked.currency.code
            if not as_json:
                told = format_money(asked), f"reference {planned.reference}", when(planned.effective_ms)
                say(f"{planned.words}: {', '.join(told)}")
                left = micro(planned.held_micro - asked.micro, code)
                say(f"the account holds {micro(planned.held_micro, code)}, and {left} after it")
            confirm("Book it?", yes)
        with ws.write() as tx:
            done = remittances.remit(tx, account, asked, ref, at)
    emit(_json(done), as_json, lambda: say(f"{done.id}: {format_money(asked)}" + ("" if done.new else ", known")))


def _list(ctx: typer.Context, as_json: bool) -> None:
    with workspace(ctx, "library") as ws, ws.read() as tx:
        rows = remittances.listing(tx)
    data = [
        {"id": row["public_id"], "account": row["account"], "amount_minor": row["amount_minor"]}
        | {"currency": row["currency"], "reference": row["reference"], "effective_at": to_rfc3339(row["effective_ms"])}
        for row in rows
    ]
    lines = [
        (row["public_id"], remittances.WORDS[row["account"]], money(row["amount_minor"], row["currency"]),
         row["reference"], when(row["effective_ms"]))
        for row in rows
    ]  # fmt: skip
    columns = ["remittance", "", "#amount", "reference", "on"]
    emit(data, as_json, lambda: table(columns, lines, empty="nothing was paid over or moved out"))


def _json(one: Remittance) -> dict[str, object]:
    told = {"id": one.id, "account": one.account, "amount_minor": one.amount.minor}
    told |= {"currency": one.amount.currency.code, "reference": one.reference}
    return {**told, "effective_at": to_rfc3339(one.effective_ms), "new": one.new}
