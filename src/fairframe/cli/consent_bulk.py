"""rights consents: one contributor's words about many of their assets, by a filter or from a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.changes import clearances, taken_back
from fairframe.cli.consent import Reason, Who, tell_incident
from fairframe.cli.shell import AsJson, confirm, emit, group, micro, moment_ms, note, say, span, table, workspace
from fairframe.cli.since import Since, since_ms
from fairframe.core.errors import InputError
from fairframe.flows import consent_bulk as flow
from fairframe.flows.consent_bulk import Preview
from fairframe.library import choose, collections, contributors
from fairframe.library.choose import Which
from fairframe.platform.tx import Row, Tx
from fairframe.rights import consent_table
from fairframe.rights.consent_bulk import Word
from fairframe.rights.vocabulary import ACTIONS, ANY

app = group("Many words of one contributor.")


@app.command("consents")
def consent_bulk(
    ctx: typer.Context,
    contributor: Who,
    file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="A table instead: asset, effect, purpose; action, reason."),
    ] = None,
    allow: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    deny: Annotated[str | None, typer.Option(metavar="PURPOSE", help="evaluate, research, commercial or *.")] = None,
    action: Annotated[str, typer.Option(help="train, serve, release_weights, ... or *.")] = ANY,
    words: Annotated[str, typer.Option(help="Only where all these words are said of it.")] = "",
    match: Annotated[str, typer.Option(metavar="PATTERN", help="Only these filenames, such as 'harbor*'.")] = "",
    collection: Annotated[str | None, typer.Option(help="Only what is in this collection today.")] = None,
    taken_in_from: Annotated[str, typer.Option(metavar="DATE", help="Only taken in on this day or later.")] = "",
    taken_in_before: Annotated[str, typer.Option(metavar="DATE", help="Only taken in before this day.")] = "",
    min_seconds: Annotated[int | None, typer.Option(min=0, help="Only as long or longer.")] = None,
    max_seconds: Annotated[int | None, typer.Option(min=0, help="Only as long or shorter.")] = None,
    min_side: Annotated[int | None, typer.Option(min=1, help="Only with so many pixels on the shorter side.")] = None,
    max_side: Annotated[int | None, typer.Option(min=1, help="Only with so few pixels on the shorter side.")] = None,
    reason: Reason = "",
    since: Since = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record a contributor's yes or no on many assets.

    It is shown before, then said of all or of none. Each asset gets a word of its own, which goes before any about its
    collection or all of their work. A table names assets by id or filename; a line that cannot be used stops the
    whole. What is taken in later is not covered: for that, speak about the collection (rights consent --collection).
    """
    which = Which(
        words=words,
        match=match,
        since_ms=moment_ms(taken_in_from) if taken_in_from else None,
        until_ms=moment_ms(taken_in_before) if taken_in_before else None,
        min_ms=None if min_seconds is None else min_seconds * 1000,
        max_ms=None if max_seconds is None else max_seconds * 1000,
        min_side=min_side,
        max_side=max_side,
    )
    if file is None and (allow is None) == (deny is None):
        raise typer.BadParameter("say --allow PURPOSE, --deny PURPOSE or --csv FILE")
    if file is not None and (allow or deny or reason or action != ANY or collection or not which.all):
        raise typer.BadParameter("with --csv the table says all: no purpose, action, reason or filter beside it")
    from_ms = since_ms(since)
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            who = contributors.find(tx, contributor)
            if file is not None:
                said = consent_table.read(tx, who, file)
            else:
                rows = _chosen(tx, who, which, collection)
                effect = "allow" if deny is None else "deny"
                said = [Word(row, effect, str(allow or deny), action, reason) for row in rows]
        before = flow.preview(ws, who, said, from_ms)
        if not as_json or dry_run:
            emit(before.to_json(), as_json, lambda: render(before))
        if dry_run:
            note("nothing was written")
            return
        confirm(f"Record {len(said)} words of {who['name']} on {before.assets} assets?", yes)
        with ws.write() as tx:
            done = flow.say(tx, who, said, from_ms)
    data = {"events": done.events, "revoked": [vars(one) for one in done.revoked], "incident": done.incident}
    told = f"{len(done.events)} words recorded, {sum(one.items for one in done.revoked)} delivered items taken back"
    emit(data, as_json, lambda: say(told))
    tell_incident(done.incident)
    if done.revoked:
        note("Send each lab its feed: fairframe rights feed AGREEMENT -o feed.json")


def _chosen(tx: Tx, who: Row, which: Which, collection: str | None) -> Sequence[Row]:
    if collection is not None:
        which = Which(**{**vars(which), "collection": collections.find(tx, collection, who)["id"]})
    rows = choose.choose(tx, who, which)
    if not rows:
        raise InputError(
            "no asset of theirs is like that",
            code="consent.nothing",
            remedy="See: fairframe library list --contributor",
        )
    return rows


def render(found: Preview) -> None:
    """What the words would do, as people read it."""
    say(f"{found.words} words on {found.assets} assets ({span(found.duration_ms)})", "bold")
    table(
        ["asset", "file", "word", "purpose", "action"],
        [(one.asset, one.filename, one.effect, one.purpose, one.action) for one in found.lines],
    )
    if found.words > len(found.lines):
        say(f"and {found.words - len(found.lines)} more")
    table(
        ["purpose", "actions", "said until now", "then", "#assets"],
        [(t.purpose, _actions(t.actions), _code(t.before), _code(t.after), t.assets) for t in found.turns],
        empty="it changes nothing of what they said",
    )
    if found.unchanged and found.turns:
        say(f"{found.unchanged} assets stay as they are")
    clearances(found.clearances)
    taken_back(found.takes_back)
    for one in found.money:
        say(f"earned {micro(one.earned_micro, one.currency)}, which stays theirs")
    if found.takes_back:
        say("receipts that are booked are split by what was delivered and used: a no takes nothing from them")
    if found.opens_incident:
        say("it is valid from the past: it changes no past decision, and opens an incident")


def _actions(actions: tuple[str, ...]) -> str:
    return "all" if len(actions) == len(ACTIONS) else ", ".join(actions)


def _code(code: str) -> str:
    return code.replace("_", " ")
