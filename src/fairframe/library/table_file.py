"""Reading a CSV that a stranger made: size, encoding, shape. A fault of the whole file is raised with its line."""

import csv
import hashlib
import io
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from fairframe.core.errors import InputError
from fairframe.library.wording import readable

MAX_BYTES = 64 * 1024 * 1024
MAX_COLUMNS = 200
MAX_CELL = 100_000
"""Characters; csv's own limit (131,072) is global, so it is not touched."""


@dataclass(frozen=True)
class Line:
    """One record: the line it starts on (1 is the header) and its cells."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class TableFile:
    """A CSV file: names of its columns (known ones in lower case), its lines without blank ones, the file's hash."""

    path: Path
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    sha256: str


def read_table(path: Path, *, known: Collection[str], required: Collection[str]) -> TableFile:
    """Read a UTF-8, comma-separated file with a header.

    Raises InputError (input.bad_csv) for what is wrong with the whole file, naming the line and the remedy.
    """
    data = _load(path)
    text = _decode(path, data)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise bad_csv(path, line, "there is a NUL byte", "Export the table again as CSV UTF-8")
    lines = list(_lines(path, text))
    if not lines:
        raise bad_csv(path, None, "the file is empty", "Start it with a line of column names")
    sha256 = hashlib.sha256(data).hexdigest()
    return TableFile(path, _columns(path, lines[0], known, required), tuple(lines[1:]), sha256)


def bad_csv(path: Path, line: int | None, problem: str, remedy: str) -> InputError:
    where = f"{path.name}, line {line}" if line is not None else path.name
    return InputError(problem, code="input.bad_csv", where=where, remedy=remedy)


def _load(path: Path) -> bytes:
    try:
        # a pipe or a device would hang whoever reads it
        if not stat.S_ISREG(path.stat().st_mode):
            raise bad_csv(path, None, "it is not a regular file", "Name a CSV file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise bad_csv(path, None, problem, "Check the path and its permissions") from error
    if len(data) > MAX_BYTES:
        raise bad_csv(path, None, f"it is over {MAX_BYTES // 1024**2} MiB", "Split it and ingest the parts")
    return data


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise bad_csv(path, 1, "it is UTF-16", "Save it as CSV UTF-8")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise bad_csv(path, None, "it is a spreadsheet, not a CSV", "Save it as CSV UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise bad_csv(path, line, byte, "Save it as CSV UTF-8") from error


def _lines(path: Path, text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(len(cell) > MAX_CELL for cell in cells):
                raise bad_csv(path, start, f"a cell is over {MAX_CELL:,} characters", "Shorten it")
            if any(cell.strip() for cell in cells):
                yield Line(start, tuple(cells))
            start = reader.line_num + 1
    except csv.Error as error:
        problem = "a cell is over 131,072 characters" if "limit" in str(error) else "a quote is not closed"
        if "limit" not in str(error) and "end of data" not in str(error):
            problem = str(error)
        raise bad_csv(path, start, problem, "Mend that line; a quote inside a cell is doubled") from error


def _columns(path: Path, header: Line, known: Collection[str], required: Collection[str]) -> tuple[str, ...]:
    names = [unicodedata.normalize("NFC", cell.strip()) for cell in header.cells]
    columns = tuple(name.casefold() if name.casefold() in known else name for name in names)
    if len(columns) > MAX_COLUMNS:
        raise bad_csv(path, header.number, f"it has {len(columns)} columns", f"Keep {MAX_COLUMNS} at most")
    missing = [name for name in required if name not in columns]
    if missing:
        raise bad_csv(path, header.number, f"no column {', '.join(missing)}", _missing_remedy(missing, columns))
    for place, name in enumerate(columns, 1):
        if not name or not readable(name) or len(name) > 200:
            raise bad_csv(path, header.number, f"column {place} has no usable name", "Name it or delete it")
        if name in columns[: place - 1]:
            raise bad_csv(path, header.number, f"the column {name} is there twice", "Keep one of them")
    return columns


def _missing_remedy(missing: list[str], columns: tuple[str, ...]) -> str:
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
        return "Separate the columns with commas"
    for name in missing:
        near = get_close_matches(name, columns, n=1)
        if near:
            return f"Did you mean {name} where the header says {near[0][:80]!r}"
    return "Add it to the header; a cell that is not known may stay blank"
