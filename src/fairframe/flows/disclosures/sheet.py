"""Writes a document in which every figure carries a reference [n], explained in a table at its end.

A figure enters a text through here only, so that none stands without its query. Text from outside (names, licenses,
reasons) is made plain and cannot be read as Markdown or HTML.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairframe.core.plain import plain
from fairframe.flows.disclosures.figure import Cell, Figure, Question, day
from fairframe.flows.disclosures.parts import MEANINGS, PARTS

DRAFT = (
    "Draft for counsel. Fairframe wrote it from this workspace's records; it is no legal advice and does not show that "
    "any law is met. Whoever publishes it answers for it."
)


@dataclass(frozen=True)
class Written:
    """A document's text, and the figures that it cites with their numbers in it."""

    text: str
    references: Mapping[str, int]


_MARKUP = re.compile(r"([\\`*\[\]<>|#~]|\b_|_\b)")
"""A low line inside of a word is none."""
_ID = re.compile(r"\b[a-z]{3}_[0-9a-z]{26}\b")
_HEADS = {"public_id": "id", "recorded_at_ms": "taken", "starts_ms": "from", "ends_ms": "until", "seq": "number"}


class Sheet:
    """One document being written. `lines` grow by paragraph(), heading(), listing(); text() ends it."""

    def __init__(self, figures: Mapping[str, Figure]) -> None:
        self._figures = figures
        self._cited: list[str] = []
        self._parts: list[str] = []

    def heading(self, text: str, level: int = 2) -> None:
        self._parts.append(f"{'#' * level} {text}")

    def paragraph(self, *sentences: str) -> None:
        self._parts.append(" ".join(sentences).strip())

    def bullets(self, lines: Sequence[str]) -> None:
        self._parts.append("\n".join(f"- {line}" for line in lines))

    def cite(self, name: str) -> str:
        """The reference to a figure."""
        if name not in self._cited:
            _ = self._figures[name]
            self._cited.append(name)
        return f"[{self._cited.index(name) + 1}]"

    def value(self, name: str) -> str:
        """A figure in words, with its reference: "1,234 clips [2]"."""
        return f"{shown(self._figures[name])} {self.cite(name)}"

    def number(self, name: str) -> int:
        """A figure's number, for a text that depends on it."""
        return self._figures[name].number

    def lines(self, name: str) -> list[list[Cell]]:
        return self._figures[name].lines

    def listing(self, name: str, keep: Sequence[str] = ()) -> None:
        """A figure that is a list, as a table; of its columns those in `keep`, or all."""
        figure = self._figures[name]
        words = f"{_capital(figure.question.words)} {self.cite(name)}"
        if not figure.lines:
            self._parts.append(f"{words}: none.")
            return
        self._parts += [f"{words}:", _table(figure, keep or figure.question.columns)]

    @property
    def references(self) -> dict[str, int]:
        """Name of each figure cited -> its number in this document."""
        return {name: n for n, name in enumerate(self._cited, 1)}

    def written(self, before: str = "") -> Written:
        """The document with its table of figures. before: what stands above the first paragraph."""
        if self._cited:
            self._sources()
        return Written(before + "\n\n".join(self._parts) + "\n", self.references)

    def plain_sources(self) -> list[str]:
        """The same table for a document in plain text, as paragraphs."""
        if not self._cited:
            return []
        figures = [self._figures[name] for name in self._cited]
        head, asked = figures[0].head, figures[0].parameters
        return [
            f"Figures, read on {day(asked.read_at_ms)} at the audit head of size {head.size}, root {head.root}, with"
            f" checkpoint = {asked.checkpoint} and read_at_ms = {asked.read_at_ms}:",
            *(
                f"[{n}] {one.question.words}: {shown(one)}, {one.rows:,} rows counted; behind it:"
                f" {', '.join(f'{e.type} {e.id}' for e in one.evidence) or 'none'}\n"
                f"   The query stands in figures.json under {one.question.name}."
                for n, one in enumerate(figures, 1)
            ),
        ]

    def _sources(self) -> None:
        figures = [self._figures[name] for name in self._cited]
        first = figures[0]
        self.heading("Figures, and where they come from")
        self.paragraph(
            f"Read on {day(first.parameters.read_at_ms)} at the audit head of size {first.head.size}, root"
            f" `{first.head.root}`, with `checkpoint` = `{first.parameters.checkpoint}` and `read_at_ms` ="
            f" {first.parameters.read_at_ms}. The same stands in figures.json for programs. The lab asks every query"
            " again with `fairframe model figures FOLDER`."
        )
        lines = ["| n | figure | value | rows counted | signed documents behind it |", "|---|---|---|---:|---|"]
        for n, figure in enumerate(figures, 1):
            behind = ", ".join(f"{one.type} `{one.id}`" for one in figure.evidence) or "none"
            lines.append(f"| [{n}] | {figure.question.words} | {shown(figure)} | {figure.rows:,} | {behind} |")
        self._parts.append("\n".join(lines))
        self._queries([figure.question for figure in figures])

    def _queries(self, questions: Sequence[Question]) -> None:
        """Each query once; what several have in common stands before them."""
        within = [name for name in PARTS if any(name in one.within for one in questions)]
        self.heading("Queries", 3)
        if within:
            self.paragraph(
                "A statement `with chain, taken ...` begins with the definitions of these names, in this order"
                " (`with recursive` in full):"
            )
            for name in within:
                self._parts.append(f"`{name}`, {MEANINGS[name]}:\n\n```sql\n{PARTS[name]}\n```")
        for n, one in enumerate(questions, 1):
            if isinstance(one.ask, str):
                text = f"with {', '.join(one.within)}\n{_unindented(one.ask)}" if one.within else one.ask
                self._parts.append(f"[{n}] `{one.name}`:\n\n```sql\n{text}\n```")
            else:
                self._parts.append(f"[{n}] `{one.name}`: the function `{one.query}`")


def outside(text: Cell) -> str:
    """Text from outside, as it may stand in Markdown: one line, nothing of it markup; ids as code."""
    escaped = _MARKUP.sub(r"\\\1", plain(str(text)).replace("&", "&amp;"))
    return _ID.sub(r"`\g<0>`", escaped)


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def shown(figure: Figure) -> str:
    """A figure as people read it: with thousands separators and its unit."""
    if figure.question.columns:
        lines = len(figure.lines)
        return "none" if not lines else f"{lines} line{'s' if lines > 1 else ''}"
    if figure.question.unit == "ms":
        return span(figure.number)
    unit = figure.question.unit
    return f"{figure.number:,} {unit.removesuffix('s') if figure.number == 1 else unit}"


def span(ms: int) -> str:
    """A duration in the unit that fits, and in exact milliseconds."""
    seconds = ms / 1000
    short = f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"
    return f"{short if seconds < 7200 else f'{seconds / 3600:,.1f} hours'} ({ms:,} ms)"


def _table(figure: Figure, keep: Sequence[str]) -> str:
    columns = figure.question.columns
    heads = [_HEADS.get(name, name.removesuffix("_ms").replace("_", " ")) for name in keep]
    rows = [[_cell(name, line[columns.index(name)]) for name in keep] for line in figure.lines]
    body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + "---|" * len(keep), *body])


def _cell(column: str, value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return outside(value)
    if column == "duration_ms":
        return span(value)
    return day(value) if column.endswith("_ms") or column in ("begun", "published") else f"{value:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
