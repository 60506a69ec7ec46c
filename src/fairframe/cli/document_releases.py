"""library release: model and property releases on file, one by one or by a table."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.asset import tell_labs
from fairframe.cli.shell import (
    AsJson,
    confirm,
    emit,
    fail,
    group,
    moment_ms,
    note,
    read_input,
    say,
    table,
    when,
    workspace,
)
from fairframe.core.territory import Territory
from fairframe.flows.whereabouts import Held, whereabouts
from fairframe.library import assets, release_list, release_table, releases
from fairframe.library.release_list import Listed
from fairframe.library.release_table import Plan
from fairframe.library.release_words import Kind, plain

app = group("Model and property releases on file.")

AssetName = Annotated[str, typer.Argument(metavar="ASSET", help="Id or filename.")]


@app.command()
def add(
    ctx: typer.Context,
    asset: AssetName,
    document: Annotated[Path, typer.Argument(metavar="DOCUMENT", help="The signed release: PDF, image or text.")],
    kind: Annotated[Kind, typer.Option(help="Whose release it is.")] = "model",
    ai_training: Annotated[bool, typer.Option("--ai-training", help="Its words cover training of models.")] = False,
    territory: Annotated[str, typer.Option(help='Where it holds: "world", or country codes such as US,CA.')] = "world",
    from_: Annotated[str, typer.Option("--from", metavar="DATE", help="When it begins; now unless said.")] = "",
    until: Annotated[
        str, typer.Option(metavar="DATE", help="The first moment at which it holds no more; never unless said.")
    ] = "",
    minor: Annotated[bool, typer.Option("--minor", help="The person is a minor.")] = False,
    guardian: Annotated[
        str, typer.Option(metavar="NAME", help="Who signed for the minor; kept as a salted commitment.")
    ] = "",
) -> None:
    """Put a model or property release on file for an asset.

    What it says is told by whoever puts it on file: nobody reads the document. Clearance asks that it covers training,
    holds in all of the agreement's territory and lasts until the agreement ends, and for a minor a guardian's
    signature. DATE is a time, or a date, which is its first moment (UTC).
    """
    data = read_input(document)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = releases.add(
            tx,
            assets.find(tx, asset),
            kind,
            data,
            ai_training,
            territory=Territory.parse(territory),
            from_ms=moment_ms(from_) if from_ else None,
            until_ms=moment_ms(until) if until else None,
            minor=minor,
            guardian=guardian,
        )
    say(f"{row['public_id']}: {kind} release on file" + ("" if ai_training else ", which does not cover training"))
    note(f"sha-256 {row['document_hash']}")
    if minor and not row["guardian"]:
        note("It is of a minor, and no guardian's signature is declared: the asset waits for a person.")


@app.command("list")
def list_releases(
    ctx: typer.Context,
    asset: Annotated[str | None, typer.Argument(metavar="ASSET", help="Only of this asset.")] = None,
    document: Annotated[str | None, typer.Option(metavar="SHA256", help="Only what rests on this document.")] = None,
    after: Annotated[str | None, typer.Option(help="Go on after this release's id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=release_list.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """The releases on file, and what became of them."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        of = None if asset is None else assets.find(tx, asset)
        found = release_list.listing(tx, asset_row=of, document=document, after=after, limit=limit)
    data = [_listed(one) for one in found]

    def render() -> None:
        table(
            ["release", "file", "kind", "training", "territory", "from", "until", "minor", "state", "sha-256"],
            [
                (
                    one["id"],
                    one["file"],
                    one["kind"],
                    "covered" if one["ai_training"] else "not covered",
                    one["territory"],
                    when(one["from_ms"]),
                    when(one["until_ms"]),
                    _minor(one),
                    one["state"] if one["revoked_ms"] is None else f"revoked {when(one['revoked_ms'])}",
                    one["document_hash"],
                )
                for one in data
            ],
            empty="no releases on file; put one there with: fairframe library release add",
        )
        if len(data) == limit:
            note(f"more: --after {data[-1]['id']}")

    emit(data, as_json, render)


