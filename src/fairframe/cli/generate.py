"""generate: a film from a prompt, an image or a video, with its credentials."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.model_list import Tenant
from fairframe.cli.shell import OutFile, note, progress, say, workspace
from fairframe.rights.vocabulary import Purpose


def generate(
    ctx: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is to be seen.")],
    model: Annotated[str, typer.Option(help="Checkpoint, name or id.")],
    seconds: Annotated[float, typer.Option(help="Length.")],
    output: OutFile,
    image: Annotated[Path | None, typer.Option(help="The first frame.")] = None,
    extend: Annotated[Path | None, typer.Option(help="A video to go on from.")] = None,
    purpose: Annotated[Purpose, typer.Option(help="What the film is for.")] = "research",
    tenant: Tenant = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same film.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; default: the model's own.")] = None,
    guidance: Annotated[
        float | None,
        typer.Option(help="How closely to follow the prompt, 1 (as it comes) to 20; default: the model's own."),
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the film in pixels (upscaled from the model's).")] = 256,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file.")] = False,
) -> None:
    """Make a film. It carries C2PA credentials and a sidecar with its whole chain."""
    from fairframe.generation.generate import generate as run_generate

    with workspace(ctx, "lab") as ws, progress("generate") as show:
        done = run_generate(
            ws,
            prompt,
            model=model,
            image=image,
            extend=extend,
            seconds=seconds,
            purpose=purpose,
            tenant=tenant,
            out=output,
            seed=seed,
            steps=steps,
            guidance=guidance,
            size=size,
            overwrite=overwrite,
            show=show,
        )
    say(f"{done.output}: {done.frames} frames in {output}")
    note("check it: fairframe verify " + str(output))
