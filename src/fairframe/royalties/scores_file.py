"""Scores as a file hands them in: a CSV with the columns asset and score, one line for each asset.

An asset is named by its id, its filename, or the pseudonym under which the agreement's family delivered it, which is
what a scorer outside the library knows. All lines are used or none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.errors import InputError, Refused
from fairframe.dataset.tables import dataset_release, item
from fairframe.library.table_file import read_table
from fairframe.library.tables import asset
from fairframe.platform.tx import Row, Tx
from fairframe.rights.tables import agreement
from fairframe.royalties import facts
from fairframe.royalties.scores import MAX_SCORE

COLUMNS = ("asset", "score")
MAX_LINES = 1_000_000
SHOWN = 20
"""Faulty lines that an error names; it counts all."""
CHUNK = 5_000
_SCORE = re.compile(r"[0-9]{1,13}")


@dataclass(frozen=True)
class ScoresFile:
    """scores: asset as named -> (line, score). sha256: of the file's bytes, hex."""

    name: str
    sha256: str
    scores: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Resolved:
    """scores: asset id -> score. delivered, unscored: of the delivered assets, how many there are, and how many of
    them the file does not name, which then weigh nothing. waiting: named assets that are not delivered (yet)."""

    scores: dict[int, int]
    delivered: int
    unscored: int
    waiting: int

    @property
    def total(self) -> int:
        return sum(self.scores.values())


def read(path: Path) -> ScoresFile:
    """Read the file. Raises InputError (input.bad_csv), Refused (scores.bad_lines) that names the lines."""
    table = read_table(path, known=COLUMNS, required=COLUMNS)
    if len(table.columns) != len(COLUMNS) or len(table.lines) > MAX_LINES:
        raise InputError(
            f"{len(table.columns)} columns and {len(table.lines):,} lines",
            code="input.bad_csv",
            where=path.name,
            remedy=f"Keep the columns {', '.join(COLUMNS)}, and {MAX_LINES:,} lines at most",
        )
    found: dict[str, tuple[int, int]] = {}
    wrong: list[str] = []
    for line in table.lines:
        cells = dict(zip(table.columns, (cell.strip() for cell in line.cells), strict=False))
        name, score = cells.get("asset", ""), cells.get("score", "")
        if len(line.cells) != len(COLUMNS) or not name:
            wrong.append(f"line {line.number}: it needs an asset and a score")
        elif _SCORE.fullmatch(score) is None or int(score) > MAX_SCORE:
            wrong.append(f"line {line.number}: {score[:40]!r} is no whole number from 0 to {MAX_SCORE}")
        elif name in found:
            wrong.append(f"line {line.number}: {name[:60]!r} is scored already, on line {found[name][0]}")
        else:
            found[name] = (line.number, int(score))
    _refuse(wrong, path.name)
    return ScoresFile(path.name, table.sha256, found)


def resolve(tx: Tx, deal: Row, file: ScoresFile) -> Resolved:
    """Assets for names, and what of the agreement (its row) they cover. Raises Refused (scores.bad_lines)."""
    releases = facts.releases(tx, facts.chain(tx, deal))
    known = _named(tx, deal, list(file.scores))
    scores: dict[int, int] = {}
    lines: dict[int, int] = {}
    wrong: list[str] = []
    for name, (line, score) in file.scores.items():
        ids = known.get(name, set())
        if len(ids) != 1:
            why = "names no asset" if not ids else f"is the filename of {len(ids)} assets: name it by its id"
            wrong.append(f"line {line}: {name[:60]!r} {why}")
            continue
        (key,) = ids
        if key in scores:
            wrong.append(f"line {line}: {name[:60]!r} is scored already, on line {lines[key]}")
        scores[key], lines[key] = score, line
    _refuse(wrong, file.name)
    of_them = sa.select(dataset_release.c.id).where(dataset_release.c.public_id.in_(releases))
    held = sa.select(item.c.asset_id).distinct().where(item.c.dataset_release_id.in_(of_them))
    delivered = set(tx.execute(held).scalars())
    if not scores:
        raise InputError("the file scores no asset", code="input.bad_csv", where=file.name)
    named = delivered & scores.keys()
    return Resolved(scores, len(delivered), len(delivered) - len(named), len(scores) - len(named))


def _named(tx: Tx, deal: Row, names: Sequence[str]) -> dict[str, set[int]]:
    """name -> the ids of the assets of that id, filename, or pseudonym in the agreement's family."""
    found: dict[str, set[int]] = {}
    family = (
        sa.select(item.c.asset_pseudonym.label("name"), item.c.asset_id.label("id"))
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .join(agreement, agreement.c.id == dataset_release.c.agreement_id)
        .where(agreement.c.family == deal["family"])
    )
    wanted = [name for name in names if "\x00" not in name]
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        pseudonyms = [name for name in some if name.startswith("psn_")]
        _add(found, tx.rows(sa.select(asset.c.public_id.label("name"), asset.c.id).where(asset.c.public_id.in_(some))))
        _add(found, tx.rows(sa.select(asset.c.filename.label("name"), asset.c.id).where(asset.c.filename.in_(some))))
        _add(found, tx.rows(family.where(item.c.asset_pseudonym.in_(pseudonyms))) if pseudonyms else ())
    return found


def _add(found: dict[str, set[int]], rows: Iterable[Row]) -> None:
    for row in rows:
        found.setdefault(row["name"], set()).add(row["id"])


def _refuse(wrong: Sequence[str], where: str) -> None:
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise Refused(
            f"{len(wrong)} lines cannot be used, so none was",
            code="scores.bad_lines",
            where=where,
            reasons=[*wrong[:SHOWN], *more],
            remedy="Mend the lines, and hand in the whole file again",
        )
