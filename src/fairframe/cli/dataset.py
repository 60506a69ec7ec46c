"""dataset: releases and deliveries of a library, received deliveries of a lab."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from fairframe.cli.consent import labs_of, render_impact
from fairframe.cli.shell import AsJson, OutFile, emit, group, note, progress, say, span, table, when, workspace
from fairframe.curation.filters import Filters
from fairframe.dataset import deliveries, listing, receive, releases
from fairframe.dataset.funnel import Funnel, Gate
from fairframe.flows.impact import impact as impact_of
from fairframe.library import contributors

app = group("Releases, deliveries, what an opt-out touches.")


@app.command()
def build(
    ctx: typer.Context,
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its id.")],
    name: Annotated[str, typer.Option(help="The release's name.")],
    min_short_side: Annotated[int, typer.Option(help="Pixels of the shorter side.")] = 0,
    min_frames: Annotated[int, typer.Option(help="Frames in a clip.")] = 17,
    min_ms: Annotated[int, typer.Option(help="Milliseconds in a clip.")] = 0,
    max_black: Annotated[int, typer.Option(help="Black frames, of 1000.")] = 500,
    max_frozen: Annotated[int, typer.Option(help="Frozen frames, of 1000.")] = 900,
    min_motion: Annotated[int, typer.Option(help="Motion, in 1/1000.")] = 0,
    min_sharpness: Annotated[int, typer.Option(help="Sharpness, in 1/1000.")] = 0,
    include: Annotated[list[str] | None, typer.Option(help="A keyword of which one must be there (repeat).")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A keyword that must not be there (repeat).")] = None,
    one_per_group: Annotated[bool, typer.Option(help="Keep one clip of those that look alike.")] = True,
    max_contributor: Annotated[int, typer.Option(help="Most that one contributor may hold, of 1000.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Build an immutable release from what clears today."""
    with options_of_filters():
        filters = Filters(
            min_short_side=min_short_side,
            min_frames=min_frames,
            min_ms=min_ms,
            max_black_milli=max_black,
            max_frozen_milli=max_frozen,
            min_motion_milli=min_motion,
            min_sharpness_milli=min_sharpness,
            include=tuple(include or ()),
            exclude=tuple(exclude or ()),
            one_per_group=one_per_group,
            max_contributor_milli=max_contributor,
        )
    with workspace(ctx, "library") as ws, progress("build") as show:
        built = releases.build(ws, agreement, name, filters, show)

    def render() -> None:
        whose = f"{built.items} clips of {built.contributors} contributors"
        say(f"{built.name} ({built.id}): {whose}, {span(built.duration_ms)}")
        for line in built.funnel.lines():
            say(f"  {line}", "dim")

    emit({**vars(built), "funnel": built.funnel.to_json()}, as_json, render)


@contextmanager
def options_of_filters() -> Generator[None]:
    """A filter out of range is a usage mistake: it names the option and its limit."""
    try:
        yield
    except ValidationError as error:
        found = error.errors()[0]
        option = "--" + str(found["loc"][0]).removesuffix("_milli").replace("_", "-")
        raise typer.BadParameter(found["msg"], param_hint=option) from error


@app.command()
def deliver(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The release's name.")],
    output: OutFile,
) -> None:
    """Write a signed delivery to a new folder.

    Its first lease and feed are in it, and the agreement.
    """
    with workspace(ctx, "library") as ws, progress("deliver") as show:
        done = deliveries.deliver(ws, name, output, show)
    say(f"{done.id}: {done.items} clips, {done.size_bytes / 1e6:.1f} MB, in {done.path}")
    note(f"lease until {when(done.lease_ends_ms)}")


@app.command("receive")
def receive_delivery(ctx: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Check a delivery and take it in (lab)."""
    with workspace(ctx, "lab") as ws, progress("receive") as show:
        done = receive.receive(ws, folder, show)
    say(f"{done.name} ({done.id}): {done.items} clips, {span(done.duration_ms)}" + ("" if done.new else ", known"))
    if done.revoked:
        note(f"{done.revoked} clips were taken back and are not stored")


@app.command("list")
def list_datasets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Releases (library) or received deliveries (lab)."""
    with workspace(ctx) as ws, ws.read() as tx:
        found = listing.listing(tx)
    emit(
        [vars(one) for one in found],
        as_json,
        lambda: table(
            ["name", "id", "state", "#clips", "#taken back", "#length", "made", "agreement"],
            [
                (d.name, d.id, d.state, d.items, d.revoked, span(d.duration_ms), when(d.recorded_at_ms), d.agreement)
                for d in found
            ],
            empty="no datasets yet",
        ),
    )


@app.command()
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME")], as_json: AsJson = False) -> None:
    """Everything about one release or received delivery."""
    with workspace(ctx) as ws, ws.read() as tx:
        found = listing.show(tx, name)

    def render() -> None:
        table(["", ""], list(_rows(found)))

    emit(found, as_json, render)


@app.command()
def impact(
    ctx: typer.Context,
    contributor: Annotated[str, typer.Argument(metavar="CONTRIBUTOR", help="Name or id.")],
    as_json: AsJson = False,
) -> None:
    """Where a contributor's work went, and what it earned.

    Deliveries, checkpoints with the frames that they saw, money.
    """
    with workspace(ctx, "library") as ws, ws.read() as tx:
        found = impact_of(tx, contributors.find(tx, contributor))
        labs = labs_of(tx, found)
    emit(found.to_json(), as_json, lambda: render_impact(found, labs))


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A name and a value for each line; what is nested has lines of its own."""
    for key, value in found.items():
        name = key.replace("_", " ")
        nested = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        if name == "funnel" and nested:
            yield from ((name, line) for line in Funnel(tuple(Gate.from_json(one) for one in nested)).lines())
        elif isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
            yield from ((inner.replace("_", " "), _short(one)) for inner, one in value.items())
        elif nested and len(nested) == len(value) <= 4:
            yield from ((name, _short(one)) for one in nested)
        else:
            yield name, _short(value)


def _short(value: Any) -> str:
    match value:
        case list():
            return f"{len(value)} entries" if len(value) > 4 else ", ".join(_short(one) for one in value) or "-"
        case dict():
            return ", ".join(f"{k.replace('_', ' ')} {_short(v)}" for k, v in value.items())
        case bool():
            return "yes" if value else "no"
        case None:
            return "-"
        case _:
            return str(value)
