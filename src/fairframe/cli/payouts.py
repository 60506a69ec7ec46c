"""royalties payout and pay: batches to the bank and back, and one payment by hand."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    micro,
    moment_ms,
    money,
    note,
    say,
    table,
    when,
    workspace,
    write_output,
)
from fairframe.core.money import format_money
from fairframe.library import contributors
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import batches, payees, payout_files, payout_steps, payouts
from fairframe.royalties.batches import Line, Plan
from fairframe.royalties.payees import NOBODY
from fairframe.royalties.payout_rules import REASONS
from fairframe.royalties.payout_states import STATES
from fairframe.royalties.payout_steps import Stepped, parts_of

app = group("Batches of payouts, to the bank and back.")
SHOWN = 200
"""Lines of a table; --json has them all."""

Batch = Annotated[str, typer.Argument(metavar="BATCH", help="Its reference or id.")]
Some = Annotated[list[str] | None, typer.Argument(metavar="PAYOUT", help="Only these; default: all.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def prepare(
    ctx: typer.Context,
    ref: Annotated[str, typer.Option(help="The batch's reference: preparing it twice has one effect.")],
    currency: Annotated[str, typer.Option(help="ISO 4217.")],
    on: Annotated[str, typer.Option(help="The day on which the bank is to pay (UTC); default: today.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Release what is no longer held, and reserve what is to be paid.

    Shown first: who is paid, and who is left out and why.
    """
    day = moment_ms(on) if on else None
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = batches.plan(tx, ref, currency, day)
            alike = batches.near(tx, ref)
        if planned.batch is None:
            _note_alike(ref, alike)
            if not as_json:
                _preview(planned)
            if dry_run:
                emit(_plan_json(planned), as_json, lambda: note("nothing was recorded"))
                return
            total = sum(line.judged.gross_minor for line in planned.paid)
            confirm(f"Reserve {len(planned.paid)} payouts, {money(total, currency)} in all?", yes)
        with ws.write() as tx:
            batch = planned.batch or batches.prepare(tx, planned)
        with ws.read() as tx:
            data = _batch_json(tx, batch)
    known = planned.batch is not None
    emit(data, as_json, lambda: say(f"{batch['public_id']}: {len(data['payouts'])} payouts" + ", known" * known))
    if not as_json and not known:
        note(f"next: fairframe royalties payout submit {batch['public_id']} -o FOLDER")


