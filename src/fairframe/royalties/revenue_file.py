"""Revenue events from a CSV: one line each, in their order, so that a line may pay or refund an earlier one.

All lines can be booked, or none is. Lines that were booked before with the same content are known, and change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairframe.core.errors import Conflict, FairframeError, InputError, Refused
from fairframe.core.money import Money, parse_money
from fairframe.core.time import moment_ms
from fairframe.library.table_file import Line, TableFile, read_table
from fairframe.platform.tx import WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import revenue
from fairframe.royalties.about import About
from fairframe.royalties.quantity import parse_quantity
from fairframe.royalties.revenue import Booked

REQUIRED = ("agreement", "kind", "reference", "date", "amount", "currency")
COLUMNS = (*REQUIRED, "tax", "quantity", "model", "of")
MAX_LINES = 10_000
"""They are booked in one transaction, which makes other writers wait."""
SHOWN = 20
"""Faulty lines that an error names; it counts all."""
TEMPLATE = """agreement,kind,reference,date,amount,currency,tax,quantity,model,of
agr_00000000000000000000000000,flat,INV-2026-001,2026-01-31,10000.00,USD,0.00,,,
agr_00000000000000000000000000,per_clip,INV-2026-002,2026-02-28,500.00,USD,,2000,,
agr_00000000000000000000000000,per_hour,INV-2026-003,2026-02-28,900.00,USD,,12.5,,
agr_00000000000000000000000000,invoice,INV-2026-004,2026-03-01,2000.00,USD,100.00,,,
agr_00000000000000000000000000,milestone,BANK-2026-118,2026-03-20,2000.00,USD,,,,INV-2026-004
agr_00000000000000000000000000,refund,CR-2026-001,2026-03-25,250.00,USD,,,,INV-2026-002
agr_00000000000000000000000000,output,METER-2026-03,2026-03-31,75.30,USD,,2510,ckp_00000000000000000000000000,
"""
"""A line of each form: kinds are those of events.py, hours are decimals, a date is a day or a time in UTC."""


@dataclass(frozen=True)
class Entry:
    """A line of the file, read but not judged."""

    line: int
    agreement: str
    gross: Money
    reference: str
    tax_minor: int | None
    effective_ms: int
    about: About


def read(path: Path) -> list[Entry]:
    """The lines of a file. Raises InputError (the file), Refused (import.bad_lines) that names faulty lines."""
    table = read_table(path, known=COLUMNS, required=REQUIRED)
    strange = [name for name in table.columns if name not in COLUMNS]
    if strange or not 0 < len(table.lines) <= MAX_LINES:
        what = f"the column {strange[0][:40]!r} means nothing here" if strange else f"{len(table.lines):,} lines"
        remedy = f"Keep only: {', '.join(COLUMNS)}" if strange else f"A file has 1 to {MAX_LINES:,}: split it"
        raise InputError(what, code="input.bad_csv", where=path.name, remedy=remedy)
    entries, wrong = list[Entry](), list[str]()
    for line in table.lines:
        try:
            entries.append(_entry(table, line))
        except FairframeError as error:
            wrong.append(_fault(line.number, error))
    _refuse(wrong, len(table.lines), path.name)
    return entries


def book_all(tx: WriteTx, entries: Sequence[Entry], where: str = "", confirmed: Sequence[Booked] = ()) -> list[Booked]:
    """Book every entry, or none: the transaction must end with the error that this raises.

    confirmed: what a preview showed. Raises Refused (import.bad_lines) that names faulty lines, Conflict
    (import.changed) where other events would be booked than those confirmed.
    """
    done, wrong, first = list[Booked](), list[str](), dict[str, int]()
    for one in entries:
        try:
            booked = revenue.book(
                tx, one.agreement, one.gross, one.reference, one.tax_minor, one.effective_ms, one.about
            )
            if (before := first.setdefault(booked.id, one.line)) != one.line:
                raise InputError(f"it says the same as line {before}")
            done.append(booked)
        except FairframeError as error:
            wrong.append(_fault(one.line, error))
    _refuse(wrong, len(entries), where)
    if confirmed and [_content(one) for one in done] != [_content(one) for one in confirmed]:
        raise Conflict(
            "other events would be booked than those that were confirmed",
            code="import.changed",
            where=where,
            remedy="Nothing was booked: run it again and look at the preview",
        )
    return done


class _Undo(Exception):
    """Ends the transaction of a preview."""


def preview(ws: Workspace, entries: Sequence[Entry], where: str = "") -> list[Booked]:
    """What book_all would book. It is booked and rolled back: lines build on each other, and so is every rule asked.

    Raises what book_all raises.
    """
    done: list[Booked] = []
    try:
        with ws.write() as tx:
            done = book_all(tx, entries, where)
            raise _Undo
    except _Undo:
        return done


def _entry(table: TableFile, line: Line) -> Entry:
    if len(line.cells) > len(table.columns):
        raise InputError(f"{len(line.cells)} cells for {len(table.columns)} columns")
    said = dict(zip(table.columns, (cell.strip() for cell in line.cells), strict=False))
    cell = {name: said.get(name, "") for name in COLUMNS}
    for name in REQUIRED:
        if not cell[name]:
            raise InputError(f"{name} is blank")
    for name, text in cell.items():
        if not text.isprintable() or len(text) > 200:
            raise InputError(f"{name} is over 200 characters, or has a line break or control character")
    kind, currency = cell["kind"].casefold(), cell["currency"].upper()
    about = About(kind, parse_quantity(kind, cell["quantity"]), cell["model"] or None, cell["of"])
    about.check()
    return Entry(
        line=line.number,
        agreement=cell["agreement"],
        gross=parse_money(cell["amount"], currency),
        reference=cell["reference"],
        tax_minor=parse_money(cell["tax"], currency).minor if cell["tax"] else None,
        effective_ms=moment_ms(cell["date"]),
        about=about,
    )


def _content(one: Booked) -> tuple[object, ...]:
    return one.subject, one.reference, one.gross, one.tax, one.pool_micro, one.effective_ms, one.kind, one.new


def _fault(line: int, error: FairframeError) -> str:
    return f"line {line}: {error.message}"


def _refuse(wrong: Sequence[str], of: int, where: str) -> None:
    if wrong:
        raise Refused(
            f"{len(wrong)} of {of} lines cannot be booked, so none was",
            code="import.bad_lines",
            where=where,
            reasons=[*wrong[:SHOWN], *([f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])],
            remedy="Mend the lines, and hand in the whole file again",
        )
