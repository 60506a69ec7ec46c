"""Owners as somebody names them, on a command line or in a CSV: asset, owner, share; an asset has a line for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairframe.core.errors import FairframeError, InputError, Refused
from fairframe.core.rational import Share
from fairframe.library import assets, choose, contributors, owners
from fairframe.library.table_file import read_table
from fairframe.platform.tx import Row, Tx, WriteTx

COLUMNS = ("asset", "owner", "share")
MAX_LINES = 20_000
SHOWN = 20
"""Faulty lines that an error names; it counts all."""


@dataclass(frozen=True)
class Named:
    """All owners of one asset, by name or id. line: where it was said first; 0 on a command line."""

    asset: str
    parts: tuple[tuple[str, Share], ...]
    line: int = 0


def from_words(asset: str, words: Iterable[str]) -> Named:
    """From words such as "Ana Rivera=2/3". Raises InputError (input.bad_share)."""
    parts: list[tuple[str, Share]] = []
    for word in words:
        name, equals, share = word.rpartition("=")
        if not equals or not name.strip():
            raise InputError(f"{word[:60]!r} names no owner and share", code="input.bad_share", remedy="Say Ana=2/3")
        parts.append((name.strip(), Share.parse(share.strip())))
    return Named(asset, tuple(parts))


def from_table(path: Path) -> list[Named]:
    """From a CSV. Raises InputError (input.bad_csv), Refused (owners.bad_lines) that names the lines."""
    table = read_table(path, known=COLUMNS, required=COLUMNS)
    if len(table.columns) != len(COLUMNS) or len(table.lines) > MAX_LINES:
        raise InputError(
            f"{len(table.columns)} columns and {len(table.lines):,} lines",
            code="input.bad_csv",
            where=path.name,
            remedy=f"Keep the columns {', '.join(COLUMNS)}, and {MAX_LINES:,} lines at most",
        )
    parts: dict[str, list[tuple[str, Share]]] = {}
    lines: dict[str, int] = {}
    wrong: list[str] = []
    for line in table.lines:
        cells = dict(zip(table.columns, (cell.strip() for cell in line.cells), strict=False))
        try:
            if len(line.cells) != len(COLUMNS) or not all(cells.values()):
                raise InputError("it needs an asset, an owner and a share")
            share = Share.parse(cells["share"])
        except InputError as error:
            wrong.append(f"line {line.number}: {error.message}")
            continue
        parts.setdefault(cells["asset"], []).append((cells["owner"], share))
        lines.setdefault(cells["asset"], line.number)
    _refuse(wrong, path.name)
    return [Named(asset, tuple(some), lines[asset]) for asset, some in parts.items()]


def resolve(
    tx: Tx, said: Sequence[Named], *, new: bool = False, where: str = ""
) -> list[tuple[Row, list[tuple[Row, Share]]]]:
    """Rows for names. new: owners that the library does not know are added (then `tx` has to write).

    Raises Refused (owners.bad_lines) that names every asset or owner that cannot be found, or shares that cannot be;
    for a single asset what assets.find, contributors.find and owners.check raise.
    """
    found = choose.named(tx, None, [one.asset for one in said])
    people: dict[str, Row] = {}
    done: list[tuple[Row, list[tuple[Row, Share]]]] = []
    wrong: list[str] = []
    seen: dict[int, int] = {}
    for one in said:
        try:
            rows = found.get(one.asset, [])
            row = rows[0] if len(rows) == 1 else assets.find(tx, one.asset)
            parts = [(_person(tx, name, people, new), share) for name, share in one.parts]
            owners.check(parts, row["public_id"])
            if seen.setdefault(row["id"], one.line) != one.line:
                raise InputError(f"the asset is named otherwise on line {seen[row['id']]}")
            done.append((row, parts))
        except FairframeError as error:
            if not one.line:
                raise
            wrong.append(f"line {one.line}: {error.message}")
    _refuse(wrong, where)
    return done


def _person(tx: Tx, name: str, known: dict[str, Row], new: bool) -> Row:
    if name not in known:
        if new and isinstance(tx, WriteTx):
            known[name] = contributors.ensure(tx, name)
        else:
            known[name] = contributors.find(tx, name)
    return known[name]


def _refuse(wrong: Sequence[str], where: str) -> None:
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise Refused(
            f"{len(wrong)} lines cannot be used, so none was",
            code="owners.bad_lines",
            where=where,
            reasons=[*wrong[:SHOWN], *more],
            remedy="Mend the lines, and hand in the whole table again",
        )
