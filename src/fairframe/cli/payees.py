"""royalties payee, policy and withholding: what has to be known before anybody is paid."""

from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, confirm, emit, group, moment_ms, money, note, say, table, when, workspace
from fairframe.core.errors import InputError
from fairframe.core.money import parse_money
from fairframe.core.rational import Share
from fairframe.library import contributors
from fairframe.royalties import payees, payout_terms
from fairframe.royalties.payees import Payee, mask

app = group("Where contributors' money goes; personal data, shown masked.")

Contributor = Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")]
From = Annotated[str, typer.Option("--from", help="Since when: a time or a date (UTC); default: now.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("set")
def set_(
    ctx: typer.Context,
    contributor: Contributor,
    holder: Annotated[str | None, typer.Option(help="The account's holder; with --iban or --account.")] = None,
    iban: Annotated[str | None, typer.Option(help="The account, where it has an IBAN.")] = None,
    account: Annotated[str | None, typer.Option(help="Another number of an account.")] = None,
    bic: Annotated[str | None, typer.Option(help="The bank; SEPA needs none.")] = None,
    country: Annotated[str | None, typer.Option(help="Where they pay tax: a code such as US.")] = None,
    tax_form: Annotated[str | None, typer.Option(help="The form on file, such as W-8BEN; '' for none.")] = None,
    tax_form_until: Annotated[str, typer.Option(help="Until when the form holds: a time or a date (UTC).")] = "",
    blocked: Annotated[bool | None, typer.Option("--block/--unblock", help="Pay nothing, or pay again.")] = None,
    from_: From = "",
    as_json: AsJson = False,
) -> None:
    """Say where a contributor's money goes.

    What is not named stays as it was.

    Holder, account and BIC can be erased later; the audit tree holds a salted commitment to them.
    """
    until = moment_ms(tax_form_until) if tax_form_until else None
    with workspace(ctx, "library") as ws, ws.write() as tx:
        who = contributors.find(tx, contributor)
        done = payees.set_payee(
            tx,
            who,
            holder=holder,
            iban=iban,
            account=account,
            bic=bic,
            country=country,
            tax_form=tax_form,
            tax_form_until_ms=until,
            blocked=blocked,
            valid_from_ms=moment_ms(from_) if from_ else None,
        )
    _show(who["public_id"], done, as_json)


@app.command()
def show(ctx: typer.Context, contributor: Contributor, as_json: AsJson = False) -> None:
    """Where a contributor's money goes now."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        who = contributors.find(tx, contributor)
        found = payees.current(tx, who)
    _show(who["public_id"], found, as_json)


@app.command()
def erase(ctx: typer.Context, contributor: Contributor, yes: Yes = False) -> None:
    """Delete a contributor's holders, accounts and BICs.

    Those that hold now and all earlier ones. What was paid stays, and so do the commitments in the audit tree, which
    tell nothing without them.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            who = contributors.find(tx, contributor)
        confirm(f"Delete the bank details of {who['name']}? This cannot be undone.", yes)
        with ws.write() as tx:
            count = payees.erase(tx, who)
    say(f"{count} rows of bank details deleted")
    note("backups and files that were written for the bank are yours to look after")


def _show(contributor: str, found: Payee, as_json: bool) -> None:
    told: dict[str, Any] = {"contributor": contributor, **found.masked()}

    def render() -> None:
        until = "" if told["tax_form_until_ms"] is None else f" until {when(told['tax_form_until_ms'])[:10]}"
        table(
            ["", "holder", "account", "BIC", "country", "tax form", "blocked", "since"],
            [
                (
                    *(told[name] for name in ("kind", "holder", "account", "bic", "country")),
                    f"{told['tax_form']}{until}" or None,
                    told["blocked"],
                    when(told["valid_from_ms"]),
                )
            ]
            if found is not payees.NOBODY
            else [],
            empty="nothing was said: fairframe royalties payee set",
        )

    emit(told, as_json, render)


def policy(
    ctx: typer.Context,
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="ISO 4217; none: show them all.")] = "",
    threshold: Annotated[str, typer.Option(help="The least that is paid, a decimal; it sets the policy.")] = "",
    hold_days: Annotated[int, typer.Option(help="Days from the accounting date until an amount may be paid.")] = 0,
    tax_form: Annotated[bool, typer.Option(help="Whether a payee needs a tax form.")] = True,
    pay_from: Annotated[str, typer.Option(help="The library's own IBAN, for the bank's file.")] = "",
    bic: Annotated[str, typer.Option(help="Its bank.")] = "",
    from_: From = "",
    as_json: AsJson = False,
) -> None:
    """What is asked before a currency is paid out.

    --threshold sets it, with the other options. Until it is set, nothing is asked, and only `royalties pay` pays.
    """
    currency = currency.upper()
    if not threshold and (hold_days, tax_form, pay_from, bic, from_) != (0, True, "", "", ""):
        raise InputError("a policy is set with its threshold", code="payout.policy", remedy="Say --threshold A, too")
    with workspace(ctx, "library") as ws:
        if threshold:
            with ws.write() as tx:
                payout_terms.set_policy(
                    tx,
                    currency,
                    threshold_minor=parse_money(threshold, currency).minor,
                    hold_days=hold_days,
                    tax_form=tax_form,
                    iban=pay_from,
                    bic=bic,
                    valid_from_ms=moment_ms(from_) if from_ else None,
                )
        with ws.read() as tx:
            rows: list[dict[str, Any]] = [
                {**row, "account": mask(row["account"]), "bic": mask(row["bic"])}
                for row in payout_terms.policies(tx)
                if currency in ("", row["currency"])
            ]
    columns = ["", "#threshold", "#hold days", "tax form", "pays from", "since"]
    emit(
        rows,
        as_json,
        lambda: table(
            columns,
            [
                (
                    row["currency"],
                    money(row["threshold_minor"], row["currency"]),
                    row["hold_days"],
                    row["tax_form"],
                    row["account"] or None,
                    when(row["valid_from_ms"]),
                )
                for row in rows
            ],
            empty="no policy was set: nothing is asked, and royalties pay is the only way to pay",
        ),
    )


def withholding(
    ctx: typer.Context,
    country: Annotated[str, typer.Argument(metavar="COUNTRY", help="A code such as US; none: show all.")] = "",
    rate: Annotated[str, typer.Option(help="What is withheld of a payout, a fraction such as 3/10; sets it.")] = "",
    from_: From = "",
    as_json: AsJson = False,
) -> None:
    """What is withheld for the tax office, by country.

    --rate sets it.
    """
    if from_ and not rate:
        raise InputError("a rate holds since a day", code="payout.rate", remedy="Say --rate R, too")
    with workspace(ctx, "library") as ws:
        if rate:
            with ws.write() as tx:
                payout_terms.set_rate(tx, country, Share.parse(rate), moment_ms(from_) if from_ else None)
        with ws.read() as tx:
            rows = [dict(row) for row in payout_terms.rate_rows(tx) if country.upper() in ("", row["country"])]
    emit(
        rows,
        as_json,
        lambda: table(
            ["country", "#withheld", "since"],
            [(row["country"], f"{row['num']}/{row['den']}", when(row["valid_from_ms"])) for row in rows],
            empty="nothing is withheld anywhere",
        ),
    )
