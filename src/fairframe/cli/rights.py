"""rights: terms, consent, holds, offers, agreements, clearance, feeds; the lab's signature and attestations."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli import agreement as shown
from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    OutFile,
    confirm,
    emit,
    group,
    micro,
    note,
    progress,
    read_input,
    say,
    span,
    table,
    when,
    workspace,
    write_output,
)
from fairframe.core.money import format_money, parse_money
from fairframe.core.party import Party
from fairframe.core.time import from_rfc3339
from fairframe.dataset import feeds
from fairframe.dataset.attest import due_of
from fairframe.dataset.loader import find_delivery
from fairframe.dataset.revocation import last_entry
from fairframe.flows import deletion
from fairframe.flows import opt_out as opting
from fairframe.flows.impact import Impact
from fairframe.flows.impact import impact as impact_of
from fairframe.flows.upgrade import grant as grant_checkpoints
from fairframe.generation import grants
from fairframe.library import assets, collections, contributors
from fairframe.platform.tx import WriteTx
from fairframe.rights import agreements, clearing, consent, holds, offers
from fairframe.rights import terms as contributor_terms
from fairframe.rights.vocabulary import ANY

app = group("Consent, agreements, clearance.")
terms_app = group("Contributors' terms: what silence means.")
hold_app = group("Holds: a block by a person or a dispute.")
app.add_typer(terms_app, name="terms")
app.add_typer(hold_app, name="hold")

Who = Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")]


@terms_app.command("add")
def terms_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML: name, version, regime, dates, what they name.")],
    tell: Annotated[
        list[str] | None, typer.Option("--tell", help="A contributor who was told (repeat; 'all' for everybody).")
    ] = None,
    noticed: Annotated[str, typer.Option(help="When they were told (RFC 3339); default: the file's notice date.")] = "",
) -> None:
    """Keep a version of the contributors' terms, and who was told of it when."""
    data = read_input(file)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = contributor_terms.add(tx, data, str(file))
        told = list(contributors.listing(tx)) if tell == ["all"] else [contributors.find(tx, one) for one in tell or []]
        at = from_rfc3339(noticed) if noticed else int(row["notice_ms"])
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


