"""The films' measures in words: each value beside the range of real clips, and where it lies outside. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairframe.flows.report_words import clean

MEASURES = {
    "flow": ("Motion", "pixels per frame", 2),
    "warp_error": ("Flicker", "gray levels left after following the motion", 2),
    "sharpness": ("Sharpness", "strength of edges, in gray levels", 1),
    "sharpness_drift": ("Sharpness kept", "last third over first; 1.00 is all", 2),
    "histogram_drift": ("Colors drifted", "0 none, 1 all", 2),
    "similarity_1": ("Like the next frame", "1.00 is the same", 2),
    "similarity_4": ("Like 4 frames on", "1.00 is the same", 2),
    "similarity_8": ("Like 8 frames on", "1.00 is the same", 2),
    "similarity_16": ("Like 16 frames on", "1.00 is the same", 2),
    "nearest": ("From the nearest training clip", "closest frames, 0 to 255; near 0 is a copy", 1),
}
"""name -> (title, unit, digits) in the order of the table."""


@dataclass(frozen=True)
class Cell:
    """words: "" within the range of real clips; what it is otherwise."""

    value: str
    real: str
    words: str


@dataclass(frozen=True)
class Line:
    title: str
    unit: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class FilmTable:
    """One column per film, one line per measure. outside: of all values, those outside the real clips' range."""

    films: tuple[str, ...]
    lines: tuple[Line, ...]
    real_clips: int
    training_clips: int
    size: int
    outside: int
    values: int


def film_table(made: Sequence[Mapping[str, Any]], most: int = 6) -> FilmTable | None:
    """Out of {"film": a title, "score": FilmScore.to_json()} of each; None where none was scored. What is malformed is
    left out."""
    scored = [(one, score) for one in made if isinstance(score := one.get("score"), dict)][:most]
    if not scored:
        return None
    lines: list[Line] = []
    for name, (title, unit, digits) in MEASURES.items():
        cells = tuple(_cell(score.get("measures"), name, digits) for _, score in scored)
        if any(cells):
            lines.append(Line(title, unit, cells))
    told = [cell for line in lines for cell in line.cells if cell is not None]
    if not told:
        return None
    first = scored[0][1]
    return FilmTable(
        films=tuple(clean(str(one.get("film", "")), 60) for one, _ in scored),
        lines=tuple(lines),
        real_clips=_whole(first.get("real_clips")),
        training_clips=_whole(first.get("training_clips")),
        size=_whole(first.get("size")),
        outside=sum(bool(cell.words) for cell in told),
        values=len(told),
    )


def film_rows(score: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(measure and its unit, value, real clips' range, "within" or where it lies) of one film, for a terminal."""
    found: list[tuple[str, str, str, str]] = []
    for name, (title, unit, digits) in MEASURES.items():
        cell = _cell(score.get("measures"), name, digits)
        if cell is not None:
            within = cell.words or ("within" if cell.real else "")
            found.append((f"{title} ({unit})", cell.value, cell.real or "-", within))
    return found


def _cell(measures: object, name: str, digits: int) -> Cell | None:
    one = measures.get(name) if isinstance(measures, dict) else None
    if not isinstance(one, dict):
        return None
    value, low, high = (_number(one.get(key)) for key in ("value", "low", "high"))
    if value is None:
        return None
    if low is None or high is None:
        return Cell(f"{value:.{digits}f}", "", "")
    words = "less than any real clip" if value < low else "more than any real clip" if value > high else ""
    return Cell(f"{value:.{digits}f}", f"{low:.{digits}f} to {high:.{digits}f}", words)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
        return None
    return float(value) if math.isfinite(value) else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10**6 else 0
