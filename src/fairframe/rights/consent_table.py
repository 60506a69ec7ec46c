"""Words of one contributor from a CSV: asset, effect, purpose, action, reason. All lines can be used, or none is."""

import re
from pathlib import Path

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.library import choose
from fairframe.library.table_file import Line, TableFile, read_table
from fairframe.platform.tx import Row, Tx
from fairframe.rights import consent
from fairframe.rights.consent_bulk import MAX_WORDS, Word
from fairframe.rights.vocabulary import ANY

REQUIRED = ("asset", "effect", "purpose")
COLUMNS = (*REQUIRED, "action", "reason")
SHOWN = 20
"""Faulty lines that an error names; it counts all."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def read(tx: Tx, who: Row, path: Path) -> list[Word]:
    """The words of a table about a contributor's assets, each named by its id or filename.

    A blank action means all; a line that permits has to have all its cells, blank or not. Raises InputError
    (input.bad_csv: the file; a column that is not known), Refused (consent.bad_lines) that tells what is wrong with
    which lines.
    """
    table = read_table(path, known=COLUMNS, required=REQUIRED)
    strange = [name for name in table.columns if name not in COLUMNS]
    if strange:
        raise InputError(
            f"the column {strange[0][:40]!r} means nothing here",
            code="input.bad_csv",
            where=path.name,
            remedy=f"Keep only: {', '.join(COLUMNS)}",
        )
    if len(table.lines) > MAX_WORDS:
        raise InputError(
            f"{len(table.lines):,} lines, and {MAX_WORDS:,} words are said in one go",
            code="consent.words",
            where=path.name,
            remedy="Split it",
        )
    cells = [(line, _cells(table, line)) for line in table.lines]
    found = choose.named(tx, who, [cell["asset"] for _, cell in cells])
    words: list[Word] = []
    wrong: list[str] = []
    first: dict[tuple[int, str, str], int] = {}
    for line, cell in cells:
        try:
            if len(line.cells) > len(table.columns):
                raise InputError(f"{len(line.cells)} cells for {len(table.columns)} columns")
            word = _word(cell, found)
            if word.effect == "allow" and len(line.cells) < len(table.columns):
                # a cut line, a blank action of which would permit every one
                raise InputError(f"{len(line.cells)} cells for {len(table.columns)} columns, and it permits")
            if first.setdefault(word.about, line.number) != line.number:
                raise InputError(f"the same is said of on line {first[word.about]}")
            words.append(word)
        except (InputError, NotFound) as error:
            wrong.append(f"line {line.number}: {error.message}")
    if wrong:
        raise Refused(
            f"{len(wrong)} of {len(table.lines)} lines cannot be used, so none was",
            code="consent.bad_lines",
            where=path.name,
            reasons=[*wrong[:SHOWN], *([f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])],
            remedy="Mend the lines, and hand in the whole table again",
        )
    return words


def _cells(table: TableFile, line: Line) -> dict[str, str]:
    said = dict(zip(table.columns, (cell.strip() for cell in line.cells), strict=False))
    return {name: said.get(name, "") for name in COLUMNS}


def _word(cell: dict[str, str], found: dict[str, list[Row]]) -> Word:
    for name, text in cell.items():
        if _CONTROL.search(text):
            raise InputError(f"{name} has a line break or control character")
    rows = found.get(cell["asset"], [])
    if not rows:
        raise NotFound(f"no asset of theirs is named {cell['asset'][:80]!r}")
    if len(rows) > 1:
        raise InputError(f"several assets are named {cell['asset'][:80]!r}: give the id")
    effect, purpose, action = cell["effect"].casefold(), cell["purpose"].casefold(), cell["action"].casefold() or ANY
    consent.check_word(effect, purpose, action, cell["reason"])
    return Word(rows[0], effect, purpose, action, cell["reason"])
