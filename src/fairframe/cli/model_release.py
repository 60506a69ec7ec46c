"""model release, model figures: weights and the documents about them, and whether their figures still stand."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairframe.cli.outputs import check_writable
from fairframe.cli.shell import AsJson, confirm, emit, group, note, progress, say, table, when, workspace
from fairframe.flows import model_release
from fairframe.flows.disclosures.figure import Value
from fairframe.flows.disclosures.papers import recheck
from fairframe.flows.disclosures.registry import DOCUMENTS
from fairframe.flows.disclosures.subject import Subject
from fairframe.flows.model_release import Preview

app = group("Releases.")
_WHAT = {one.file: one.what for one in DOCUMENTS}


@app.command()
def release(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Name or id.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new folder for it. Without it: a preview, nothing written.")
    ] = None,
    documents_only: Annotated[
        bool, typer.Option("--documents-only", help="Drafts for counsel, without weights; permitted or not.")
    ] = False,
    reviewed: Annotated[
        Path | None, typer.Option(help="A folder of drafts as counsel left them: they are published as they are.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the weights are released.")] = False,
    as_json: AsJson = False,
) -> None:
    """Release weights with their documents (lab). It cannot be undone.

    The agreements of all ancestors have to permit it. With the weights go a model card, a license, a draft EU
    Art. 53(1)(d) summary, a California AB 2013 disclosure, the signed lineage and figures.json. Exit code 1 where it
    is not permitted.
    """
    with workspace(ctx, "lab") as ws:
        if output is not None:
            model_release.refuse_taken(output)
            check_writable(output)
        if output is not None and documents_only:
            with ws.read() as tx:
                found = model_release.write_drafts(tx, model, output)
            emit(_as_json(found), as_json, lambda: _render(found))
            note(f"wrote drafts for counsel to {output}: no weights, and nothing is signed or recorded")
            return
        with ws.read() as tx:
            found = model_release.preview(tx, model)
        if output is None:
            emit(_as_json(found), as_json, lambda: _render(found))
            if found.subject.purpose is None:
                raise typer.Exit(1)
            return
        if found.subject.purpose is not None and not yes:
            _render(found)
            confirm(f"Release the weights of {found.subject.name} for good?", yes)
        with progress("release") as show:
            done = model_release.release(ws, model, output, reviewed=reviewed, show=show)
    emit(
        vars(done), as_json, lambda: say(f"released {done.name} in {done.folder}: {done.files} files, {done.document}")
    )
    for warning in found.warnings[:2]:
        note(warning)


@app.command()
def figures(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A release, or a folder of drafts.")],
    as_json: AsJson = False,
) -> None:
    """Ask the queries of a release again (lab).

    Each as of the moment at which its figure was read. Exit code 1 where an answer differs.
    """
    with workspace(ctx, "lab") as ws, ws.read() as tx:
        found = recheck(tx, folder)
    emit(
        [vars(one) for one in found],
        as_json,
        lambda: table(
            ["figure", "written", "the workspace answers"],
            [
                (one.name, _short(one.written), "no such figure" if one.now is None else _short(one.now))
                for one in found
            ],
            empty="every figure is as the workspace answers",
        ),
    )
    if found:
        raise typer.Exit(1)


def _render(found: Preview) -> None:
    subject = found.subject
    table(
        ["", ""],
        [
            ("model", f"{subject.name} ({subject.checkpoint})"),
            ("release", f"permitted for {subject.purpose}" if subject.purpose else "not permitted"),
            ("license", subject.license.title if subject.license else "none can be granted"),
            ("where", subject.conditions.territory if subject.purpose else None),
            ("until", when(subject.conditions.ends_ms) if subject.purpose else None),
            ("weights", f"{len(found.weights)} files, {sum(found.weights.values()):,} bytes"),
        ],
    )
    table(["agreement", "covers", "purpose", "ends", "remedy"], _bounds(subject), empty="no agreement bounds it")
    table(
        ["document", "what it is", "#bytes"],
        [
            (name, _WHAT.get(name, "every figure with its query"), f"{len(data):,}")
            for name, data in found.documents.items()
        ],
    )
    for reason in subject.reasons:
        say(f"refused: {reason}")
    for warning in found.warnings:
        say(f"warning: {warning}")


def _bounds(subject: Subject) -> list[tuple[str, ...]]:
    return [(one.agreement, one.checkpoint, one.purpose, when(one.ends_ms), one.remedy) for one in subject.bounds]


def _as_json(found: Preview) -> dict[str, Any]:
    subject = found.subject
    return {
        "checkpoint": subject.checkpoint,
        "name": subject.name,
        "permitted": subject.purpose is not None,
        "purpose": subject.purpose,
        "reasons": list(subject.reasons),
        "license": None if subject.license is None else subject.license.id,
        "licenses": [{"id": c.license.id, "can": c.can, "against": list(c.against)} for c in subject.choices],
        "territory": str(subject.conditions.territory),
        "ends_ms": subject.conditions.ends_ms,
        "under": [vars(one) for one in subject.bounds],
        "weights": found.weights,
        "documents": {name: len(data) for name, data in found.documents.items()},
        "figures": {name: one.value for name, one in subject.figures.items()},
        "warnings": list(found.warnings),
    }


def _short(value: Value) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
