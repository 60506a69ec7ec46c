"""rights review: what waits for a person, and what a person decides. Claims have their own commands."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from fairframe.cli import incidents as incident
from fairframe.cli.asset import tell_labs
from fairframe.cli.claims import case_json, render_cases
from fairframe.cli.shell import AsJson, confirm, emit, group, moment_ms, note, say, table, when, workspace
from fairframe.core.errors import InputError
from fairframe.core.ruling_body import MAX_ASSETS, PEOPLE, RULABLE
from fairframe.flows.whereabouts import Held, whereabouts
from fairframe.library import assets, collections, contributors
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, appeals, claims, facts, incidents, moment, people, review, rulings
from fairframe.rights.clearance import CODES, reviewed
from fairframe.rights.people import Seen
from fairframe.rights.review import Filter
from fairframe.rights.rulings import Change, Ruled, Verdict

app = group("What waits for a person: findings, appeals.")

Allow = Annotated[bool, typer.Option("--allow", help="The finding is settled in favor of use.")]
Deny = Annotated[bool, typer.Option("--deny", help="The asset is ruled out.")]
Reason = Annotated[str, typer.Option(help="Why; it is signed, so name nobody.")]
Expires = Annotated[
    str, typer.Option(metavar="DATE", help=f"Until when; an allow holds {rulings.ALLOW_DAYS} days unless said.")
]
By = Annotated[str, typer.Option(help="Who decided; kept as a salted commitment that can be erased.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Finding = Annotated[str, typer.Argument(metavar="FINDING", help="Its code, such as people_unknown.")]
Under = Annotated[str | None, typer.Option("--agreement", help="Only what an agreement waits for (its id).")]
Whose = Annotated[str | None, typer.Option("--contributor", help="Only of this contributor (name or id).")]
Within = Annotated[str | None, typer.Option("--collection", help="Only in this collection (name or id).")]


@app.command("list")
def list_waiting(
    ctx: typer.Context,
    finding: Annotated[str, typer.Option(help="Only where this finding waits.")] = "",
    agreement: Under = None,
    contributor: Whose = None,
    collection: Within = None,
    after: Annotated[str | None, typer.Option(help="Go on after this asset id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=review.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """What waits: incidents, appeals, claims, assets with findings.

    With --agreement only what stands between an asset and that agreement; without, also what is denied anyway.
    """
    with workspace(ctx, "library") as ws:
        narrow = _filter(ws, finding, agreement, contributor, collection, after)
        found = review.queue(ws, narrow, limit)
        with ws.read() as tx:
            cases = [_case(row) for row in appeals.listing(tx)]
            claimed = [case_json(row) for row in claims.listing(tx)]
            late = [incident.to_json(row, tx.now_ms) for row in incidents.listing(tx)]
    rows = [{"id": w.asset["public_id"], "file": w.asset["filename"], "findings": w.findings} for w in found.rows]
    more = rows[-1]["id"] if len(rows) < found.total else None
    data = {"incidents": late, "appeals": cases, "claims": claimed, "assets": rows, "total": found.total}
    data |= {"counts": found.counts, "next": more}

    def render() -> None:
        if late:
            incident.render(late)
        if cases:
            _appeals(cases)
        if claimed:
            render_cases(claimed)
        say(f"{found.total} assets wait for a person", "bold")
        if found.counts:
            table(["finding", "#assets"], list(found.counts.items()))
            table(["asset", "file", "waits for"], [(r["id"], r["file"], ", ".join(r["findings"])) for r in rows])
        if more:
            note(f"more: --after {more}")

    emit(data, as_json, render)


@app.command()
def show(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")],
    as_json: AsJson = False,
) -> None:
    """What waits on one asset, and all rulings about it."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        row = assets.find(tx, asset)
        view = facts.load(tx, [row["id"]], moment.present(tx))[row["id"]]
        past = [_ruling(one, tx.now_ms) for one in rulings.of_asset(tx, row["id"])]
    findings: list[dict[str, Any]] = [
        {"code": f.code, "outcome": f.outcome, "text": f.text, "can_be_allowed": f.code in RULABLE}
        for f in reviewed(view)
    ]
    holds = [vars(hold) for hold in view.holds]
    data = {
        "id": row["public_id"],
        "file": row["filename"],
        "people": view.people or "unknown",
        "findings": findings,
        "holds": holds,
        "rulings": past,
    }

    def render() -> None:
        say(f"{row['filename']}  ({row['public_id']})", "bold")
        say(f"people to be seen: {data['people']}")
        lines = [
            (f["outcome"], f["code"], f["text"], "can be allowed" if f["can_be_allowed"] else _advice(f["code"]))
            for f in findings
        ]
        table(["outcome", "finding", "why", "what to do"], lines, empty="nothing waits for a person")
        for hold in holds:
            say(f"on hold ({hold['code']}): {hold['reason']}")
        if past:
            columns = ["ruling", "finding", "decision", "since", "until", "state", "reason"]
            table(columns, [tuple(_shown(one, name) for name in columns) for one in past])

    emit(data, as_json, render)


