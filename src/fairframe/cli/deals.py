"""rights: offers, agreements from offer to end, what clears under one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli import agreement as shown
from fairframe.cli.outputs import check_writable
from fairframe.cli.quotes import (
    Code,
    Collection,
    Fee,
    Licensee,
    Quantity,
    Size,
    asked,
    party_id,
    quote_json,
    render_quote,
)
from fairframe.cli.shell import (
    AsJson,
    AsOf,
    KnownAt,
    OutFile,
    confirm,
    emit,
    group,
    moments_ms,
    money,
    note,
    read_input,
    say,
    table,
    when,
    workspace,
    write_output,
)
from fairframe.core.money import format_money, parse_money
from fairframe.core.time import to_rfc3339
from fairframe.library import assets
from fairframe.rights import agreements, clearing, moment, offers
from fairframe.rights import quotes as quoted
from fairframe.rights.agreement import Agreement
from fairframe.rights.consent import FOREVER_MS
from fairframe.rights.drafts import draft
from fairframe.rights.moment import Moment

app = group("Agreements and what clears.")


@app.command("offers")
def list_offers(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The licenses that can be offered."""
    with workspace(ctx) as ws:
        found = [offers.load(name, ws) for name in offers.names(ws)]
    emit(
        [o.model_dump(mode="json") for o in found],
        as_json,
        lambda: table(
            ["offer", "#version", "purpose", "#days", "remedy on opt-out", "share", "split by", "#list price", "per"],
            [
                (
                    o.name,
                    o.version,
                    o.terms.purpose,
                    o.terms.term_days,
                    o.terms.opt_out_remedy,
                    o.terms.share,
                    o.terms.split_basis,
                    format_money(o.fee),
                    o.price_per,
                )
                for o in found
            ],
        ),
    )


@app.command()
def agree(
    ctx: typer.Context,
    output: OutFile,
    offer: Annotated[str, typer.Option(help="The offer's name; see: fairframe rights offers.")] = "",
    licensee: Licensee = "",
    quote: Annotated[str, typer.Option(help="A kept quote: signs exactly that, instead of --offer.")] = "",
    size: Size = None,
    quantity: Quantity = None,
    collection: Collection = None,
    fee: Fee = "",
    currency: Code = "USD",
    upgrade_of: Annotated[str | None, typer.Option(help="The agreement that this one upgrades.")] = None,
) -> None:
    """Sign an offer to a lab; the lab countersigns it."""
    if quote:
        if offer or licensee or size or quantity or collection or fee:
            raise typer.BadParameter("--quote says all of it: leave the others out")
        _agree_quoted(ctx, quote, upgrade_of, output)
        return
    if not offer or not licensee:
        raise typer.BadParameter("say --offer and --licensee, or --quote")
    with workspace(ctx, "library") as ws:
        lab, ask = party_id(ws, licensee), asked(fee, currency, size, quantity, collection)
        check_writable(output)
        with ws.write() as tx:
            price = draft(tx, offer, ask).fee
            envelope = agreements.offer(tx, offer, lab_party=lab, ask=ask, upgrade_of=upgrade_of)
        write_output(output, envelope)
    say(f"offered {offer} for {format_money(price)}")


def _agree_quoted(ctx: typer.Context, quote: str, upgrade_of: str | None, output: Path) -> None:
    with workspace(ctx, "library") as ws:
        check_writable(output)
        with ws.write() as tx:
            envelope = quoted.agree(tx, quote, upgrade_of=upgrade_of)
            row = quoted.find(tx, quote)
        write_output(output, envelope)
    say(f"offered {row['offer']} for {money(row['fee_minor'], row['currency'])}, as quoted")


@app.command()
def amend(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id; in force.")],
    set: Annotated[list[str], typer.Option(metavar="TERM=VALUE", help="A term and its new value, as TOML. Repeat.")],
    output: OutFile,
    fee: Annotated[str, typer.Option(help="A decimal: what the amendment costs; default: nothing.")] = "",
) -> None:
    """Sign a new version of an agreement; the lab countersigns it."""
    with workspace(ctx, "library") as ws:
        check_writable(output)
        with ws.write() as tx:
            price = parse_money(fee, agreements.find(tx, agreement).fee.currency.code) if fee else None
            envelope = agreements.amend(tx, agreement, offers.read_changes(set), fee=price)
            found = shown.opened(tx, envelope)
        write_output(output, envelope)
    shown.render(found)
    note("in force once the lab has signed and you have accepted it; until then the older version is")


@app.command("show")
def show_agreement(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT|FILE", help="Its id, or its document.")],
    as_json: AsJson = False,
) -> None:
    """What an agreement says in plain words, and what is unusual.

    Of a kept quote (quo_...): its figures.
    """
    if agreement.startswith("quo_"):
        with workspace(ctx, "library") as ws, ws.read() as tx:
            row = quoted.find(tx, agreement)
        emit(quote_json(row), as_json, lambda: render_quote(row))
        return
    with workspace(ctx) as ws, ws.read() as tx:
        found = shown.find(tx, agreement)
    emit(found.to_json(), as_json, lambda: shown.render(found))


