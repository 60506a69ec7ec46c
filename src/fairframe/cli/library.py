"""library: footage in, looked through, with its releases; curate."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.shell import (
    AsJson,
    emit,
    group,
    note,
    progress,
    read_input,
    say,
    span,
    table,
    when,
    workspace,
)
from fairframe.flows.ingest import ingest as run_ingest
from fairframe.library import assets, contributors, releases, search
from fairframe.library.search import Page
from fairframe.library.show import Shown
from fairframe.library.show import show as show_asset

app = group("Footage: ingest, list, search, document releases.")
release = group("Model and property releases on file.")
app.add_typer(release, name="release")


def register(root: typer.Typer) -> None:
    root.command()(curate)


@app.command()
def ingest(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="A file or a folder.")],
    metadata: Annotated[Path | None, typer.Option(help="CSV: filename, contributor, title, people, ...")] = None,
    contributor: Annotated[str | None, typer.Option(help="Whose footage it is, where the CSV does not say.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take footage in. What cannot be used is refused with a reason, and the rest goes on."""
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
    after: Annotated[str | None, typer.Option(help="Go on after this asset id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=search.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """Assets in the order of ingest."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        who = None if contributor is None else contributors.find(tx, contributor)
        page = search.listing(tx, contributor_row=who, after=after, limit=limit)
    _page(page, as_json)


@app.command("search")
def search_assets(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="Words that must all occur.")],
    after: Annotated[str | None, typer.Option(help="Go on after this asset id.")] = None,
    limit: Annotated[int, typer.Option(help="Rows in a page.", min=1, max=search.MAX_LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """Search titles, descriptions, keywords, filenames and contributors."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        page = search.search(tx, text, after=after, limit=limit)
    _page(page, as_json)


@app.command()
def show(
    ctx: typer.Context, asset: Annotated[str, typer.Argument(help="Id or filename.")], as_json: AsJson = False
) -> None:
    """Everything known about one asset, with its history."""
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = show_asset(tx, asset)
    emit(_asset_json(found), as_json, lambda: _render_asset(found))


@release.command("add")
def release_add(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument(help="Id or filename.")],
    document: Annotated[Path, typer.Argument(help="The signed release: PDF, image or text.")],
    kind: Annotated[str, typer.Option(help="model or property.")] = "model",
    ai_training: Annotated[bool, typer.Option("--ai-training", help="Its words cover training of models.")] = False,
) -> None:
    """Put a model or property release on file for an asset."""
    data = read_input(document)
    with workspace(ctx, "library") as ws, ws.write() as tx:
        row = releases.add(tx, assets.find(tx, asset), kind, data, ai_training)
    say(f"{row['public_id']}: {kind} release on file" + ("" if ai_training else ", which does not cover training"))


@release.command("revoke")
def release_revoke(
    ctx: typer.Context,
    asset: Annotated[str, typer.Argument()],
    release_id: Annotated[str, typer.Argument(metavar="RELEASE")],
) -> None:
    """End a release from now on."""
    with workspace(ctx, "library") as ws, ws.write() as tx:
        releases.revoke(tx, releases.find(tx, release_id), assets.find(tx, asset))
    say(f"{release_id} is ended")


def curate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure every frame once; find shots and near-duplicates from the measures."""
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


def _asset_json(found: Shown) -> dict[str, Any]:
    keep = [c for c in found.asset if c not in ("id", "contributor_id")]
    return {
        **{name: found.asset[name] for name in keep},
        "contributor": {"id": found.contributor["public_id"], "name": found.contributor["name"]},
        "owners": [{"contributor": who, "share": share} for who, share in found.owners],
        "facts": found.facts,
        "history": [vars(one) for one in found.history],
        "signals": [{k: s[k] for k in ("public_id", "kind", "key", "value", "trust")} for s in found.signals],
        "releases": [
            {
                "id": r["public_id"],
                "kind": r["kind"],
                "ai_training": r["ai_training"],
                "document_hash": r["document_hash"],
                "in_force": r["public_id"] in found.releases_in_force,
            }
            for r in found.releases
        ],
    }


def _render_asset(found: Shown) -> None:
    row = found.asset
    say(f"{row['title'] or row['filename']}  ({row['public_id']})", "bold")
    rate = row["fps_num"] / row["fps_den"]
    lines = [
        ("contributor", f"{found.contributor['name']} ({found.contributor['public_id']})"),
        ("file", row["filename"]),
        ("description", row["description"]),
        ("keywords", ", ".join(row["keywords"])),
        (
            "picture",
            f"{row['codec']} {row['width']}x{row['height']}, {rate:.3g} fps{', variable' if row['vfr'] else ''}",
        ),
        ("length", f"{span(row['duration_ms'])}, {row['frames']} frames, {row['bit_depth']} bit"),
        ("owners", ", ".join(f"{who} {share}" for who, share in found.owners)),
        ("sha-256", row["content_hash"]),
        *((name.replace("_", " "), value) for name, value in found.facts.items()),
        *(("signal", f"{s['key']} = {s['value']} ({s['trust']})") for s in found.signals),
        *(
            ("release", f"{r['kind']} {r['public_id']}, training {'covered' if r['ai_training'] else 'not covered'}")
            for r in found.releases
        ),
        ("taken in", when(row["recorded_at_ms"])),
    ]
    table(["", ""], lines)
