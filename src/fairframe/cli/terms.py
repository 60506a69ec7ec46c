"""rights terms: what silence means, in which version, and who was told of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.shell import AsJson, confirm, emit, group, moment_ms, note, read_input, say, table, when, workspace
from fairframe.library import contributors
from fairframe.platform.tx import Row, Tx
from fairframe.rights import terms as contributor_terms
from fairframe.rights import terms_preview, terms_told
from fairframe.rights.terms_preview import Flips
from fairframe.rights.terms_told import Told

app = group("Contributors' terms: what silence means.")


@app.command("add")
def terms_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML: name, version, regime, dates, what they name.")],
    tell: Annotated[
        list[str] | None, typer.Option("--tell", help="A contributor who was told (repeat; 'all' for everybody).")
    ] = None,
    noticed: Annotated[
        str, typer.Option(help="When they were told, a time or a date (UTC); default: the file's notice date.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask where it changes what may be used.")] = False,
) -> None:
    """Keep a version of the contributors' terms.

    With --tell also who was told of it, at the file's notice date or at --noticed; for who was not told, the version
    before goes on. What silence then permits and no longer permits, on the day it takes effect, is shown before. The
    same file again with --tell says who was told later.
    """
    data = read_input(file)
    values = contributor_terms.values_of(contributor_terms.parse(data, str(file)))
    at = moment_ms(noticed) if noticed else values.notice_ms
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            hearers = [int(who["id"]) for who in _told(tx, tell or [])]
        found = terms_preview.flips(ws, values, hearers, at) if hearers else []
        turns = sum(one.gains + one.loses for one in found)
        if turns or dry_run:
            _flips(found, when(values.effective_ms))
        if dry_run:
            note("nothing was written")
            return
        if turns:
            confirm(f"Add {values.name} version {values.version}, of which {len(hearers)} contributors were told?", yes)
        with ws.write() as tx:
            row = contributor_terms.add(tx, data, str(file))
            told = _told(tx, tell or [])
            for who in told:
                contributor_terms.accept(tx, who, row, at, int(row["effective_ms"]))
    say(f"{row['name']} version {row['version']} ({row['regime']}), {len(told)} contributors told")


@app.command("show")
def terms_show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the terms, or the id of a version.")],
    version: Annotated[int | None, typer.Option(help="Default: the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """One version: what it says, and whom it binds.

    Who was told of it when, who objected, who was not told. Until the version is to hold for them, a contributor can
    object by saying no to what it names.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        row = contributor_terms.find(tx, name, version)
        found = terms_told.told(tx, row)
        now_ms = tx.now_ms
    data = {k: v for k, v in row.items() if k != "id"}
    data["in_effect"] = row["effective_ms"] <= now_ms
    data |= {
        "told": found.told,
        "late": found.late,
        "objected": found.objected,
        "not_told": found.not_told,
        "notices": [vars(one) for one in found.notices],
        "untold": [{"contributor": key, "name": who} for key, who in found.untold],
    }
    emit(data, as_json, lambda: _shown(data, found))


@app.command("list")
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


def _told(tx: Tx, tell: Sequence[str]) -> list[Row]:
    if list(tell) == ["all"]:
        return list(contributors.listing(tx))
    return [contributors.find(tx, one) for one in tell]


def _flips(found: Sequence[Flips], day: str) -> None:
    table(
        ["purpose", "#assets that all owners permit", "#with these terms", "#gained", "#lost"],
        [(one.purpose, one.before, one.after, one.gains, one.loses) for one in found],
        title=f"On the day they take effect ({day}), or today where that is over",
        empty="nobody was told, so it binds nobody and changes nothing (--tell)",
    )


def _shown(data: dict[str, Any], found: Told) -> None:
    say(f"{data['name']} version {data['version']}  ({data['public_id']})", "bold")
    names = ", ".join(data["names"]) or "nothing"
    silence = f"silence consents to {names}" if data["regime"] == "opt-out" else "silence consents to nothing"
    table(
        ["", ""],
        [
            ("regime", f"{data['regime']}: {silence}"),
            ("notice", f"from {when(data['notice_ms'])}, {data['notice_days']} days before they hold"),
            ("effective", f"{when(data['effective_ms'])}{'' if data['in_effect'] else ', not yet'}"),
            ("text", data["text"]),
        ],
    )
    table(
        ["told", "id", "noticed", "can object until", "in time", "objected"],
        [
            (
                one.name,
                one.contributor,
                when(one.noticed_ms),
                when(one.holds_from_ms),
                one.in_time,
                when(one.objected_ms),
            )
            for one in found.notices
        ],
        empty="nobody was told",
    )
    if found.late:
        say(f"{found.late} were told too late: under these terms their silence consents to nothing")
    if found.not_told:
        some = ", ".join(name for _, name in found.untold[:10])
        more = "" if found.not_told <= 10 else f" and {found.not_told - 10} more"
        say(f"not told, so not bound by it: {some}{more}")
