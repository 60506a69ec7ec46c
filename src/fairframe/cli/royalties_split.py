"""royalties scores, royalties compare: by what pools are split."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    group,
    micro,
    money,
    note,
    say,
    table,
    when,
    workspace,
    write_output,
)
from fairframe.cli.since import Since, since_ms
from fairframe.core.ids import is_id
from fairframe.core.money import MICRO, Currency, format_micro, parse_money
from fairframe.flows import compare_chart
from fairframe.platform.objects import PRIVATE
from fairframe.royalties import compare as comparison
from fairframe.royalties import facts, scores, scores_file
from fairframe.royalties.deal_terms import find_agreement, share_of
from fairframe.royalties.tables import score_set

app = group("By what pools are split.")


@app.command("scores")
def take_scores(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="CSV: asset, score; without it: what was taken in.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who hands them in; stays in the library.")] = "",
    since: Since = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in scores: whole numbers per clip, from outside.

    An agreement that splits by scores divides each receipt by the newest set that holds at its time. A line names an
    asset by id, filename or delivered pseudonym; one that cannot be used stops the whole.
    """
    if file is None:
        _list(ctx, agreement, as_json)
        return
    given = scores_file.read(file)
    at = since_ms(since)
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            found = scores_file.resolve(tx, find_agreement(tx, agreement), given)
        counts = {"assets": len(found.scores), "total": str(found.total), "file_sha256": given.sha256}
        counts |= {"delivered": found.delivered, "unscored": found.unscored, "not_delivered": found.waiting}
        if not as_json:
            say(f"{len(found.scores)} assets with {found.total} points; the file's SHA-256 is {given.sha256}")
            say(f"of {found.delivered} delivered assets {found.unscored} have no score: they would weigh nothing")
            if found.waiting:
                say(f"{found.waiting} scored assets are not delivered under it, and weigh nothing until they are")
        if dry_run:
            emit(counts, as_json, lambda: note("nothing was written"))
            return
        confirm("Take them in?", yes)
        with ws.write() as tx:
            found = scores_file.resolve(tx, find_agreement(tx, agreement), given)
            done = scores.add(tx, agreement, found.scores, given.sha256, by, at)
    data = {"scores": done["public_id"], **counts, "valid_from_ms": done["valid_from_ms"]}
    emit(data, as_json, lambda: say(f"{done['public_id']}: holds from {when(done['valid_from_ms'])}"))


def _list(ctx: typer.Context, agreement: str, as_json: bool) -> None:
    with workspace(ctx, "library") as ws, ws.read() as tx:
        rows = scores.listing(tx, facts.chain(tx, find_agreement(tx, agreement)))
    keep = [one.name for one in score_set.c if one.name != "id"]
    lines = [
        (row["public_id"], row["assets"], row["total"], row["imported_by"], when(row["valid_from_ms"]),
         when(row["recorded_at_ms"]), row["file_sha256"])
        for row in rows
    ]  # fmt: skip
    columns = ["scores", "#assets", "#points", "by", "hold from", "taken in", "file's SHA-256"]
    emit(
        [{name: row[name] for name in keep} for row in rows],
        as_json,
        lambda: table(columns, lines, empty="no scores were taken in"),
    )


@app.command()
def compare(
    ctx: typer.Context,
    of: Annotated[str, typer.Argument(metavar="AGREEMENT|MODEL", help="An agreement's id; a reported model.")],
    amount: Annotated[str, typer.Option(help="Receipts to share, a decimal; default: the agreement's fee.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="A plot, as SVG.")] = None,
    as_json: AsJson = False,
) -> None:
    """The same pool under each split method, side by side.

    Nothing is written. What holds for an agreement is its own split; for a model, its lineage.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        model, deal = (None, find_agreement(tx, of)) if is_id(of, "agr") else comparison.find_model(tx, of)
        code = str(deal["currency"])
        whole = parse_money(amount, code).minor if amount else int(deal["fee_minor"])
        pool = share_of(deal).of(whole * MICRO)
        found = comparison.of_agreement(tx, deal, pool) if model is None else comparison.of_model(tx, deal, model, pool)
    if output is not None:
        check_writable(output)
        title = f"{deal['offer']} license {deal['public_id']}" if model is None else str(model["name"])
        write_output(output, compare_chart.chart(found, code, title).encode(), PRIVATE)

    def render() -> None:
        say(f"{share_of(deal)} of {money(whole, code)}: a pool of {micro(pool, code)}", "bold")
        used = [place for place, one in enumerate(found.columns) if not one.empty]
        heads = ["#" + found.columns[place].method + ("*" if found.columns[place].holds else "") for place in used]
        lines = [
            (line.name, *(format_micro(line.amounts[place], Currency(code)) for place in used)) for line in found.lines
        ]
        table(["contributor", *heads], lines, empty="nobody has a weight yet")
        for one in found.columns:
            if one.empty:
                note(f"{one.method}: {one.empty}")
        note("* is agreed; nothing was written")

    emit(found.to_json() | {"currency": code}, as_json, render)