@app.command()
def rule(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")],
    finding: Finding,
    reason: Reason,
    allow: Allow = False,
    deny: Deny = False,
    seen: Annotated[bool, typer.Option("--seen", help="Of people: somebody recognizable is to be seen.")] = False,
    none: Annotated[bool, typer.Option("--none", help="Of people: nobody recognizable is to be seen.")] = False,
    expires: Expires = "",
    by: By = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Decide one finding on one asset: shown before, then signed.

    Which findings can be allowed is told in docs/review.md. A contributor's no and a trusted signer's do-not-train
    cannot be ruled away. With people in place of a finding, whoever looked says whether people are to be seen
    (--seen, --none), whatever the metadata says.
    """
    if (finding == PEOPLE) != (seen or none) or (seen and none):
        raise typer.BadParameter("say --seen or --none of people, and of nothing else")
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            rows = [assets.find(tx, asset)]
        if finding == PEOPLE:
            _look(ws, rows, "seen" if seen else "none", reason, expires, by, yes, as_json)
        else:
            _decide(ws, rows, finding, _verdict(allow, deny), reason, expires, by, yes, as_json)


@app.command()
def bulk(
    ctx: typer.Context,
    finding: Finding,
    reason: Reason,
    allow: Allow = False,
    deny: Deny = False,
    agreement: Under = None,
    contributor: Whose = None,
    collection: Within = None,
    expires: Expires = "",
    by: By = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Decide one finding on all assets that wait for it.

    Narrow them by contributor, collection or agreement; what it changes is shown before. One signed document.
    """
    decision = _verdict(allow, deny)
    rulings.check(finding, decision)
    with workspace(ctx, "library") as ws:
        narrow = _filter(ws, finding, agreement, contributor, collection, None)
        found = review.queue(ws, narrow, MAX_ASSETS + 1)
        if not found.rows:
            raise InputError(f"no asset waits for {finding}", code="ruling.nothing", remedy="See: rights review list")
        _decide(ws, [one.asset for one in found.rows], finding, decision, reason, expires, by, yes, as_json)


@app.command("appeals")
def list_appeals(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Contributors' appeals against holds."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        data = [_case(row) for row in appeals.listing(tx, settled=every)]
    emit(data, as_json, lambda: _appeals(data))


@app.command()
def settle(
    ctx: typer.Context,
    appeal: Annotated[str, typer.Argument(metavar="APPEAL", help="Its id; see: rights review appeals.")],
    reason: Reason,
    lift: Annotated[bool, typer.Option("--lift", help="The contributor is right: lift the hold.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="The hold stands.")] = False,
    by: By = "",
) -> None:
    """Decide an appeal: lift the hold, or keep it."""
    if lift == keep:
        raise typer.BadParameter("say --lift or --keep")
    with workspace(ctx, "library") as ws, ws.write() as tx:
        appeals.settle(tx, appeal, "lifted" if lift else "kept", reason=reason, by=by)
        hold = appeals.find(tx, appeal)["hold"]
    say(f"{appeal} is settled: {hold} {'is lifted' if lift else 'stands'}")


def _decide(
    ws: Workspace,
    rows: Sequence[Row],
    finding: str,
    decision: Verdict,
    reason: str,
    expires: str,
    by: str,
    yes: bool,
    as_json: bool,
) -> None:
    until = moment_ms(expires) if expires else None
    rulings.check(finding, decision)
    with ws.read() as tx:
        changes = rulings.preview(tx, rows, finding, decision)
    if not as_json:
        _changes(changes, len(rows))
    confirm(f"Sign this ruling on {len(rows)} assets: {decision} {finding}?", yes)
    with ws.write() as tx:
        done = rulings.rule(tx, rows, finding, decision, reason=reason, expires_ms=until, by=by)
        out = _out(tx, rows) if decision == "deny" else []
    emit(_done(done, changes), as_json, lambda: say(f"{done.document}: {decision} {finding} on {len(rows)} assets"))
    tell_labs(out)


def _look(
    ws: Workspace, rows: Sequence[Row], seen: Seen, reason: str, expires: str, by: str, yes: bool, as_json: bool
) -> None:
    until = moment_ms(expires) if expires else None
    with ws.read() as tx:
        changes = people.preview(tx, rows, seen)
    if not as_json:
        _changes(changes, len(rows))
    what = "people are to be seen" if seen == "seen" else "nobody recognizable is to be seen"
    confirm(f"Sign this ruling on {len(rows)} assets: {what}?", yes)
    with ws.write() as tx:
        done = people.rule(tx, rows, seen, reason=reason, expires_ms=until, by=by)
        out = _out(tx, rows) if seen == "seen" else []
    emit(_done(done, changes), as_json, lambda: say(f"{done.document}: {what} on {len(rows)} assets"))
    tell_labs(out)


def _out(tx: Tx, rows: Sequence[Row]) -> list[Held]:
    return [held for row in rows for held in whereabouts(tx, row)]


def _done(done: Ruled, changes: Sequence[Change]) -> dict[str, Any]:
    rows = [{"asset": asset_id, "ruling": ruling_id} for asset_id, ruling_id in done.rulings]
    return {"document": done.document, "rulings": rows, "changes": [vars(one) for one in changes]}


def _changes(changes: Sequence[Change], count: int) -> None:
    outcomes = ("ALLOW", "REVIEW", "DENY")
    table(
        ["agreement", "offer", *(f"#{one} now" for one in outcomes), *(f"#{one} then" for one in outcomes)],
        [
            (c.agreement, c.offer, *(c.before[one] for one in outcomes), *(c.after[one] for one in outcomes))
            for c in changes
        ],
        empty=f"{count} assets; no agreement is active, so nothing changes today",
    )


def _filter(
    ws: Workspace,
    finding: str,
    agreement: str | None,
    contributor: str | None,
    collection: str | None,
    after: str | None,
) -> Filter:
    if finding and CODES.get(finding) != "REVIEW":
        known = ", ".join(code for code, outcome in CODES.items() if outcome == "REVIEW")
        raise InputError(f"nothing waits for {finding[:60]!r}", code="ruling.finding", remedy=f"Say one of: {known}")
    with ws.read() as tx:
        who = None if contributor is None else contributors.find(tx, contributor)
        return Filter(
            agreement=None if agreement is None else agreements.find(tx, agreement),
            finding=finding,
            contributor=who,
            collection=None if collection is None else collections.find(tx, collection, who),
            after=0 if after is None else assets.find(tx, after)["id"],
        )


def _verdict(allow: bool, deny: bool) -> Verdict:
    if allow == deny:
        raise typer.BadParameter("say --allow or --deny")
    return "allow" if allow else "deny"


def _ruling(row: Row, now_ms: int) -> dict[str, Any]:
    expired = row["expires_ms"] is not None and row["expires_ms"] <= now_ms
    return {
        "ruling": row["public_id"],
        "finding": row["finding"],
        "decision": row["decision"],
        "since": row["valid_from_ms"],
        "until": row["expires_ms"],
        "state": "expired" if expired else "recorded",
        "reason": row["reason"],
        "document": row["document"],
    }


def _shown(one: dict[str, Any], name: str) -> Any:
    return when(one[name]) if name in ("since", "until") else one[name]


def _case(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _appeals(cases: Sequence[dict[str, Any]]) -> None:
    table(
        ["appeal", "hold", "asset", "file", "contributor", "since", "state", "held because", "they say"],
        [
            (
                one["public_id"],
                one["hold"],
                one["asset"],
                one["filename"],
                one["contributor_name"],
                when(one["recorded_at_ms"]),
                one["state"],
                f"{one['code']}: {one['hold_reason']}",
                one["reason"],
            )
            for one in cases
        ],
        empty="no appeals",
    )


def _advice(code: str) -> str:
    return rulings.INSTEAD.get(code, rulings.OTHERWISE)
