"""rights: consent, an opt-out; holds."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from fairframe.cli.asset import tell_labs
from fairframe.cli.changes import taken_back
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    micro,
    note,
    say,
    span,
    table,
    when,
    workspace,
)
from fairframe.cli.since import Since, since_ms
from fairframe.flows import opt_out as opting
from fairframe.flows.impact import Impact
from fairframe.flows.impact import impact as impact_of
from fairframe.flows.whereabouts import whereabouts
from fairframe.library import assets, collections, contributors
from fairframe.platform import bundles
from fairframe.platform.tx import Tx, WriteTx
from fairframe.rights import appeals, consent, holds, incidents
from fairframe.rights.vocabulary import ANY

app = group("What contributors said.")
hold_app = group("Holds: a block by a person or a dispute.")
app.add_typer(hold_app, name="hold")

Who = Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")]
Reason = Annotated[str, typer.Option(help="In their own words; stays in the library.")]


@app.command("consent")
def set_consent(
    ctx: typer.Context,
    contributor: Who,
    allow: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    deny: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only for this asset.")] = None,
    collection: Annotated[str | None, typer.Option(help="Only for this collection.")] = None,
    action: Annotated[str, typer.Option(help="train, serve, release_weights, ... or *.")] = "*",
    reason: Reason = "",
    since: Since = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before taking back what was delivered.")] = False,
) -> None:
    """Record a contributor's yes or no.

    A no takes back what was delivered and no longer clears. A word about an asset goes before one about its
    collection, and that before one about all of a contributor's work; `--deny "*"` with no more is an opt-out. For
    one purpose or action alone: `--deny "*" --action release_weights`. About many assets: rights consents.

    A no with --from in the past changes no past decision: it opens an incident with a deadline.
    """
    if (allow is None) == (deny is None):
        raise typer.BadParameter("say --allow PURPOSE or --deny PURPOSE")
    if (deny, action, asset, collection) == (ANY, ANY, None, None):
        opt_out(ctx, contributor, yes=yes, reason=reason, since=since)
        return

    def told(tx: WriteTx) -> dict[str, Any]:
        return said(tx, contributor, allow or deny or ANY, action, asset, collection, reason, since)

    with workspace(ctx, "library") as ws:
        if deny is None:
            with ws.write() as tx:
                event = consent.set(tx, effect="allow", **told(tx))
            say(f"{event}: allowed")
            return
        back = opting.preview(ws, lambda tx: opting.deny(tx, **told(tx))[1])
        if back:
            taken_back(back)
            confirm(f"Record the no of {contributor} to {deny}, and take these clips back for good?", yes)
        with ws.write() as tx:
            event, revoked = opting.deny(tx, **told(tx))
            opened = incidents.of_word(tx, event)
    say(f"{event}: denied, {sum(one.items for one in revoked)} delivered items taken back")
    tell_incident(opened)
    if revoked:
        note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def said(
    tx: Tx,
    contributor: str,
    purpose: str,
    action: str,
    asset: str | None,
    collection: str | None,
    reason: str = "",
    since: str = "",
) -> dict[str, Any]:
    """What consent.set and opt_out.deny take, from the words of a command."""
    who = contributors.find(tx, contributor)
    return {
        "asset": None if asset is None else assets.find(tx, asset),
        "collection": None if collection is None else collections.find(tx, collection, who),
        "contributor": who,
        "purpose": purpose,
        "action": action,
        "reason": reason,
        "valid_from_ms": since_ms(since),
    }


@app.command("opt-out")
def opt_out(
    ctx: typer.Context,
    contributor: Who,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Reason = "",
    since: Since = "",
    as_json: AsJson = False,
) -> None:
    """A contributor's overall no: shown before, then recorded.

    Earned payment stays earned.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            before = impact_of(tx, contributors.find(tx, contributor))
            labs = labs_of(tx, before)
        if not (as_json and not dry_run):
            emit(before.to_json(), as_json, lambda: render_impact(before, labs))
        if dry_run:
            return
        if before.opted_out_ms is None:
            confirm(f"Record the opt-out of {contributor}?", yes)
        with ws.write() as tx:
            now = tx.now_ms
            done = opting.opt_out(tx, contributors.find(tx, contributor), reason, since_ms(since))
    emit(
        {"consent": done.consent, "revoked": [vars(r) for r in done.revoked], "incident": done.incident},
        as_json,
        lambda: say(f"{done.consent}: opted out, {done.items} delivered items taken back"),
    )
    tell_incident(done.incident)
    if (since_ms(since) or 0) > now:
        note("It is valid from a day to come: the feeds from then on take back what was delivered.")
        return
    note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def tell_incident(incident: str | None) -> None:
    if incident is not None:
        note(f"It changes no past decision; it opened an incident: fairframe rights incidents show {incident}")


