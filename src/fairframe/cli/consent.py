"""rights: contributors' terms, consent, an opt-out; holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.asset import tell_labs
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    micro,
    moment_ms,
    note,
    read_input,
    say,
    span,
    table,
    when,
    workspace,
)
from fairframe.flows import opt_out as opting
from fairframe.flows.impact import Impact
from fairframe.flows.impact import impact as impact_of
from fairframe.flows.whereabouts import whereabouts
from fairframe.library import assets, collections, contributors
from fairframe.platform import bundles
from fairframe.platform.tx import Tx, WriteTx
from fairframe.rights import appeals, consent, holds
from fairframe.rights import terms as contributor_terms
from fairframe.rights.vocabulary import ANY

app = group("What contributors said.")
terms_app = group("Contributors' terms: what silence means.")
hold_app = group("Holds: a block by a person or a dispute.")
app.add_typer(terms_app, name="terms")
app.add_typer(hold_app, name="hold")

Who = Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")]


@terms_app.command("add")
def terms_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML: name, version, regime, dates, what they name.")],
    tell: Annotated[
        list[str] | None, typer.Option("--tell", help="A contributor who was told (repeat; 'all' for everybody).")
    ] = None,
    noticed: Annotated[
        str, typer.Option(help="When they were told, a time or a date (UTC); default: the file's notice date.")
    ] = "",
) -> None:
    """Keep a version of the contributors' terms.

    With --tell also who was told of it, at the file's notice date or at --noticed.
    """
    data = read_input(file)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = contributor_terms.add(tx, data, str(file))
        told = list(contributors.listing(tx)) if tell == ["all"] else [contributors.find(tx, one) for one in tell or []]
        at = moment_ms(noticed) if noticed else int(row["notice_ms"])
        for who in told:
            contributor_terms.accept(tx, who, row, at, int(row["effective_ms"]))
    say(f"{row['name']} version {row['version']} ({row['regime']}), {len(told)} contributors told")


@terms_app.command("list")
def terms_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """All versions of all terms."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        rows = [dict(r) for r in contributor_terms.listing(tx)]
    data = [{k: v for k, v in r.items() if k != "id"} for r in rows]
    emit(
        data,
        as_json,
        lambda: table(
            ["terms", "#version", "regime", "notice", "effective", "silence consents to"],
            [
                (
                    r["name"],
                    r["version"],
                    r["regime"],
                    when(r["notice_ms"]),
                    when(r["effective_ms"]),
                    ", ".join(r["names"]),
                )
                for r in data
            ],
            empty="no terms; add some with: fairframe rights terms add FILE",
        ),
    )


@app.command("consent")
def set_consent(
    ctx: typer.Context,
    contributor: Who,
    allow: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    deny: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    asset: Annotated[str | None, typer.Option(help="Only for this asset.")] = None,
    collection: Annotated[str | None, typer.Option(help="Only for this collection.")] = None,
    action: Annotated[str, typer.Option(help="train, serve, release_weights, ... or *.")] = "*",
    reason: Annotated[str, typer.Option(help="In their own words; stays in the library.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before taking back what was delivered.")] = False,
) -> None:
    """Record a contributor's yes or no.

    A no takes back what was delivered and no longer clears. A word about an asset goes before one about its
    collection, and that before one about all of a contributor's work; `--deny "*"` with no more is an opt-out.
    """
    if (allow is None) == (deny is None):
        raise typer.BadParameter("say --allow PURPOSE or --deny PURPOSE")
    if (deny, action, asset, collection) == (ANY, ANY, None, None):
        opt_out(ctx, contributor, yes=yes, reason=reason)
        return

    def said(tx: WriteTx) -> dict[str, Any]:
        who = contributors.find(tx, contributor)
        return {
            "asset": None if asset is None else assets.find(tx, asset),
            "collection": None if collection is None else collections.find(tx, collection, who),
            "contributor": who,
            "purpose": allow or deny,
            "action": action,
            "reason": reason,
        }

    with workspace(ctx, "library") as ws:
        if deny is None:
            with ws.write() as tx:
                event = consent.set(tx, effect="allow", **said(tx))
            say(f"{event}: allowed")
            return
        back = opting.preview(ws, lambda tx: opting.deny(tx, **said(tx))[1])
        if back:
            render_taken_back(back)
            confirm(f"Record the no of {contributor} to {deny}, and take these clips back for good?", yes)
        with ws.write() as tx:
            event, revoked = opting.deny(tx, **said(tx))
    say(f"{event}: denied, {sum(one.items for one in revoked)} delivered items taken back")
    if revoked:
        note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def render_taken_back(back: list[opting.TakesBack]) -> None:
    table(
        ["delivery", "lab", "#clips taken back", "#length"],
        [(one.name, one.party, one.items, span(one.duration_ms)) for one in back],
    )


@app.command("opt-out")
def opt_out(
    ctx: typer.Context,
    contributor: Who,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Annotated[str, typer.Option(help="In their own words; stays in the library.")] = "",
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
            done = opting.opt_out(tx, contributors.find(tx, contributor), reason)
    emit(
        {"consent": done.consent, "revoked": [vars(r) for r in done.revoked]},
        as_json,
        lambda: say(f"{done.consent}: opted out, {done.items} delivered items taken back"),
    )
    note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


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
    if found.checkpoints:
        table(
            ["checkpoint", "#frames before", "#after", "#of all", "counted"],
            [(c.name, c.before, c.after, c.of_all, c.method) for c in found.checkpoints],
        )
    for m in found.money:
        say(f"earned {micro(m.earned_micro, m.currency)}, which stays theirs")


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