@app.command("offers")
def list_offers(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The licenses that can be offered."""
    with workspace(ctx) as ws:
        found = [offers.load(name, ws) for name in offers.names(ws)]
    emit(
        [{"name": o.name, "version": o.version, "title": o.title, "terms": o.terms.to_json()} for o in found],
        as_json,
        lambda: table(
            ["offer", "#version", "purpose", "#days", "remedy on opt-out", "share", "split by", "#list price"],
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
                )
                for o in found
            ],
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
    """Record a contributor's yes or no. A no takes back what was delivered and no longer clears."""
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
    say(f"{event}: denied, {len(revoked)} delivered items taken back")
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
    """A contributor's overall no: shown before, then recorded. Earned payment stays earned."""
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            before = impact_of(tx, contributors.find(tx, contributor))
        if not (as_json and not dry_run):
            emit(before.to_json(), as_json, lambda: render_impact(before))
        if dry_run:
            return
        confirm(f"Record the opt-out of {contributor}?", yes)
        with ws.write() as tx:
            done = opting.opt_out(tx, contributors.find(tx, contributor), reason)
    emit(
        {"consent": done.consent, "revoked": [vars(r) for r in done.revoked]},
        as_json,
        lambda: say(f"{done.consent}: opted out, {len(done.revoked)} delivered items taken back"),
    )
    note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def render_impact(found: Impact) -> None:
    """What an opt-out takes back, and what it leaves."""
    if found.opted_out_ms is not None:
        say(f"opted out since {when(found.opted_out_ms)}")
    say(f"takes back {found.items} delivered clips ({span(found.duration_ms)})")
    if found.deliveries:
        table(
            ["delivery", "lab", "#clips", "#length", "to be deleted by", "a running training"],
            [(d.name, d.party, d.items, span(d.duration_ms), when(d.due_ms), d.remedy) for d in found.deliveries],
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
    asset: Annotated[str, typer.Argument(help="Id or filename.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    code: Annotated[str, typer.Option(help="A short word for it.")] = "dispute",
) -> None:
    """Block an asset everywhere until the hold is lifted."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        say(holds.place(tx, assets.find(tx, asset), code=code, reason=reason))


@hold_app.command("lift")
def hold_lift(
    ctx: typer.Context,
    hold: Annotated[str, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """End a hold."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        holds.lift(tx, hold, reason)
    say(f"{hold} is lifted")


@app.command()
def agree(
    ctx: typer.Context,
    offer: Annotated[str, typer.Option(help="The offer's name; see: fairframe rights offers.")],
    licensee: Annotated[Path, typer.Option(help="The lab's party.json, or its pinned party id.")],
    output: OutFile,
    fee: Annotated[str, typer.Option(help="A decimal; default: the offer's list price.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "USD",
    upgrade_of: Annotated[str | None, typer.Option(help="The agreement that this one upgrades.")] = None,
) -> None:
    """Sign an offer to a lab; the lab countersigns it."""
    with workspace(ctx, "library") as ws:
        lab = Party.from_envelope(read_input(licensee)).id if licensee.is_file() else str(licensee)
        price = parse_money(fee, currency) if fee else offers.load(offer, ws).fee
        check_writable(output)
        with ws.write() as tx:
            envelope = agreements.offer(tx, offer, lab_party=lab, fee=price, upgrade_of=upgrade_of)
        write_output(output, envelope)
    say(f"offered {offer} for {format_money(price)}")


@app.command("show")
def show_agreement(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT|FILE", help="Its id, or its document.")],
    as_json: AsJson = False,
) -> None:
    """What an agreement says, in plain words, and what in it is unusual."""
    with workspace(ctx) as ws, ws.read() as tx:
        found = shown.find(tx, agreement)
    emit(found.to_json(), as_json, lambda: shown.render(found))


@app.command()
def sign(
    ctx: typer.Context,
    agreement: Annotated[Path, typer.Argument(help="The library's offer.")],
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
def accept(ctx: typer.Context, countersigned: Annotated[Path, typer.Argument()]) -> None:
    """Take the countersigned agreement; from its start on it is in force."""
    data = read_input(countersigned)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        found = agreements.accept(tx, data)
        state = found.state(tx.now_ms)
    say(f"{found.public_id} is {state}: {found.offer}, {format_money(found.fee)}, until {when(found.ends_ms)}")


@app.command()
def end(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why; stays in the library.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End an agreement before its term, or withdraw an offer that nobody has signed."""
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
    """All agreements of this workspace."""
    with workspace(ctx) as ws, ws.read() as tx:
        found = [(one, one.state(tx.now_ms)) for one in agreements.listing(tx)]
    data = [
        {
            "id": a.public_id,
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
    emit(
        data,
        as_json,
        lambda: table(
            ["agreement", "offer", "state", "#fee", "from", "until", "upgrade of"],
            [
                (a.public_id, a.offer, state, format_money(a.fee), when(a.starts_ms), when(a.ends_ms), a.upgrade_of)
                for a, state in found
            ],
            empty="no agreements",
        ),
    )


@app.command()
def clear(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(help="Its id.")],
    explain: Annotated[str | None, typer.Option(metavar="ASSET", help="Why this asset is decided as it is.")] = None,
    as_json: AsJson = False,
) -> None:
    """Which assets an agreement may use today, and why not the others."""
    with workspace(ctx, "library") as ws:
        if explain is not None:
            with ws.read() as tx:
                found = clearing.explain(tx, agreements.find(tx, agreement), assets.find(tx, explain))
            lines = [{"code": f.code, "outcome": f.outcome, "text": f.text} for f in found.findings]

            def render() -> None:
                say(found.outcome, "bold")
                table(["outcome", "code", "why"], [(f["outcome"], f["code"], f["text"]) for f in lines])

            emit({"outcome": found.outcome, "findings": lines}, as_json, render)
            return
        with ws.read() as tx:
            deal = agreements.find(tx, agreement)
        cleared = clearing.clear_agreement(ws, deal)
    data: dict[str, Any] = {
        "counts": cleared.counts,
        "findings": cleared.findings,
        "audit_size": cleared.audit_size,
        "audit_root": cleared.audit_root,
    }

    def render_all() -> None:
        say(", ".join(f"{outcome} {n}" for outcome, n in cleared.counts.items()), "bold")
        table(["finding", "#assets"], sorted(cleared.findings.items(), key=lambda kv: -kv[1]))
        note("one asset: --explain ASSET")

    emit(data, as_json, render_all)


@app.command()
def feed(ctx: typer.Context, agreement: Annotated[str, typer.Argument()], output: OutFile) -> None:
    """Sign the revocation feed of an agreement, with renewed leases, for the lab."""
    with workspace(ctx, "library") as ws:
        check_writable(output)
        with ws.write() as tx:
            family = agreements.find(tx, agreement).family
            before = last_entry(tx, "out", family)
            # a hold, a revoked model release or a no that came into force since is in the feed too
            envelope = feeds.issue(tx, agreement)
            more = last_entry(tx, "out", family) - before
        write_output(output, envelope)
    say("feed signed" + (f", {more} more items taken back" if more else ""))


@app.command()
def refresh(ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FEED")], as_json: AsJson = False) -> None:
    """Take the library's newest feed (lab)."""
    data = read_input(file)
    with workspace(ctx, "lab") as ws, ws.write() as tx:
        done = feeds.refresh(tx, data)
    emit(vars(done), as_json, lambda: say(", ".join(f"{k.replace('_', ' ')} {v}" for k, v in vars(done).items())))


@app.command()
def attest(
    ctx: typer.Context,
    delivery: Annotated[str, typer.Argument(help="Name or id.")],
    output: OutFile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")] = False,
) -> None:
    """Delete the clips that were taken back, and models that go with them; then state so under signature (lab)."""
    with workspace(ctx, "lab") as ws:
        with ws.read() as tx:
            row = find_delivery(tx, delivery)
            due = due_of(tx, row)
            models = [str(one["name"]) for one in deletion.due_models(tx, row, last_entry(tx, "in", row["family"]))]
        what = f"{len(due.items)} clips of {delivery}" + (f" and the models {', '.join(models)}" if models else "")
        check_writable(output)
        if due.kept:
            note(f"{len(due.kept)} more clips stay: other deliveries hold the same bytes by right")
        if due.items or models:
            confirm(f"Delete {what} for good?", yes)
        with ws.write() as tx:
            envelope = deletion.attest(tx, row)
        write_output(output, envelope)
    some = due.rows or models
    say(f"attested the deletion of {what}" if some else "nothing new is due: the last attestation again")


@app.command("attested")
def attested(ctx: typer.Context, attestation: Annotated[Path, typer.Argument()]) -> None:
    """Take a lab's attestation (library)."""
    data = read_input(attestation)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        done = deletion.accept(tx, data)
    kept = f", {done.kept} kept under other deliveries" if done.kept else ""
    say(f"{done.body.delivery}: {done.items} clips deleted{kept} ({done.late} late), {len(done.body.models)} models")


@app.command()
def grant(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(help="The upgraded agreement.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the grants.")],
) -> None:
    """Sign a grant for each checkpoint that the upgrade may cover; say what blocks the others."""
    with workspace(ctx, "library") as ws, progress("grant"):
        with ws.write() as tx:
            found = grant_checkpoints(tx, agreement)
        for one in found:
            if one.envelope is not None:
                write_output(output / f"{one.checkpoint}.grant.json", one.envelope)
    table(
        ["checkpoint", "outcome", "why"],
        [
            (one.checkpoint, "granted" if one.envelope is not None else "blocked", "; ".join(one.reasons))
            for one in found
        ],
        empty="no checkpoint was reported under this agreement's family",
    )
    if any(one.envelope is None for one in found):
        raise typer.Exit(1)


@app.command("granted")
def granted(ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="GRANT")]) -> None:
    """Take the library's grant for a checkpoint (lab)."""
    data = read_input(file)
    with workspace(ctx, "lab") as ws, ws.write() as tx:
        done = grants.take(tx, data)
    say(f"granted: {done.name} may be used under {done.agreement}" + ("" if done.new else ", known"))