def labs_of(tx: Tx, found: Impact) -> dict[str, str]:
    """Names of the labs that clips were delivered to, by their party ids."""
    return {one.party: bundles.pinned(tx, one.party).name for one in found.deliveries}


def render_impact(found: Impact, labs: Mapping[str, str]) -> None:
    """What an opt-out takes back, and what it leaves."""
    if found.opted_out_ms is not None:
        say(f"opted out since {when(found.opted_out_ms)}")
    say(f"takes back {found.items} delivered clips ({span(found.duration_ms)})")
    if found.items:
        table(
            ["delivery", "lab", "#clips", "#length", "to be deleted by", "a running training"],
            [
                (d.name, labs[d.party], d.items, span(d.duration_ms), when(d.due_ms), d.remedy.replace("_", " "))
                for d in found.deliveries
                if d.items
            ],
        )
    for r in found.releases:
        if not r.delivered:
            say(f"the draft {r.name} has {r.items} of their clips: it is refused at delivery after their no")
    if found.checkpoints:
        table(
            ["checkpoint", "#frames before", "#after", "#of all", "counted"],
            [(c.name, c.before, c.after, c.of_all, c.method) for c in found.checkpoints],
        )
    for m in found.money:
        pending = f" ({micro(m.pending_micro, m.currency)} not paid out yet)" if m.pending_micro else ""
        say(f"earned {micro(m.earned_micro, m.currency)}, which stays theirs{pending}")
    if found.pools:
        table(
            ["agreement", "state", "#their part of its pools", "#waits for allocation", "#of the newest release"],
            [
                (
                    f"{p.agreement} ({p.offer})",
                    p.state,
                    f"{p.weight} of {'about ' if p.sampled else ''}{p.of_all} {p.unit}",
                    micro(p.waiting_micro, p.currency),
                    f"{span(p.next_ms)} of {span(p.next_of_ms)}" if p.release else "-",
                )
                for p in found.pools
            ],
        )
        if any(p.sampled for p in found.pools):
            note("what all of a large pool weighs is told from every nth of its items: a few percent off at most")
        note("what was delivered keeps its part of these pools; a release that is built after a no pays them nothing")


@hold_app.command("list")
def hold_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Standing holds."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        data = [dict(r) for r in holds.listing(tx)]
    emit(
        data,
        as_json,
        lambda: table(
            ["hold", "asset", "file", "since", "code", "reason"],
            [
                (r["public_id"], r["asset"], r["filename"], when(r["valid_from_ms"]), r["code"], r["reason"])
                for r in data
            ],
            empty="no holds",
        ),
    )


@hold_app.command("place")
def hold_place(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    code: Annotated[str, typer.Option(help="A short word for it.")] = "dispute",
) -> None:
    """Block an asset everywhere until the hold is lifted."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = assets.find(tx, asset)
        placed = holds.place(tx, row, code=code, reason=reason)
        held = whereabouts(tx, row)
    say(f"{placed}: {row['filename']} is on hold")
    tell_labs(held)


@hold_app.command("lift")
def hold_lift(
    ctx: typer.Context,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """End a hold."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        holds.lift(tx, hold, reason)
    say(f"{hold} is lifted")


@hold_app.command("appeal")
def hold_appeal(
    ctx: typer.Context,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="Its id.")],
    contributor: Annotated[str, typer.Option(help="Who appeals: an owner of the asset (name or id).")],
    reason: Annotated[str, typer.Option(help="In their own words; stays in the library.")],
) -> None:
    """Lodge a contributor's appeal against a hold.

    The hold stands until a person settles it: fairframe rights review settle.
    """
    with workspace(ctx, "library") as ws, ws.write() as tx:
        lodged = appeals.lodge(tx, hold, contributors.find(tx, contributor), reason)
    say(f"{lodged}: waits in the review queue")
