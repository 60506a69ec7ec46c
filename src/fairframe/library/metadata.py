"""What a library knows about its files before they are opened: one line of metadata per file."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fairframe.core.errors import FairframeError, InputError
from fairframe.library import collections
from fairframe.library.contributors import clean_name
from fairframe.library.facts import VALUES
from fairframe.library.table_file import Line, TableFile, read_table
from fairframe.library.wording import readable

FACTS = tuple(VALUES)
TEXTS = ("title", "description", "keywords", "source", "source_license", "collection")
COLUMNS = ("filename", "contributor", *TEXTS, *FACTS)

MAX_TEXT = {"title": 500, "description": 10_000, "keywords": 10_000, "source": 2_000, "source_license": 2_000}
MAX_FILENAME = 1_000
MAX_KEYWORDS = 200
MAX_COLLECTIONS = 20

_SAID = {"yes": "yes", "no": "no", "unknown": "unknown", "": "unknown"}
_RELEASED = {
    "released": "released",
    "yes": "released",
    "no": "not released",
    "not released": "not released",
    "not needed": "not needed",
    "unknown": "unknown",
    "": "unknown",
}
MEANING = {"people": _SAID, "model_release": _RELEASED, "property_release": _RELEASED, "editorial": _SAID}
"""What may stand in a cell, in any case, and the fact that it states; a blank cell says unknown."""
# line breaks and tabs are part of a description
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Described:
    """One usable line. `contributor` is "" where the line names none."""

    filename: str
    contributor: str = ""
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    source: str = ""
    source_license: str = ""
    collections: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Metadata:
    """A CSV by filename (NFC): lines that can be used, and the error that refuses a file. `loose`: bad names."""

    good: Mapping[str, Described] = field(default_factory=dict[str, Described])
    bad: Mapping[str, FairframeError] = field(default_factory=dict[str, FairframeError])
    loose: tuple[tuple[str, FairframeError], ...] = ()


def read_metadata(path: Path, *, contributor_given: bool = False) -> Metadata:
    """Read a metadata CSV. A line that cannot be used refuses its own file only.

    Columns: filename, contributor (unless one is given for all), people, model_release, property_release,
    editorial; title, description, keywords (parted by ";" or ","), source, source_license, collection (names
    parted by ";") may be missing; others are kept as `extra`, as text. Raises InputError where the whole file
    cannot be used.
    """
    required = ("filename", *FACTS) if contributor_given else ("filename", "contributor", *FACTS)
    table = read_table(path, known=COLUMNS, required=required)
    good: dict[str, Described] = {}
    bad: dict[str, FairframeError] = {}
    loose: list[tuple[str, FairframeError]] = []
    first: dict[str, int] = {}
    for line in table.lines:
        name = ""
        try:
            name = _filename(table, line)
            if name in first:
                raise _bad(table, line, f"{name} is described on line {first[name]} too", "Keep one line per file")
            first[name] = line.number
            good[name] = _described(table, line, name)
        except InputError as error:
            if name:
                good.pop(name, None)
                bad[name] = error
            else:
                loose.append((f"line {line.number}", error))
    return Metadata(good, bad, tuple(loose))


def _bad(table: TableFile, line: Line, problem: str, remedy: str) -> InputError:
    where = f"{table.path.name}, line {line.number}"
    return InputError(problem, code="input.bad_row", where=where, remedy=remedy)


def _cell(table: TableFile, line: Line, column: str) -> str:
    place = table.columns.index(column) if column in table.columns else -1
    return line.cells[place].strip() if 0 <= place < len(line.cells) else ""


def _filename(table: TableFile, line: Line) -> str:
    """A relative path inside the folder, with "/" and in NFC. Raises InputError."""
    text = unicodedata.normalize("NFC", _cell(table, line, "filename"))
    if not text.strip("./"):
        raise _bad(table, line, "the filename is blank", "Name the file, from the folder down, with /")
    if len(text) > MAX_FILENAME or not readable(text):
        raise _bad(table, line, "the filename is too long or not printable", "Rename the file")
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or re.match(r"[A-Za-z]:", text):
        shown = text[:80]
        raise _bad(table, line, f"the filename {shown!r} leaves the folder", "Name it from the folder down, with /")
    return str(path)


def _described(table: TableFile, line: Line, name: str) -> Described:
    if len(line.cells) != len(table.columns):
        found = f"{len(line.cells)} cells for {len(table.columns)} columns"
        raise _bad(table, line, found, "Put cells that hold commas in double quotes")
    for column, cell in zip(table.columns, line.cells, strict=True):
        if _CONTROL.search(cell):
            raise _bad(table, line, f"{column} has a control character", "Type that cell again")
        if len(cell) > MAX_TEXT.get(column, 10_000):
            limit = MAX_TEXT.get(column, 10_000)
            raise _bad(table, line, f"{column} has {len(cell):,} characters", f"Keep {limit:,} at most")
    return Described(
        filename=name,
        contributor=_contributor(table, line),
        title=_cell(table, line, "title"),
        description=_cell(table, line, "description"),
        keywords=_keywords(table, line),
        source=_cell(table, line, "source"),
        source_license=_cell(table, line, "source_license"),
        collections=_collections(table, line),
        facts={fact: _fact(table, line, fact) for fact in FACTS},
        extra={c: cell for c, cell in zip(table.columns, line.cells, strict=True) if c not in COLUMNS},
    )


def _contributor(table: TableFile, line: Line) -> str:
    text = _cell(table, line, "contributor")
    try:
        return clean_name(text) if text else ""
    except InputError as error:
        raise _bad(table, line, error.message, error.remedy) from error


def _collections(table: TableFile, line: Line) -> tuple[str, ...]:
    names = [name for name in _cell(table, line, "collection").split(";") if name.strip()]
    if len(names) > MAX_COLLECTIONS:
        raise _bad(table, line, f"{len(names)} collections", f"Keep {MAX_COLLECTIONS} at most")
    try:
        return tuple(dict.fromkeys(collections.clean(name) for name in names))
    except InputError as error:
        raise _bad(table, line, error.message, error.remedy) from error


def _fact(table: TableFile, line: Line, fact: str) -> str:
    text = " ".join(_cell(table, line, fact).casefold().split())
    meaning = MEANING[fact]
    if text not in meaning:
        allowed = ", ".join(word for word in meaning if word)
        raise _bad(table, line, f"{fact} cannot be {text[:40]!r}", f"Say one of: {allowed}; or leave it blank")
    return meaning[text]


def _keywords(table: TableFile, line: Line) -> tuple[str, ...]:
    words = (" ".join(word.split()) for word in re.split("[;,]", _cell(table, line, "keywords")))
    found = tuple(dict.fromkeys(word for word in words if word))
    if len(found) > MAX_KEYWORDS:
        raise _bad(table, line, f"{len(found)} keywords", f"Keep {MAX_KEYWORDS} at most")
    return found
