"""What every command shares: the workspace, output as table or JSON, progress, errors as one line."""

import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fairframe.core.errors import InputError
from fairframe.core.money import Currency, Money, format_micro, format_money
from fairframe.core.plain import plain, plain_json
from fairframe.core.time import moment_ms, to_rfc3339
from fairframe.platform.objects import write_atomic
from fairframe.platform.settings import Settings
from fairframe.platform.workspace import Workspace, open_workspace
from fairframe.verify.files import read_limited

WIDE = 10_000
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
OutFile = Annotated[Path, typer.Option("-o", "--output", help="Where to write the result.")]

AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="What was true then: a time or a date (UTC).")
]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", metavar="DATE", help="What was known then; alone, also what was true then.")
]

MAX_INPUT_BYTES = 64 * 1024 * 1024
_ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")
READABLE = 14
"""Characters of a column of text that are wide enough to read it."""
CLOCK_LAG_MS = 60_000
"""A clock that lags by more is worth a remark."""


def group(help: str) -> typer.Typer:
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None)


@contextmanager
def workspace(ctx: typer.Context, role: str | None = None) -> Generator[Workspace]:
    """The workspace of --workspace, FAIRFRAME_WORKSPACE or the current folder; closed at the end."""
    root: Path = ctx.obj if isinstance(ctx.obj, Path) else Settings().workspace
    ws = open_workspace(root, ask=ask_passphrase)
    try:
        if role is not None and ws.role != role:
            raise InputError(
                f"this is a command of a {role}, and {root} is the workspace of a {ws.role}",
                code="workspace.role",
                remedy="Say --workspace DIR.",
            )
        _look_at_clock(ws)
        yield ws
    finally:
        ws.close()


def ask_passphrase() -> str | None:
    """On a terminal; elsewhere nobody can answer."""
    return str(typer.prompt("Passphrase", hide_input=True, err=True)) if sys.stdin.isatty() else None


def _look_at_clock(ws: Workspace) -> None:
    """Signing goes on under the last recorded time, which never goes back; a person should know."""
    with ws.read() as tx:
        lag_ms = tx.now_ms - ws.clock()
    if lag_ms > CLOCK_LAG_MS:
        note(f"this machine's clock is {span(lag_ms)} behind this workspace's last entry, whose time is used: set it")


@contextmanager
def progress(what: str) -> Generator[Callable[[int, int, str], None]]:
    """A bar with ETA on a terminal; quiet elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None, note="")
        yield lambda done, total, note: bar.update(task, completed=done, total=total or None, note=plain(note[:60]))


def emit(data: Any, as_json: bool, render: Callable[[], None]) -> None:
    """Data as JSON to standard output, or as people read it."""
    if as_json:
        print(plain_json(json.dumps(data, indent=2, ensure_ascii=False, default=str), sys.stdout.encoding or "utf-8"))
    else:
        render()


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None, empty: str = "") -> None:
    """A table; text from outside is printed literally, never as markup. A "#" before a column's name aligns right.

    Text is folded where the lines are too short for all of it, an id never: where that leaves no room to read the
    rest, each row is printed on lines of its own.
    """
    lines = [[_cell(v) for v in row] for row in rows]
    console = stdout()
    if not lines:
        console.print(Text(empty or "nothing here yet", style="dim"))
        return
    names = [name.removeprefix("#") for name in columns]
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    shown.show_header = any(names)
    needed = 0
    for index, (name, column) in enumerate(zip(names, columns, strict=True)):
        cells = [line[index].plain for line in lines]
        ids = max((len(cell) for cell in cells if _ID.fullmatch(cell)), default=0)
        needed += max(ids, min(READABLE, max(map(len, [name, *cells])))) + 2
        side = "right" if column.startswith("#") else "left"
        shown.add_column(name, justify=side, overflow="fold", min_width=ids or None)
    for line in lines:
        shown.add_row(*line)
    if needed - 2 > console.width and shown.show_header:
        _records(console, names, lines)
    else:
        console.print(shown)


def _records(console: Console, names: Sequence[str], lines: Sequence[Sequence[Text]]) -> None:
    """A table that is too wide, row by row: an id that is broken over lines cannot be copied."""
    for number, line in enumerate(lines):
        record = Table(box=None, pad_edge=False, show_header=False)
        record.add_column(style="bold", no_wrap=True)
        record.add_column(overflow="fold")
        for name, cell in zip(names, line, strict=True):
            record.add_row(name, cell)
        if number:
            console.print()
        console.print(record)


def stdout() -> Console:
    """Standard output. Where a program reads it, and nobody said for what width, a row is a line."""
    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=WIDE)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    return Text(plain(str(value)))


def say(text: str, style: str = "") -> None:
    """A line of the result. Like all that is shown here, it may hold text from outside."""
    stdout().print(Text(plain(text), style=style))


def note(text: str) -> None:
    """A remark beside the result: to standard error, unbroken, as it may hold a command to copy."""
    err.print(Text(plain(text), style="dim"), soft_wrap=True)


def fail(code: str, text: str, reasons: Sequence[str] = ()) -> None:
    """An error on one line, and the reasons of a refusal below it: to standard error."""
    err.print(Text.assemble((f"error[{code}]: ", "bold red"), plain(text)), soft_wrap=True)
    for reason in reasons:
        err.print(Text(f"  - {plain(reason)}"), soft_wrap=True)


def when(ms: int | None) -> str:
    return "-" if ms is None else to_rfc3339(ms)[:16].replace("T", " ")


def span(ms: int) -> str:
    seconds = ms / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def money(minor: int, currency: str) -> str:
    return format_money(Money(minor, Currency(currency)))


def micro(amount: int, currency: str) -> str:
    return f"{format_micro(amount, Currency(currency))} {currency}"


def moments_ms(as_of: str | None, known_at: str | None) -> tuple[int | None, int | None]:
    """--as-of and --known-at in milliseconds. Raises InputError."""
    return None if as_of is None else moment_ms(as_of), None if known_at is None else moment_ms(known_at)


def read_input(path: Path) -> bytes:
    """An input document: a regular file of at most MAX_INPUT_BYTES. Raises InputError with the reason."""
    return read_limited(path, MAX_INPUT_BYTES)


def write_output(path: Path, data: bytes, quiet: bool = False) -> None:
    """Write a result whole or not at all, and say where it is (quiet: one of many, so not)."""
    try:
        write_atomic(path, data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", code="input.unwritable") from error
    if not quiet:
        note(f"wrote {path}")


def confirm(question: str, yes: bool) -> None:
    """Ask before what cannot be undone; --yes answers. Without a terminal and without --yes: refuse."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("this needs a confirmation", code="input.confirm", remedy="Add --yes.")
    if not typer.confirm(plain(question)):
        raise typer.Exit(1)
