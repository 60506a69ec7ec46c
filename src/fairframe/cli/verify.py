"""verify: does it hold? Exit code 0 only when all holds."""

from pathlib import Path
from typing import Annotated

import typer

from fairframe.cli.shell import AsJson, emit, note, read_input, stdout, when, workspace
from fairframe.core.errors import InputError, NotFound
from fairframe.core.party import Party
from fairframe.core.plain import plain
from fairframe.core.time import now_ms
from fairframe.flows.newer_feed import with_newer_feed
from fairframe.flows.verify import trust_of, verify_audit, with_credentials, with_held_heads
from fairframe.flows.withdrawn import with_withdrawn
from fairframe.platform import trust as trusted
from fairframe.platform.workspace import Workspace
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify as verify_target

MARKS = {True: ("holds   ", "green"), False: ("FAILS   ", "bold red"), None: ("unseen  ", "yellow")}


def verify(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(help="A film, model, delivery, agreement, statement, ... or the word audit.")
    ],
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", help="A party.json to believe, beside the pinned ones (repeat).")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="audit, log proof: a document that was kept, with an older head (repeat)."),
    ] = None,
    agreement: Annotated[
        list[Path] | None,
        typer.Option("--agreement", help="statement: a countersigned agreement to compare it with (repeat)."),
    ] = None,
    statement: Annotated[
        list[Path] | None,
        typer.Option("--statement", help="statement: another one of the same contributor, to join with (repeat)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a film, model, delivery, document or the audit tree."""
    kept = [read_input(path) for path in against or []]
    if target == "audit":
        for name, files in (("agreement", agreement), ("statement", statement)):
            if files:
                raise InputError(
                    "this is the audit tree", code=f"verify.{name}", remedy=f"--{name} goes with a statement"
                )
        with workspace(ctx) as ws:
            report = verify_audit(ws, kept)
    else:
        given = [Party.from_envelope(read_input(path)) for path in trust or []]
        beside = [[read_input(path) for path in files or []] for files in (agreement, statement)]
        report = _target(ctx, Path(target), given, kept, *beside)
    emit(
        {
            "kind": report.kind,
            "holds": report.holds,
            "findings": [vars(one) for one in report.findings],
            "cannot_show": list(report.cannot_show),
        },
        as_json,
        lambda: render(report),
    )
    if not report.holds:
        raise typer.Exit(1)


def _target(
    ctx: typer.Context,
    path: Path,
    given: list[Party],
    against: list[bytes],
    agreements: list[bytes],
    statements: list[bytes],
) -> Report:
    try:
        with workspace(ctx) as ws:
            return _check(ws, path, given, against, agreements, statements)
    except NotFound as error:
        if error.code != "workspace.missing":
            raise
    return _check(None, path, given, against, agreements, statements)


def _check(
    ws: Workspace | None,
    path: Path,
    given: list[Party],
    against: list[bytes],
    agreements: list[bytes],
    statements: list[bytes],
) -> Report:
    report = verify_target(path, trust_of(ws, given), now_ms(), agreements, against, statements)
    if ws is not None and not report.holds:
        _tell_unpinned(ws)
    if ws is not None:
        report = with_held_heads(report, path, ws)
    report = with_withdrawn(with_newer_feed(report, path, ws), path, ws)
    return with_credentials(report, path, ws, given)


def _tell_unpinned(ws: Workspace) -> None:
    """A signature of a party that is no longer believed looks like a stranger's."""
    with ws.read() as tx:
        for public_id, since in trusted.unpinned(tx).items():
            note(f"{trusted.find(tx, public_id)['name']} ({public_id}) is no longer trusted here, since {when(since)}")


def render(report: Report) -> None:
    from rich.text import Text

    for one in report.findings:
        mark = MARKS[one.ok]
        stdout().print(Text.assemble(mark, (f"{one.code}  ", "dim"), plain(one.text)), soft_wrap=True)
    for text in report.cannot_show:
        note(f"cannot show {text}")
    stdout().print(Text(f"{report.kind}: {report.outcome}", style="bold"))