@app.command()
def revoke(
    ctx: typer.Context,
    asset: AssetName,
    release_id: Annotated[str, typer.Argument(metavar="RELEASE", help="Its id; see: fairframe library release list.")],
) -> None:
    """End a release from now on. What was delivered on the strength of it is taken back by the next feed."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = assets.find(tx, asset)
        releases.revoke(tx, releases.find(tx, release_id), row)
        held = whereabouts(tx, row)
    say(f"{release_id} is ended")
    tell_labs(held)


@app.command("revoke-document")
def revoke_document(
    ctx: typer.Context,
    document: Annotated[str, typer.Argument(metavar="SHA256", help="The document that somebody took back.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End all releases that rest on one document."""
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            count = len(release_list.of_document(tx, document))
        confirm(f"End {count} releases that rest on this document?", yes)
        with ws.write() as tx:
            papers = release_list.of_document(tx, document)
            releases.revoke_many(tx, papers)
            held = [one for _, row in papers for one in whereabouts(tx, row)]
    say(f"{len(papers)} releases are ended")
    tell_labs(_together(held))


@app.command("import")
def import_table(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="CSV", help="A line for each asset and document.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put many releases on file, or none: shown before.

    All lines are taken in, or none is.

    Columns: asset (id or filename), document (a file beside the CSV), kind (model or property), ai_training (yes or
    no); where there are such, territory ("world", or codes parted by commas), from, until, minor (yes or no),
    guardian. One document may stand in many lines. What is on file already is left as it is.
    """
    with workspace(ctx, "library") as ws:
        with ws.read() as tx:
            planned = release_table.plan(tx, file)
        if not as_json:
            _preview(planned)
        if planned.problems:
            problems = [{"line": line, "code": e.code, "message": str(e)} for line, e in planned.problems]
            emit({"taken": 0, "problems": problems}, as_json, lambda: None)
            fail("input.bad_row", f"{len(problems)} lines cannot be taken in; none was")
            raise typer.Exit(1)
        confirm(f"Put {planned.new} releases on file?", yes)
        with ws.write() as tx:
            taken = release_table.take(tx, planned)
    data = {"taken": taken, "known": len(planned.papers) - taken, "problems": []}
    emit(data, as_json, lambda: say(f"{taken} releases on file, {data['known']} were there"))


def _preview(planned: Plan) -> None:
    counts = Counter((one.document, one.sha256, one.words.kind, _says(one.words)) for one in planned.papers)
    rows = [(name, kind, says, count, sha256) for (name, sha256, kind, says), count in sorted(counts.items())]
    if rows:
        table(["document", "kind", "says", "#assets", "sha-256"], rows)
    if planned.problems:
        table(["code", "why and what to do"], [(error.code, str(error)) for _, error in planned.problems])


def _says(words: Any) -> str:
    parts = ["training" if words.ai_training else "no training", str(words.territory)]
    parts += [f"until {when(words.until_ms)}"] if words.until_ms is not None else []
    parts += ["minor, a guardian signed" if words.guardian else "minor, no guardian"] if words.minor else []
    return ", ".join(parts)


def _listed(one: Listed) -> dict[str, Any]:
    row = one.row
    return {
        "id": row["public_id"],
        "asset": row["asset"],
        "file": row["filename"],
        "kind": row["kind"],
        "ai_training": bool(row["ai_training"]),
        "territory": plain(row, "territory"),
        "from_ms": row["valid_from_ms"],
        "until_ms": row["valid_until_ms"],
        "minor": bool(row["minor"]),
        "guardian_signed": bool(row["guardian"]),
        "document_hash": row["document_hash"],
        "revoked_ms": one.revoked_ms,
        "state": one.state,
    }


def _minor(one: dict[str, Any]) -> str:
    if not one["minor"]:
        return "no"
    return "yes, a guardian signed" if one["guardian_signed"] else "yes, no guardian"


def _together(held: list[Held]) -> list[Held]:
    """One line for each delivery."""
    found: dict[tuple[str, str], Held] = {}
    for one in held:
        before = found.get((one.name, one.lab))
        clips = one.clips + (0 if before is None else before.clips)
        found[one.name, one.lab] = replace(one, clips=clips)
    return list(found.values())
