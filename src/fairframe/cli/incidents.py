"""rights incidents: noes that were recorded later than they are valid from, and who answers for what happened."""

from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, confirm, emit, group, say, span, table, when, workspace
from fairframe.core.incident_outcome_body import InSpite
from fairframe.flows import incidents as flow
from fairframe.flows.in_spite import in_spite
from fairframe.platform.tx import Row
from fairframe.rights import incidents

app = group("Backdated noes: what happened in spite of them.")

Which = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id; see: fairframe rights incidents list.")]


@app.command("list")
def list_incidents(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open incidents, the first due first."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        data = [to_json(row, tx.now_ms) for row in incidents.listing(tx, settled=every)]
    emit(data, as_json, lambda: render(data))


@app.command()
def show(ctx: typer.Context, incident: Which, as_json: AsJson = False) -> None:
    """What happened in spite of the no.

    What was released, delivered and reported as trained, as far as is known today.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        row = incidents.find(tx, incident)
        found, data = in_spite(tx, row), to_json(row, tx.now_ms)
    emit({**data, "in_spite": found.to_json()}, as_json, lambda: _shown(data, found))


@app.command()
def resolve(
    ctx: typer.Context,
    incident: Which,
    reason: Annotated[str, typer.Option(help="What was done and why; it is signed, so name nobody.")],
    settled: Annotated[bool, typer.Option("--settled", help="Settled with the contributor.")] = False,
    nothing: Annotated[bool, typer.Option("--nothing-happened", help="Nothing happened in spite of the no.")] = False,
    disputed: Annotated[bool, typer.Option("--disputed", help="The library does not accept the date.")] = False,
    by: Annotated[str, typer.Option(help="Who settled; kept as a salted commitment that can be erased.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Settle an incident with a signed document.

    It holds what is known to have happened. The no itself stands, whatever the outcome.
    """
    if settled + nothing + disputed != 1:
        raise typer.BadParameter("say --settled, --nothing-happened or --disputed")
    outcome: incidents.Outcome = "settled" if settled else "nothing_happened" if nothing else "disputed"
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            row = incidents.find(tx, incident)
            found, data = in_spite(tx, row), to_json(row, tx.now_ms)
        _shown(data, found)
        confirm(f"Sign that the incident is {outcome.replace('_', ' ')}?", yes)
        with ws.write() as tx:
            flow.settle(tx, incident, outcome, reason=reason, by=by)
            document = incidents.find(tx, incident)["document"]
    say(f"{document}: {incident} is {outcome.replace('_', ' ')}")


def to_json(row: Row, now_ms: int) -> dict[str, Any]:
    """A row of incidents.listing as commands tell it."""
    keep = {name: value for name, value in row.items() if name not in ("id", "contributor_id", "outcome")}
    return {**keep, "state": incidents.state(row, now_ms)}


def render(rows: list[dict[str, Any]]) -> None:
    table(
        ["incident", "contributor", "#noes", "valid from", "recorded", "due", "who answers", "state"],
        [
            (
                one["public_id"],
                one["contributor_name"],
                one["words"],
                when(one["valid_from_ms"]),
                when(one["recorded_at_ms"]),
                when(one["due_ms"]),
                one["answers"],
                one["state"],
            )
            for one in rows
        ],
        empty="no incidents",
    )


def _shown(case: dict[str, Any], found: InSpite) -> None:
    render([case])
    if case["outcome_reason"]:
        say(f"{case['document']}: {case['outcome_reason']}")
    say(f"The no is about {found.concerns} assets. In spite of it, as far as is known today:", "bold")
    if found.nothing:
        say("nothing was released, delivered or reported as trained")
    if found.decided:
        table(
            ["released as", "agreement", "at", "#clips", "#length"],
            [(d.name, d.agreement, when(d.at_ms), d.items, span(d.duration_ms)) for d in found.decided],
        )
    if found.delivered:
        table(
            ["delivered as", "lab", "at", "#clips", "#length"],
            [(d.name, d.lab, when(d.at_ms), d.items, span(d.duration_ms)) for d in found.delivered],
        )
    if found.trained:
        table(
            ["checkpoint", "reported", "#frames of these clips", "#of all"],
            [(t.name, when(t.reported_ms), t.frames, t.of_all) for t in found.trained],
        )
