"""rights: what an offer would come to, before anybody signs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.outputs import write_csv
from fairframe.cli.shell import AsJson, emit, group, micro, money, note, read_input, say, span, table, when, workspace
from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.money import format_money, parse_money
from fairframe.core.party import Party
from fairframe.flows import quote as quotes
from fairframe.flows import upgrade_diff
from fairframe.platform import trust
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, offers
from fairframe.rights import odrl as odrl_form
from fairframe.rights import quotes as quoted
from fairframe.rights import rsl as rsl_form
from fairframe.rights.agreement_document import Document
from fairframe.rights.drafts import Ask
from fairframe.rights.wording import BASES

app = group("What an offer comes to.")

Offer = Annotated[str, typer.Argument(metavar="OFFER", help="Its name; see: fairframe rights offers.")]
Licensee = Annotated[str, typer.Option(help="The lab: its party.json, its pinned party id, or its name.")]
Size = Annotated[str | None, typer.Option(help="The licensee's size, where the offer knows sizes.")]
Quantity = Annotated[int | None, typer.Option(help="Clips or hours, where the offer is paid by those.")]
Collection = Annotated[
    list[str] | None, typer.Option(help="A collection, by id or name, where the offer is by title. May be repeated.")
]
Fee = Annotated[
    str, typer.Option(help="A decimal: agreed instead of the list price, for the agreement, the clip or the hour.")
]
Code = Annotated[str, typer.Option(help="ISO 4217.")]


def asked(fee: str, currency: str, size: str | None, quantity: int | None, collection: list[str] | None) -> Ask:
    """What the options of a command ask for. Raises InputError on a bad amount."""
    rate = parse_money(fee, currency) if fee else None
    return Ask(rate, size, quantity, tuple(collection or ()))


def party_id(ws: Workspace, licensee: str) -> str:
    """The lab that --licensee names. Raises NotFound, InputError."""
    if Path(licensee).is_file():
        return Party.from_envelope(read_input(Path(licensee))).id
    with ws.read() as tx:
        return str(trust.find(tx, licensee)["public_id"])


@app.command()
def schema() -> None:
    """Print the JSON Schema of offers (TOML read as JSON)."""
    print(offers.schema_text(), end="")


@app.command()
def odrl(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="AGREEMENT|OFFER", help="An agreement's id, or an offer's name.")],
) -> None:
    """Print an agreement or an offer as an ODRL 2.2 policy (JSON-LD)."""
    with workspace(ctx) as ws, ws.read() as tx:
        if name.startswith("agr_"):
            known = agreements.find(tx, name)
            document = Document.from_bundle(read_payload(read_envelope(known.offered).payload))
            policy = odrl_form.of_agreement(name, known.version, document)
        else:
            policy = odrl_form.of_offer(offers.load(name, ws), ws.party_id)
    emit(policy, True, lambda: None)


@app.command()
def rsl(
    ctx: typer.Context,
    offer: Offer,
    content: Annotated[str, typer.Option(help="URL or path of the footage, as in robots.txt.")],
    terms: Annotated[str, typer.Option(help="URL of the license in words.")],
    server: Annotated[str, typer.Option(help="URL of an RSL license server, if there is one.")] = "",
) -> None:
    """Print an offer as an RSL 1.0 document (XML)."""
    with workspace(ctx, "library") as ws:
        document = rsl_form.of_offer(offers.load(offer, ws), content, terms, server)
    print(document.decode(), end="")


@app.command()
def quote(
    ctx: typer.Context,
    offer: Offer,
    licensee: Licensee,
    size: Size = None,
    quantity: Quantity = None,
    collection: Collection = None,
    fee: Fee = "",
    currency: Code = "USD",
    keep: Annotated[bool, typer.Option("--keep", help="Keep it, to sign exactly that: rights agree --quote.")] = False,
    as_json: AsJson = False,
) -> None:
    """What an offer would clear, cost and pay today.

    Writes nothing but with --keep, which keeps the figures under an id.
    """
    with workspace(ctx, "library") as ws:
        lab, ask = party_id(ws, licensee), asked(fee, currency, size, quantity, collection)
        found = quotes.quote(ws, offer, lab, ask)
        kept = None
        if keep:
            with ws.write() as tx:
                kept = quoted.keep(tx, lab, ask, found.draft, found.figures())
    emit(found.to_json() | ({"quote": kept} if kept else {}), as_json, lambda: _render(found, kept))


def quote_json(row: Row) -> dict[str, Any]:
    """A kept quote as data."""
    told = {name: row[name] for name in ("offer", "lab_party", "ask", "agreement", "state", "open_until_ms", "terms")}
    return {"id": row["public_id"], **told, "fee": money(row["fee_minor"], row["currency"]), "figures": row["figures"]}


def render_quote(row: Row) -> None:
    """A kept quote as people read it."""
    figures, code = row["figures"], row["currency"]
    say(f"{row['offer']} for {figures['lab']}: {money(row['fee_minor'], code)}, {row['state']}", "bold")
    say("would clear: " + ", ".join(f"{outcome} {count}" for outcome, count in figures["clears"]["counts"].items()))
    delivers = figures["delivers"]
    say(f"would deliver {delivers['clips']} clips of {delivers['assets']} assets, {span(delivers['duration_ms'])}")
    say(f"contributors would receive {micro(figures['pool_micro'], code)}")
    rows = [(p["contributor"], p["clips"], span(p["duration_ms"]), p["amount_micro"]) for p in figures["pay"]]
    shown = [(who, clips, length, micro(amount, code)) for who, clips, length, amount in rows]
    table(["contributor", "#clips", "#length", "#amount"], shown, empty="nobody: there is nothing to deliver")
    if row["agreement"]:
        say(f"offered as {row['agreement']}")
    note(f"as the library stood on {figures['at']}; open until {when(row['open_until_ms'])}")


def _render(found: quotes.Quote, kept: str | None) -> None:
    fee = found.draft.fee
    say(f"{found.draft.offer.name} for {found.lab}: {format_money(fee)}", "bold")
    say("clears: " + ", ".join(f"{outcome} {count}" for outcome, count in found.counts.items()))
    table(["finding", "#assets"], sorted(found.findings.items(), key=lambda kv: (-kv[1], kv[0])), empty="no findings")
    say(f"would deliver {found.clips} clips of {found.assets} assets, {span(found.duration_ms)}")
    for code, count in found.dropped.items():
        say(f"  left out: {count} {code}")
    pool = micro(found.pool_micro, fee.currency.code)
    say(f"contributors receive {found.draft.terms.share} of {BASES[found.draft.terms.base]}: {pool}")
    table(
        ["contributor", "name", "#clips", "#length", "#amount"],
        [
            (p.contributor, p.name, p.clips, span(p.duration_ms), micro(p.amount_micro, fee.currency.code))
            for p in found.pay
        ],
        empty="nobody: there is nothing to deliver",
    )
    if found.estimated:
        note("the license splits by usage or scores, which are not known yet: shown by milliseconds")
    for lines in found.clashes.values():
        say("could not come into force:")
        for line in lines:
            say(f"  {line}")
    note("before tax, and as the library stands today" + ("" if kept else "; nothing was written"))
    if kept:
        say(f"{kept}: kept; sign exactly that with: fairframe rights agree --quote {kept} -o agreement.json")


@app.command("diff")
def diff_agreement(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    to: Annotated[str, typer.Option(metavar="OFFER", help="The offer that would upgrade it.")],
    size: Size = None,
    quantity: Quantity = None,
    collection: Collection = None,
    fee: Fee = "",
    currency: Code = "USD",
    assets: Annotated[
        Path | None, typer.Option(help="Write every asset that changes to this CSV: asset, change, reason.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What an upgrade would add, lose and block, before it is signed."""
    ask = asked(fee, currency, size, quantity, collection)
    with workspace(ctx, "library") as ws:
        if assets is None:
            found = upgrade_diff.diff(ws, agreement, to, ask)
        else:
            with write_csv(assets, ("asset", "change", "reason")) as write:
                found = upgrade_diff.diff(ws, agreement, to, ask, write)
    emit(found.to_json(), as_json, lambda: _render_diff(found))


def _render_diff(found: upgrade_diff.Diff) -> None:
    say(f"{found.agreement.public_id} ({found.agreement.offer}) to {found.draft.offer.name}", "bold")
    say(f"costs {format_money(found.fee)}; agreed before: {format_money(found.paid)}, not set off against it")
    say(f"assets: keeps {found.kept}, adds {found.count('adds')}, loses {found.count('loses')}")
    if found.changed:
        columns = ["change", "reason", "#assets", "for example"]
        table(columns, [(one.change, one.reason, one.assets, ", ".join(one.examples)) for one in found.changed])
    granted = sum(one.granted for one in found.checkpoints)
    say(f"checkpoints: {granted} covered, {len(found.checkpoints) - granted} blocked")
    if found.checkpoints:
        rows = [
            (one.name, one.assets, "covered" if one.granted else "blocked", ", ".join(upgrade_diff.blocking(one)))
            for one in found.checkpoints
        ]
        table(["checkpoint", "#assets seen", "under the upgrade", "blocked by"], rows)
    note("a blocked checkpoint stays under the agreement that it was trained under; nothing was written")
