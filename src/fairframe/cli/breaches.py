"""rights breaches: deletions that were owed and not attested in time."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    OutFile,
    confirm,
    emit,
    group,
    note,
    read_input,
    say,
    table,
    when,
    workspace,
    write_output,
)
from fairframe.dataset import breaches
from fairframe.platform import bundles
from fairframe.platform.tx import Tx
from fairframe.rights import agreements

app = group("Overdue deletions.")
breaches_app = group("Breaches: deletions that were owed and not attested in time.")
app.add_typer(breaches_app, name="breaches")


@breaches_app.command("list")
def list_breaches(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What is overdue and not recorded, and all records."""
    with workspace(ctx) as ws, ws.read() as tx:
        overdue = [_due(tx, breaches.due(tx, one)) for one in breaches.families(tx)]
        overdue = [one for one in overdue if one["items"]]
        recorded = [{**vars(one), "with": bundles.pinned(tx, one.party).name} for one in breaches.listing(tx)]
    data = {"overdue": overdue, "recorded": recorded}

    def render() -> None:
        for one in overdue:
            say(f"{one['with']} owes the deletion of {one['items']} items since {when(one['due_ms'])}: not recorded")
            note(f"fairframe rights breaches record {one['family']} -o breach.json")
        columns = ["breach", "with", "recorded", "#items", "#open", "due since", "state"]
        table(columns, [_row(one) for one in recorded], empty="no breach is recorded")

    emit(data, as_json, render)


@breaches_app.command()
def record(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id; its whole family is looked at.")],
    output: OutFile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Sign to the lab what is overdue, item by item.

    With the deadlines, and the feeds that told it. It ends nothing by itself; an attestation that names the items
    settles it.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            family = agreements.find(tx, agreement).family
            every = breaches.due(tx, family)
            found = _due(tx, every.first())
        if found["items"]:
            rows = [(d["delivery"], d["items"], when(d["due_ms"]), ", ".join(d["feeds"])) for d in found["deliveries"]]
            table(["delivery", "#items", "due since", "told by"], rows)
            check_writable(output)
            confirm(f"Sign to {found['with']} that {found['items']} deletions are overdue?", yes)
        with ws.write() as tx:
            envelope = breaches.record(tx, agreement)
        write_output(output, envelope)
    say(f"recorded: {found['items']} deletions are overdue")
    if left := len(every.items) - found["items"]:
        note(f"{left} more are overdue than one record holds: record them next, in another file")
    note(f"to end the agreement over it: fairframe rights end {agreement} --reason ...")


@breaches_app.command()
def take(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="BREACH", help="The library's record.")]
) -> None:
    """Take the library's record of a breach (lab)."""
    data = read_input(file)
    with workspace(ctx, "lab") as ws, ws.write() as tx:
        done = breaches.accept(tx, data)
    say(f"{done.breach}: {done.items} deletions were due, {done.open} are not attested")
    if done.open:
        note("Take the newest feed, then delete and attest: fairframe rights attest DELIVERY -o attestation.json")


def _due(tx: Tx, found: breaches.Due) -> dict[str, Any]:
    deliveries = sorted({one.delivery for one in found.items})
    return {
        "family": found.family,
        "party": found.party,
        "with": bundles.pinned(tx, found.party).name,
        "items": len(found.items),
        "due_ms": min((one.due_ms for one in found.items), default=None),
        "deliveries": [_delivery(name, found) for name in deliveries],
    }


def _delivery(name: str, found: breaches.Due) -> dict[str, Any]:
    items = [one for one in found.items if one.delivery == name]
    feeds = sorted({one.feed for one in items})
    return {"delivery": name, "items": len(items), "due_ms": min(one.due_ms for one in items), "feeds": feeds}


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    state = f"cured {when(one['cured_ms'])}" if one["cured_ms"] is not None else "open"
    at, due = when(one["recorded_at_ms"]), when(one["due_ms"])
    return (one["breach"], one["with"], at, one["items"], one["open"], due, state)
