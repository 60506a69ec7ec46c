"""library: footage in, looked through, with its releases; curate."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli import asset as one_asset
from fairframe.cli import document_releases, owners
from fairframe.cli.shell import (
    AsJson,
    AsOf,
    KnownAt,
    emit,
    group,
    moments_ms,
    note,
    progress,
    say,
    span,
    table,
    workspace,
)
from fairframe.flows.ingest import ingest as run_ingest
from fairframe.flows.lookup import find_asset
from fairframe.library import collections, contributors, search
from fairframe.library.search import Page
from fairframe.library.show import show as show_asset

app = group("Footage: ingest, list, search, document releases.")
app.add_typer(document_releases.app, name="release")
app.add_typer(owners.app, name="owners")


@app.command()
def ingest(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or a folder.")],
    metadata: Annotated[
        Path | None, typer.Option(help="CSV with a line for each file; its columns are told above.")
    ] = None,
    contributor: Annotated[str | None, typer.Option(help="Whose footage it is, where the CSV does not say.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take footage in.

    What cannot be used is refused with a reason, and the rest goes on (exit code 1 then). Run again, it takes in what
    is new, and what the CSV says anew of facts and collections.

    Columns of the CSV: filename, contributor, people, model_release, property_release, editorial; where there are
    such, title, description, keywords, source, source_license, and collection (names parted by ";", each of which can
    have a consent of its own). Other columns are kept as they are.

    Files beside FILE.mp4 that speak about its use are read too: FILE.mp4.xmp, FILE.mp4.tdmrep.json,
    FILE.mp4.content-usage; see docs/signals.md.
    """
    with workspace(ctx, "library") as ws, progress("ingest") as show:
        report = run_ingest(ws, path, metadata=metadata, contributor=contributor, show=show)
    data = {
        "accepted": report.accepted,
        "known": report.known,
        "changed": report.changed,
        "held": report.held,
        "refused": [{"file": r.filename, "code": r.code, "message": r.message} for r in report.refused],
        "ignored": [{"file": name, "why": why} for name, why in report.ignored],
    }

    def render() -> None:
        parts = [f"{report.accepted} taken in ({span(report.duration_ms)})", f"{report.known} known"]
        parts += [f"{report.changed} with new facts"] if report.changed else []
        parts += [f"{report.held} on hold"] if report.held else []
        parts += [f"{len(report.refused)} refused"]
        say(", ".join(parts))
        for name, why in report.ignored:
            note(f"ignored {name}: {why}")
        for text in report.notes:
            note(text)
        if report.refused:
            rows = [(r.filename, r.code, r.message) for r in report.refused]
            table(["refused", "code", "why and what to do"], rows)

    emit(data, as_json, render)
    if report.refused:
        raise typer.Exit(1)


@app.command("list")
def list_assets(
    ctx: typer.Context,
    contributor: Annotated[str | None, typer.Option(help="Only of this contributor (name or id).")] = None,
    collection: Annotated[str | None, typer.Option(help="Only in this collection (name or id).")] = None,
    after: Annotated[str | None, typer.Option(help="Go on after this asset id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=search.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """Assets in the order of ingest."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        who = None if contributor is None else contributors.find(tx, contributor)
        within = None if collection is None else collections.find(tx, collection, who)
        page = search.listing(tx, contributor_row=who, collection_row=within, after=after, limit=limit)
    _page(page, as_json)


@app.command("collections")
def list_collections(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Contributors' collections and how much is in each.

    The metadata's column collection makes them; a consent can speak for one: rights consent --collection.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        rows = collections.listing(tx)
    data = [
        {"id": r["public_id"], "name": r["name"], "contributor": r["contributor_name"], "assets": r["assets"]}
        for r in rows
    ]
    emit(
        data,
        as_json,
        lambda: table(
            ["collection", "id", "contributor", "#assets"],
            [(r["name"], r["id"], r["contributor"], r["assets"]) for r in data],
            empty="no collections; the metadata's column collection makes them",
        ),
    )


@app.command("search")
def search_assets(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words that must all occur.")],
    after: Annotated[str | None, typer.Option(help="Go on after this asset id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=search.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """Assets by the words that are said of them.

    Titles, descriptions, keywords, filenames and contributors are searched.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        page = search.search(tx, text, after=after, limit=limit)
    _page(page, as_json)


@app.command()
def show(
    ctx: typer.Context,
    asset: Annotated[
        str,
        typer.Argument(metavar="ASSET", help="Id or filename; or an item (itm_) or pseudonym (psn_) of a delivery."),
    ],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
) -> None:
    """Everything known about one asset, with its history.

    With --as-of what was true on another day; with --known-at what was known of it then.
    """
    at_ms, known_ms = moments_ms(as_of, known_at)
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = show_asset(tx, find_asset(tx, asset)["public_id"], at_ms=at_ms, known_at_ms=known_ms)
    emit(one_asset.to_json(found), as_json, lambda: one_asset.render(found))


def curate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure every frame; find shots and near-duplicates.

    An asset is measured once; a newer rule decides anew from the measures.
    """
    from fairframe.curation.curate import curate as run_curate

    with workspace(ctx, "library") as ws, progress("curate") as show:
        report = run_curate(ws, show)

    def render() -> None:
        again = f", {report.redecided} decided anew" if report.redecided else ""
        say(f"{report.measured} assets measured{again}, {report.shots} shots")
        say(f"{report.groups} groups of near-duplicates with {report.grouped} shots")
        if report.refused:
            table(["not measured", "code", "why"], [(one.filename, one.code, one.message) for one in report.refused])

    emit(asdict(report), as_json, render)
    if report.refused:
        raise typer.Exit(1)


def _page(page: Page, as_json: bool) -> None:
    rows = [
        {
            "id": r["public_id"],
            "file": r["filename"],
            "contributor": r["contributor_name"],
            "title": r["title"],
            "duration_ms": r["duration_ms"],
            "width": r["width"],
            "height": r["height"],
            "codec": r["codec"],
        }
        for r in page.rows
    ]

    def render() -> None:
        table(
            ["asset", "file", "contributor", "title", "#length", "#size", "codec"],
            [
                (
                    r["id"],
                    r["file"],
                    r["contributor"],
                    r["title"],
                    span(r["duration_ms"]),
                    f"{r['width']}x{r['height']}",
                    r["codec"],
                )
                for r in rows
            ],
            empty="no assets; take some in with: fairframe library ingest PATH",
        )
        if page.next:
            note(f"more: --after {page.next}")

    emit({"assets": rows, "next": page.next}, as_json, render)