@app.command()
def submit(
    ctx: typer.Context,
    batch: Batch,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the bank's files.")],
    csv_only: Annotated[bool, typer.Option("--csv-only", help="No pain.001, where SEPA could do it.")] = False,
    yes: Yes = False,
) -> None:
    """Note that a batch is sent, and write the bank's files.

    A CSV, and pain.001.001.09 for euros to IBANs.

    Again, it writes the same files. They hold account numbers: look after them.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            row = batches.find(tx, batch)
            shown = payout_files.files(tx, row, csv_only=csv_only)
            waiting = [one for one in payout_steps.listing(tx, row) if one["state"] == "reserved"]
        for name in shown.named(row):
            check_writable(output / name)
        if waiting:
            total = sum(parts_of(one).net_minor for one in waiting)
            amount = money(total, row["currency"])
            confirm(f"Submit {len(waiting)} payouts, {amount} in all? After that only a return takes one back.", yes)
        with ws.write() as tx:
            made, done = payout_files.submit(tx, row, csv_only=csv_only, confirmed=shown)
    # noted first: files that were sent while the library thinks they were not would be paid again
    for name, data in made.named(row).items():
        write_output(output / name, data, mode=0o600)
    if made.why_not:
        note(made.why_not)
    _say(row["public_id"], done)


@app.command()
def settle(
    ctx: typer.Context,
    batch: Batch,
    payout: Some = None,
    on: Annotated[str, typer.Option(help="The bank's day: a time or a date (UTC); default: now.")] = "",
    yes: Yes = False,
) -> None:
    """Note that the bank has paid a batch, or some of its payouts."""
    at = moment_ms(on) if on else None
    with workspace(ctx, "library") as ws:
        row = _ask(ws.read, batch, payout, "submitted", "Note as paid by the bank", yes)
        with ws.write() as tx:
            done = payout_steps.settle(tx, row, payout or (), at)
    _say(row["public_id"], done)


@app.command()
def cancel(
    ctx: typer.Context,
    batch: Batch,
    payout: Some = None,
    reason: Annotated[str, typer.Option(help="Why; stays in the library, so name nobody.")] = "",
    yes: Yes = False,
) -> None:
    """Take a batch back, or some of it, before it is sent.

    All of it becomes payable again.
    """
    with workspace(ctx, "library") as ws:
        row = _ask(ws.read, batch, payout, "reserved", "Cancel", yes)
        with ws.write() as tx:
            done = payout_steps.cancel(tx, row, payout or (), reason)
    _say(row["public_id"], done)


@app.command("return")
def give_back(
    ctx: typer.Context,
    payout: Annotated[str, typer.Argument(metavar="PAYOUT", help="Its id, also with a hyphen as the bank says it.")],
    reason: Annotated[str, typer.Option(help="The bank's, such as AC04.")],
    yes: Yes = False,
) -> None:
    """Note that the bank returned a payout.

    It becomes payable again, gross.
    """
    payout = payout.replace("-", "_", 1)
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            found = payout_steps.listing(tx, payout_id=payout)
        if found and found[0]["state"] in ("submitted", "settled"):
            gross = money(found[0]["amount_minor"], found[0]["currency"])
            confirm(f"Note {payout} as returned? {gross} become payable to {found[0]['contributor_name']} again.", yes)
        with ws.write() as tx:
            done = payout_steps.give_back(tx, payout, reason)
    _say(payout, done)


@app.command("list")
def list_(
    ctx: typer.Context,
    contributor: Annotated[str, typer.Option(help="Only those to one (name or id).")] = "",
    state: Annotated[str, typer.Option(help=f"Only in this one: {', '.join(STATES)}.")] = "",
    as_json: AsJson = False,
) -> None:
    """Every payout with its state, oldest first."""
    if state not in ("", *STATES):
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}")
    with workspace(ctx, "library") as ws, ws.read() as tx:
        who = contributors.find(tx, contributor)["id"] if contributor else None
        rows = [row for row in payout_steps.listing(tx, None, who) if state in ("", row["state"])]
    data = [_payout_json(row) for row in rows]
    emit(data, as_json, lambda: _payouts(data))


@app.command()
def show(ctx: typer.Context, batch: Batch, as_json: AsJson = False) -> None:
    """A batch: its payouts, where they go (masked), and their states."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        data = _batch_json(tx, batches.find(tx, batch))

    def render() -> None:
        day = when(data["execution_ms"])[:10]
        say(f"{data['batch']} {data['reference']}: {data['currency']}, to be paid on {day}")
        _payouts(data["payouts"])

    emit(data, as_json, render)


