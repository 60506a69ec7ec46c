"""Document releases in bulk: a CSV that names assets, documents beside it, and what their words say.

One document may stand in many lines, and an asset too. A table is taken whole or not at all.
"""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Conflict, FairframeError, InputError
from fairframe.core.territory import WORLD, Territory
from fairframe.core.time import moment_ms
from fairframe.library import assets, releases
from fairframe.library.release_words import Words, must_agree, values_of
from fairframe.library.table_file import Line, TableFile, read_table
from fairframe.library.wording import readable
from fairframe.platform.tx import Row, Tx, WriteTx

REQUIRED = ("asset", "document", "kind", "ai_training")
COLUMNS = (*REQUIRED, "territory", "from", "until", "minor", "guardian")
MAX_LINES = 100_000
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class Paper:
    """A line that can be taken in. `known`: it is on file and says the same."""

    asset: Row
    document: str
    sha256: str
    words: Words
    known: bool


@dataclass(frozen=True)
class Plan:
    """What a table would do. problems: (line, what is wrong with it); with any, nothing is taken in."""

    folder: Path
    papers: Sequence[Paper] = ()
    problems: Sequence[tuple[int, FairframeError]] = ()

    @property
    def new(self) -> int:
        return sum(not paper.known for paper in self.papers)


@dataclass
class _Documents:
    """The documents beside a table by name, each read once: its SHA-256, or what is wrong with it."""

    folder: Path
    found: dict[str, str | FairframeError] = field(default_factory=dict[str, "str | FairframeError"])

    def sha256(self, name: str) -> str:
        if name not in self.found:
            try:
                self.found[name] = sha256_hex(releases.check_document(_read(self.folder, name)))
            except FairframeError as error:
                self.found[name] = error
        held = self.found[name]
        if isinstance(held, FairframeError):
            raise held
        return held


def plan(tx: Tx, path: Path) -> Plan:
    """Read a table and look at what it names; changes nothing. Raises InputError where the whole file cannot be used.

    Columns: asset (id or filename), document (a file beside the table, from its folder down), kind (model, property),
    ai_training (yes, no); where there are such territory ("world" or codes parted by commas), from and until (a time
    or a date in UTC), minor (yes, no), guardian (who signed for a minor).
    """
    table = read_table(path, known=COLUMNS, required=REQUIRED)
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown or len(table.lines) > MAX_LINES:
        problem = f"it has a column {unknown[0][:40]!r}" if unknown else f"it has over {MAX_LINES:,} lines"
        remedy = f"The columns are {', '.join(COLUMNS)}" if unknown else "Split it"
        raise InputError(problem, code="input.bad_csv", where=path.name, remedy=remedy)
    documents = _Documents(path.resolve().parent)
    found: list[Paper] = []
    problems: list[tuple[int, FairframeError]] = []
    for line in table.lines:
        try:
            found.append(_paper(tx, table, line, documents))
        except FairframeError as error:
            problems.append((line.number, error))
    on_file, ended = releases.on_file(tx, [one.asset["id"] for one in found])
    papers: list[Paper] = []
    for one in found:
        place = one.asset["id"], one.words.kind, one.sha256
        before = on_file.get(place)
        try:
            if before is None:
                releases.must_stand(place, ended, one.asset)
            else:
                must_agree(before, values_of(one.words, tx.now_ms)[0], one.words)
        except Conflict as error:
            error.where = error.where or f"{path.name}, {one.asset['public_id']}"
            problems.append((0, error))
        papers.append(Paper(one.asset, one.document, one.sha256, one.words, before is not None))
    return Plan(documents.folder, tuple(papers), tuple(problems))


def take(tx: WriteTx, planned: Plan) -> int:
    """Put on file what a plan without problems holds; how many are new. Raises InputError, Conflict (also where a
    document changed since it was looked at)."""
    if planned.problems:
        raise planned.problems[0][1]
    for name, sha256 in {paper.document: paper.sha256 for paper in planned.papers}.items():
        if releases.keep(tx, _read(planned.folder, name)) != sha256:
            raise Conflict("the document changed meanwhile", code="release.changed", where=name, remedy="Look again")
    before = len(tx.entries)
    releases.add_many(tx, [(paper.asset, paper.sha256, paper.words) for paper in planned.papers])
    return len(tx.entries) - before


def _paper(tx: Tx, table: TableFile, line: Line, documents: _Documents) -> Paper:
    cell = dict(zip(table.columns, (one.strip() for one in line.cells), strict=False))
    if len(line.cells) != len(table.columns):
        found = f"{len(line.cells)} cells for {len(table.columns)} columns"
        raise _bad(table, line, found, "Put cells that hold commas in double quotes")
    try:
        words = Words(
            kind=cell["kind"].casefold(),
            ai_training=_yes_no(table, line, "ai_training", cell["ai_training"]),
            territory=Territory.parse(cell["territory"]) if cell.get("territory") else WORLD,
            from_ms=moment_ms(cell["from"]) if cell.get("from") else None,
            until_ms=moment_ms(cell["until"]) if cell.get("until") else None,
            minor=_yes_no(table, line, "minor", cell.get("minor") or "no"),
            guardian=cell.get("guardian", ""),
        )
        values_of(words, tx.now_ms)
        asset = assets.find(tx, cell["asset"])
        return Paper(asset, cell["document"], documents.sha256(cell["document"]), words, False)
    except FairframeError as error:
        where = f"{table.path.name}, line {line.number}"
        raise InputError(error.message, code=error.code, where=where, remedy=error.remedy) from error


def _yes_no(table: TableFile, line: Line, column: str, text: str) -> bool:
    if text.casefold() not in _YES_NO:
        raise _bad(table, line, f"{column} cannot be {text[:40]!r}", "Say yes or no")
    return _YES_NO[text.casefold()]


def _bad(table: TableFile, line: Line, problem: str, remedy: str) -> InputError:
    return InputError(problem, code="input.bad_row", where=f"{table.path.name}, line {line.number}", remedy=remedy)


def _read(folder: Path, name: str) -> bytes:
    """A document beside the table. Raises InputError for what leads out of the folder or is no regular file."""
    inside = PurePosixPath(name)
    if not name or not readable(name) or inside.is_absolute() or ".." in inside.parts or "\\" in name:
        raise _not_beside(name, "it has to lie beside the table")
    path = folder / inside
    try:
        if not path.resolve().is_relative_to(folder):
            raise _not_beside(name, "it leads out of the table's folder")
        # a pipe or a device would hang whoever reads it
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise _not_beside(name, "it is not a regular file")
            return stream.read(releases.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _not_beside(name, "it cannot be read") from error


def _not_beside(name: str, problem: str) -> InputError:
    return InputError(
        f"the document {name[:80]!r}: {problem}",
        code="input.bad_release",
        remedy="Name it from the table's folder down, with /",
    )
