"""royalties revenue, invoice, refund, correct: money in, money asked for, money given back, mistakes."""

from collections.abc import Sequence
from typing import Annotated

import typer

from fairframe.cli.shell import (
    confirm,
    group,
    micro,
    moment_ms,
    note,
    say,
    workspace,
)
from fairframe.core.errors import InputError
from fairframe.core.money import Money, format_money, parse_money
from fairframe.platform import bundles
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.royalties import corrections, events, related, revenue
from fairframe.royalties.about import About
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.events import FEES, GENERATIVE, INVOICE
from fairframe.royalties.quantity import parse_quantity, quantity_words
from fairframe.royalties.revenue import Booked

Deal = Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")]
Currency = Annotated[str, typer.Option(help="ISO 4217; the agreement has one, and no other is booked.")]
Tax = Annotated[str, typer.Option(help="Tax in it, a decimal.")]
Model = Annotated[str | None, typer.Option(metavar="CHECKPOINT", help="The reported model whose revenue it is.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

ALIKE = 20
"""References that a note names; it counts all."""

app = group("Money in, money asked for, money given back.")


@app.command("revenue")
def book(
    ctx: typer.Context,
    agreement: Deal,
    ref: Annotated[str, typer.Option(help="The invoice or transfer number: booking it twice has one effect.")],
    amount: Annotated[str, typer.Option(help="Gross receipts, a decimal; with --pays: all of it, by default.")] = "",
    currency: Currency = "",
    tax: Tax = "",
    received: Annotated[str, typer.Option(help="When: a time or a date (UTC); default: now.")] = "",
    kind: Annotated[str, typer.Option(help=f"{', '.join(FEES)}; of a model: {', '.join(GENERATIVE)}.")] = "flat",
    quantity: Annotated[str, typer.Option(help="How many clips, hours (a decimal) or outputs it pays for.")] = "",
    model: Model = None,
    pays: Annotated[str, typer.Option(metavar="INVOICE", help="The reference of the invoice that it pays.")] = "",
    yes: Yes = False,
) -> None:
    """Book money received under an agreement.

    The contributors' share of it goes into a pool: at once, or with the invoice where the agreement counts invoices.
    """
    if kind not in (*FEES, *GENERATIVE):
        raise typer.BadParameter(f"--kind is one of {', '.join((*FEES, *GENERATIVE))}")
    about = About(kind, parse_quantity(kind, quantity), model, pays)
    _book(ctx, agreement, amount, currency, ref, tax, received, about, yes)


@app.command()
def invoice(
    ctx: typer.Context,
    agreement: Deal,
    amount: Annotated[str, typer.Option(help="What is asked for, gross, a decimal.")],
    ref: Annotated[str, typer.Option(help="The invoice number: booking it twice has one effect.")],
    currency: Currency = "",
    tax: Tax = "",
    issued: Annotated[str, typer.Option(help="When: a time or a date (UTC); default: now.")] = "",
    model: Model = None,
    yes: Yes = False,
) -> None:
    """Book an invoice: money that the lab owes.

    Its payment is booked with revenue --pays REF. Shared with contributors is the payment, or the invoice itself where
    the agreement counts invoices.
    """
    _book(ctx, agreement, amount, currency, ref, tax, issued, About(INVOICE, model=model), yes)


@app.command()
def refund(
    ctx: typer.Context,
    agreement: Deal,
    of: Annotated[str, typer.Option(metavar="REF", help="The reference of the receipt or invoice that it takes from.")],
    ref: Annotated[str, typer.Option(help="Its own reference: booking it twice has one effect.")],
    amount: Annotated[str, typer.Option(help="Gross, a decimal; default: all that is left of it.")] = "",
    currency: Currency = "",
    tax: Annotated[str, typer.Option(help="Tax in it, a decimal; default: in proportion.")] = "",
    given: Annotated[str, typer.Option(help="When: a time or a date (UTC); default: now.")] = "",
    chargeback: Annotated[
        bool, typer.Option("--chargeback", help="The bank took it, not the library gave it.")
    ] = False,
    model: Model = None,
    yes: Yes = False,
) -> None:
    """Book money given back, whole or in part.

    Contributors give back their share of it, by the weights they got it by. An invoice that is not paid is lowered. A
    receipt that was only booked by mistake is taken back with correct.
    """
    about = About("chargeback" if chargeback else "refund", model=model, of=of)
    _book(ctx, agreement, amount, currency, ref, tax, given, about, yes)


@app.command()
def correct(
    ctx: typer.Context,
    agreement: Deal,
    ref: Annotated[str, typer.Option(help="The reference under which it was booked.")],
    reason: Annotated[str, typer.Option(help="Why; stays in the library.")],
    model: Model = None,
    yes: Yes = False,
) -> None:
    """Take back what was booked by mistake.

    It is taken back whole, and with it what contributors got from it.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = corrections.plan(tx, agreement, ref, model)
        if planned.new:
            say(f"{planned.event}: {planned.kind}, {format_money(planned.gross)}, reference {planned.reference}")
            allocated = f"the accounts of {planned.contributors} contributors go back to what they were without it"
            say(allocated if planned.contributors else "it changed no contributor's account yet")
            confirm("Take it back?", yes)
        with ws.write() as tx:
            done = corrections.correct(tx, agreement, ref, reason, model)
    say(f"{done.transaction}: {done.event} taken back" + ("" if done.new else ", known"))


def _book(
    ctx: typer.Context, agreement: str, amount: str, currency: str, ref: str, tax: str, at: str, about: About, yes: bool
) -> None:
    at_ms = moment_ms(at) if at else None
    with workspace(ctx, "library") as ws:
        gross, tax_minor = _amounts(ws, agreement, amount, currency, tax, ref, about)
        with ws.read() as tx:
            planned = revenue.plan(tx, agreement, gross, ref, tax_minor, at_ms, about)
            deal = agreements.find(tx, agreement)
            lab = bundles.pinned(tx, deal.lab).name
            alike = events.near(tx, [(planned.subject, planned.reference)]) if planned.new else []
        if planned.new:
            note_alike(alike)
            say(f"{lab}, {deal.offer} license {agreement}: {_words(planned)}")
            say(f"{format_money(planned.net)} net; {_pool(planned)} ({deal.share} by its terms)")
            confirm("Book it?", yes)
        with ws.write() as tx:
            done = revenue.book(tx, agreement, gross, ref, planned.tax.minor, at_ms, about)
    say(f"{done.id}: {format_money(done.net)} net, {_pool(done)}" + ("" if done.new else ", known"))


def note_alike(pairs: Sequence[tuple[str, str]]) -> None:
    """Say which references differ from others only by case."""
    for one, other in pairs[:ALIKE]:
        note(f"{one!r} differs from {other!r} only by case: if it is the same, use that one")
    if len(pairs) > ALIKE:
        note(f"and {len(pairs) - ALIKE} more differ from others only by case")


def _amounts(
    ws: Workspace, agreement: str, amount: str, currency: str, tax: str, ref: str, about: About
) -> tuple[Money, int | None]:
    """Gross and tax as typed; without an amount all that is left, or what this reference has booked already."""
    with ws.read() as tx:
        deal = find_agreement(tx, agreement)
        code = currency.upper() or str(deal["currency"])
        tax_minor = parse_money(tax, code).minor if tax else None
        if amount or not about.of:
            return parse_money(amount, code), tax_minor
        known = revenue.booked_under(tx, deal, ref, about)
        left = known or related.rest_of(tx, deal, about)
    if not left.minor:
        raise InputError(f"nothing is left of {about.of!r}", code="revenue.left")
    return left, tax_minor


def _words(one: Booked) -> str:
    quantity = quantity_words(one.kind, one.quantity)
    subject = f" of {one.subject}" if one.subject != one.agreement else ""
    refers = f", refers to {one.of}" if one.of else ""
    return (
        f"{one.kind}{subject}, {format_money(one.gross)}"
        f"{f' for {quantity}' if quantity else ''}, reference {one.reference}{refers}"
    )


def _pool(one: Booked) -> str:
    if one.pool_micro < 0:
        return f"{micro(-one.pool_micro, one.gross.currency.code)} back from contributors"
    return f"contributors' pool {micro(one.pool_micro, one.gross.currency.code)}"
