"""train, evaluate: a delivery in, a checkpoint with signed lineage out; how good it is."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.model_list import Tenant
from fairframe.cli.shell import AsJson, emit, note, progress, say, table, workspace
from fairframe.rights.vocabulary import Purpose


def train(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Option(help="A received delivery.")],
    name: Annotated[str, typer.Option(help="The checkpoint's name.")],
    preset: Annotated[str, typer.Option(help="A shipped preset, or a TOML file.")] = "tiny",
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Without the house base.")] = False,
    base: Annotated[
        str | None, typer.Option("--from", metavar="CHECKPOINT", help="Go on from an own checkpoint instead.")
    ] = None,
    ancestor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=MODEL",
            help="Another model that had a part in it: adapter, encoder, teacher, captioner. May be repeated.",
        ),
    ] = None,
    purpose: Annotated[
        Purpose | None, typer.Option(help="What it is trained for; default: what the delivery is licensed for.")
    ] = None,
    tenant: Tenant = None,
    seed: Annotated[int, typer.Option(help="The same seed trains the same checkpoint.")] = 0,
) -> None:
    """Fine-tune the house base, or an own checkpoint, on a delivery.

    Stopped and called again, it goes on where it was.
    """
    from fairframe.training.session import train as run_train

    with workspace(ctx, "lab") as ws, progress("train") as show:
        done = run_train(
            ws,
            dataset,
            preset,
            name,
            from_scratch=from_scratch,
            base=base,
            declared=[_pair(one) for one in ancestor or ()],
            purpose=purpose,
            tenant=tenant,
            seed=seed,
            show=show,
        )
    say(f"{done.name} ({done.checkpoint}) in {done.folder}")
    say(
        f"consumed {done.frames} frames of {done.items} clips ({done.windows} training windows)"
        f" and {done.house_frames} house frames"
    )
    if done.stopped:
        note("stopped before its last step")


def _pair(text: str) -> tuple[str, str]:
    role, _, model = text.partition("=")
    return role.strip(), model.strip()


def evaluate(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Name or id.")],
    film: Annotated[
        list[Path] | None, typer.Option(help="Score this film of the checkpoint instead; may be given several times.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a checkpoint on the held-out clips of its delivery.

    Beside it stand the base and plain baselines.

    With --film: measures of films that it made, each beside the range of the held-out clips.
    """
    if film:
        _films(ctx, model, film, as_json)
        return
    from fairframe.training.scoring import score

    with workspace(ctx, "lab") as ws, progress("evaluate") as show:
        found = score(ws, model, show)
    emit(found.to_json(), as_json, lambda: table(["measure", "#this", "against", "#value", "verdict"], found.rows()))


def _films(ctx: typer.Context, model: str, films: list[Path], as_json: bool) -> None:
    from fairframe.flows.report_films import film_rows
    from fairframe.generation.film_score import score_films

    with workspace(ctx, "lab") as ws, progress("evaluate") as show:
        scored = [(path, one.to_json()) for path, one in zip(films, score_films(ws, model, films, show), strict=True)]

    def render() -> None:
        for path, one in scored:
            title = f"{path.name}: {one['frames']} frames of the model's own, beside {one['real_clips']} held-out clips"
            table(["measure", "#this", "#real clips", "verdict"], film_rows(one), title=title)
            say(f"nearest of {one['training_clips']} training clips: {one['nearest'] or 'none'}")

    emit({"films": [{"file": str(path), **one} for path, one in scored]}, as_json, render)