@app.command()
def sign(
    ctx: typer.Context,
    agreement: Annotated[Path, typer.Argument(metavar="AGREEMENT", help="The library's offer.")],
    output: OutFile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Show an agreement, then countersign it (lab)."""
    data = read_input(agreement)
    with workspace(ctx, "lab") as ws:
        with ws.read() as tx:
            found = shown.opened(tx, data)
        shown.render(found)
        check_writable(output)
        confirm(f"Sign this agreement as {ws.name}?", yes)
        with ws.write() as tx:
            signed = agreements.countersign(tx, data)
        write_output(output, signed)
    say("countersigned")


@app.command()
def accept(ctx: typer.Context, countersigned: Annotated[Path, typer.Argument(metavar="COUNTERSIGNED")]) -> None:
    """Take the countersigned agreement: in force from its start on."""
    data = read_input(countersigned)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        found = agreements.accept(tx, data)
        state = found.state(tx.now_ms)
    say(f"{found.public_id} is {state}: {found.offer}, {format_money(found.fee)}, until {when(found.ends_ms)}")


@app.command()
def end(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why; stays in the library.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End an agreement early, or withdraw an offer not yet signed."""
    with workspace(ctx, "library") as ws:
        confirm(f"End {agreement} for good?", yes)
        with ws.write() as tx:
            offered = agreements.find(tx, agreement).state(tx.now_ms) == "offered"
            (agreements.withdraw if offered else agreements.terminate)(tx, agreement, reason)
    say(f"{agreement} is {'withdrawn' if offered else 'terminated'}")
    if not offered:
        note(f"Send the lab its feed: fairframe rights feed {agreement} -o feed.json")


@app.command("list")
def list_agreements(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All agreements of this workspace, and kept quotes."""
    with workspace(ctx) as ws, ws.read() as tx:
        found = [(one, one.state(tx.now_ms)) for one in agreements.listing(tx)]
        kept = [quote_json(row) for row in quoted.listing(tx)]
    data = [
        {
            "id": a.public_id,
            "version": a.version,
            "offer": a.offer,
            "state": state,
            "fee": format_money(a.fee),
            "starts_ms": a.starts_ms,
            "ends_ms": a.ends_ms,
            "upgrade_of": a.upgrade_of,
            "family": a.family,
        }
        for a, state in found
    ]
    unknown = dict.fromkeys(("version", "starts_ms", "upgrade_of", "family"))
    names = ("id", "offer", "state", "fee", "agreement")
    data += [{name: q[name] for name in names} | {"ends_ms": q["open_until_ms"], **unknown} for q in kept]
    emit(
        data,
        as_json,
        lambda: table(
            ["agreement", "offer", "state", "#fee", "from", "until", "upgrade of"],
            [
                *(
                    (a.public_id, a.offer, state, format_money(a.fee), when(a.starts_ms), when(a.ends_ms), a.upgrade_of)
                    for a, state in found
                ),
                *((q["id"], q["offer"], q["state"], q["fee"], None, when(q["open_until_ms"]), None) for q in kept),
            ],
            empty="no agreements",
        ),
    )


@app.command()
def clear(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    explain: Annotated[str | None, typer.Option(metavar="ASSET", help="Why this asset is decided as it is.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Which assets an agreement may use today; why not the others.

    With --as-of what was true on another day, as far as it is known today; with --known-at as far as it was known then.
    """
    at_ms, known_ms = moments_ms(as_of, known_at)
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            deal = agreements.find(tx, agreement)
            at = moment.asked(tx, at_ms, known_ms)
        then = _then(deal, at)
        if explain is not None:
            with ws.read() as tx:
                found = clearing.explain(tx, deal, assets.find(tx, explain), at)
            lines = [{"code": f.code, "outcome": f.outcome, "text": f.text} for f in found.findings]

            def render() -> None:
                say(found.outcome, "bold")
                table(["outcome", "code", "why"], [(f["outcome"], f["code"], f["text"]) for f in lines])
                _say_then(then)

            emit({"outcome": found.outcome, "findings": lines, **then}, as_json, render)
            return
        known = FOREVER_MS if at is None else at.known_at_ms
        cleared = clearing.clear_agreement(ws, deal, at_ms=None if at is None else at.at_ms, known_at_ms=known)
    data: dict[str, Any] = {
        "counts": cleared.counts,
        "findings": cleared.findings,
        "audit_size": cleared.audit_size,
        "audit_root": cleared.audit_root,
        **then,
    }

    def render_all() -> None:
        say(", ".join(f"{outcome} {n}" for outcome, n in cleared.counts.items()), "bold")
        table(["finding", "#assets"], sorted(cleared.findings.items(), key=lambda kv: (-kv[1], kv[0])))
        _say_then(then)
        note("one asset: --explain ASSET")

    emit(data, as_json, render_all)


def _then(deal: Agreement, at: Moment | None) -> dict[str, Any]:
    """The moment that was asked for, and where the agreement stood then; nothing where it is the present."""
    if at is None:
        return {}
    known = None if at.known_at_ms == FOREVER_MS else to_rfc3339(at.known_at_ms)
    return {"as_of": to_rfc3339(at.at_ms), "known_at": known, "agreement_state": deal.state(at.at_ms)}


def _say_then(then: dict[str, Any]) -> None:
    if then:
        known = f", as known at {then['known_at']}" if then["known_at"] else ""
        say(f"as of {then['as_of']}{known}; the agreement was {then['agreement_state']}")