def pay(
    ctx: typer.Context,
    contributor: Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")],
    ref: Annotated[str, typer.Option(help="The payment's reference: paying it twice has one effect.")],
    currency: Annotated[str | None, typer.Option(help="ISO 4217, where there are several.")] = None,
    yes: Yes = False,
) -> None:
    """Record a payout that was made by hand.

    It is a batch of one, settled at once.

    Whole minor units are paid; the rest is carried. A policy's hold and tax form are asked for, its threshold not.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            who = contributors.find(tx, contributor)
            planned = payouts.plan(tx, who, ref, currency)
            alike = batches.near(tx, ref)
        if planned.new:
            _note_alike(ref, alike)
            less = f", less {format_money(planned.withheld)} withheld" if planned.withheld.minor else ""
            confirm(f"Record a payout of {format_money(planned.amount)}{less} to {who['name']}, reference {ref}?", yes)
        with ws.write() as tx:
            done = payouts.pay(tx, who, ref, currency, planned)
    kept = f", {format_money(done.withheld)} of it withheld" if done.withheld.minor else ""
    carried = f"carried {micro(done.carry_micro, done.amount.currency.code)}"
    say(f"{done.id}: {format_money(done.amount)}{kept}, {carried}" + ("" if done.new else f", known: {done.state}"))
    if done.state == "returned":
        note("it came back, and this reference pays nothing more: pay it again under another --ref")


def _ask(read: Any, batch: str, only: Sequence[str] | None, state: str, what: str, yes: bool) -> Row:
    with read() as tx:
        row = batches.find(tx, batch)
        listed = payout_steps.listing(tx, row)
    rows = [one for one in listed if one["state"] == state and (not only or one["public_id"] in only)]
    if rows:
        total = sum(parts_of(one).net_minor for one in rows)
        confirm(f"{what}: {len(rows)} payouts, {money(total, row['currency'])} in all?", yes)
    return row


def _say(subject: str, done: Stepped) -> None:
    count = len(done.payouts)
    say(f"{subject}: {count} {'payout' if count == 1 else 'payouts'} {done.state}" + ("" if done.new else ", known"))


def _note_alike(reference: str, other: str | None) -> None:
    if other is not None:
        note(f"{reference!r} differs from the batch {other!r} only by case: if it is the same, use that one")


def _preview(planned: Plan) -> None:
    code = planned.currency
    table(
        ["paid to", "account", "#gross", "#withheld", "#net"],
        [
            (
                line.contributor["name"],
                line.payee.masked()["account"],
                money(line.parts.gross_minor, code),
                money(line.parts.withheld_minor, code),
                money(line.parts.net_minor, code),
            )
            for line in planned.paid[:SHOWN]
            if line.parts is not None
        ],
        empty="nobody is paid",
    )
    left = planned.left_out
    if left:
        rows = [(line.contributor["name"], why(line), micro(line.standing.total_micro, code)) for line in left[:SHOWN]]
        table(["left out", "why", "#balance"], rows)
    counted = Counter(REASONS[line.judged.reason] for line in left)
    told = ", ".join(f"{count} {reason}" for reason, count in counted.most_common())
    say(f"{len(planned.paid)} are paid, {len(left)} left out" + (f": {told}" if told else ""))
    if max(len(planned.paid), len(left)) > SHOWN:
        note(f"{SHOWN} of each are shown; --dry-run --json has them all")


def why(line: Line) -> str:
    """Why somebody is left out."""
    until = "" if line.judged.until_ms is None else f" until {when(line.judged.until_ms)[:10]}"
    return REASONS[line.judged.reason] + until


def _plan_json(planned: Plan) -> dict[str, Any]:
    def one(line: Line) -> dict[str, Any]:
        told = {"contributor": line.contributor["public_id"], "name": line.contributor["name"]}
        told |= {"account": line.payee.masked()["account"]}
        if line.parts is not None:
            amounts = {"gross_minor": line.parts.gross_minor, "withheld_minor": line.parts.withheld_minor}
            return told | amounts | {"net_minor": line.parts.net_minor}
        why_not = {"reason": line.judged.reason, "until_ms": line.judged.until_ms}
        return told | why_not | {"balance_micro": str(line.standing.total_micro)}

    return {
        "reference": planned.reference,
        "currency": planned.currency,
        "execution_ms": planned.execution_ms,
        "paid": [one(line) for line in planned.paid],
        "left_out": [one(line) for line in planned.left_out],
    }


def _batch_json(tx: Tx, batch: Row) -> dict[str, Any]:
    held = payees.of_batch(tx, batch)
    told = {"batch": batch["public_id"]}
    told |= {name: batch[name] for name in ("reference", "currency", "execution_ms", "by_hand", "recorded_at_ms")}
    listed = payout_steps.listing(tx, batch)
    rows = [_payout_json(row) | {"to": held.get(row["contributor_id"], NOBODY).masked()} for row in listed]
    return told | {"payouts": rows}


def _payout_json(row: Row) -> dict[str, Any]:
    parts = parts_of(row)
    told = {"payout": row["public_id"], "batch": row["batch"], "reference": row["batch_reference"]}
    told |= {"contributor": parts.contributor, "name": row["contributor_name"], "currency": parts.currency}
    told |= {"gross_minor": parts.gross_minor, "withheld_minor": parts.withheld_minor, "net_minor": parts.net_minor}
    return told | {"state": row["state"], "state_ms": row["state_ms"], "reason": row["reason"]}


def _payouts(rows: list[dict[str, Any]]) -> None:
    table(
        ["payout", "reference", "to", "account", "#net", "#withheld", "state", "since"],
        [
            (
                one["payout"],
                one["reference"],
                one["name"],
                one["to"]["account"] if "to" in one else None,
                money(one["net_minor"], one["currency"]),
                money(one["withheld_minor"], one["currency"]),
                f"{one['state']} ({one['reason']})" if one["reason"] else one["state"],
                when(one["state_ms"]),
            )
            for one in rows
        ],
        empty="no payouts",
    )
