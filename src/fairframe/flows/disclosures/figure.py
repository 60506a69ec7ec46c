"""A figure of a disclosure: a value, and all that somebody needs to read it again from the workspace.

A question is either one SQL statement, the same for SQLite and PostgreSQL, or a named function where a value stands in
signed documents or files. Its parameters are the checkpoint and the moment of reading: what is recorded later changes
no answer, so a figure can be read again after the next feed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from fairframe.core.bundle import Head
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339
from fairframe.flows.disclosures.parts import statement
from fairframe.platform.tx import Tx

Cell = int | str | None
Value = Cell | list[list[Cell]]
"""One cell, or a list of lines of cells."""
Behind = Literal["lineage", "delivery", "agreement", "feed", "attestation", "grant"]
"""Types of the signed documents that a figure rests on."""
MAX_FIGURES = 200


@dataclass(frozen=True)
class Parameters:
    """What every question is asked with. read_at_ms: rows that were recorded after it are left out."""

    checkpoint: str
    read_at_ms: int

    def to_json(self) -> dict[str, Cell]:
        return {"checkpoint": self.checkpoint, "read_at_ms": self.read_at_ms}


@dataclass(frozen=True)
class Answer:
    """A value, and how many rows (or files, or lines of a document) were counted for it."""

    value: Value
    rows: int


@dataclass(frozen=True)
class Question:
    """name: stable. words: what it counts, after "the number of". unit: of a number ("clips", "ms"), or "list".

    ask: a statement with the columns value and counted, or, where columns are given, with these; or a function.
    within: common parts of statements (statements.PARTS) that stand before it, in their order.
    """

    name: str
    words: str
    unit: str
    ask: str | Callable[[Tx, Parameters], Answer]
    behind: tuple[Behind, ...] = ("lineage",)
    columns: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """The whole statement on one line, or the function's name."""
        if isinstance(self.ask, str):
            return statement(self.within, self.ask)
        return f"{self.ask.__module__}.{self.ask.__qualname__}(checkpoint, read_at_ms)"


@dataclass(frozen=True)
class Evidence:
    """A signed document that a figure rests on, by type, id and SHA-256 of its envelope."""

    type: str
    id: str
    digest: str


@dataclass(frozen=True)
class Figure:
    """An answer with where it comes from. head: of the audit tree when it was read."""

    question: Question
    value: Value
    rows: int
    parameters: Parameters
    head: Head
    evidence: tuple[Evidence, ...]

    @property
    def number(self) -> int:
        """Its value, where that is a number. Raises TypeError elsewhere: a question was mistaken for another."""
        if not isinstance(self.value, int):
            raise TypeError(f"{self.question.name} is no number")
        return self.value

    @property
    def lines(self) -> list[list[Cell]]:
        """Its lines, where it is a list."""
        if not isinstance(self.value, list):
            raise TypeError(f"{self.question.name} is no list")
        return self.value

    def to_json(self) -> dict[str, Any]:
        one = self.question
        return {
            "name": one.name,
            "words": one.words,
            "unit": one.unit,
            "columns": list(one.columns),
            "value": self.value,
            "query": one.query,
            "parameters": self.parameters.to_json(),
            "rows": self.rows,
            "audit_head": {"size": self.head.size, "root": self.head.root},
            "documents": [vars(document) for document in self.evidence],
        }


def answer(tx: Tx, question: Question, parameters: Parameters) -> Answer:
    """Ask a question. A statement gets the parameters by name."""
    if not isinstance(question.ask, str):
        return question.ask(tx, parameters)
    rows = tx.rows(bound(question.query, parameters))
    if question.columns:
        return Answer([[row[name] for name in question.columns] for row in rows], len(rows))
    return Answer(rows[0]["value"], int(rows[0]["counted"]))


def bound(text: str, parameters: Parameters) -> sa.TextClause:
    """A statement with those parameters that it names."""
    return sa.text(text).bindparams(**{n: v for n, v in parameters.to_json().items() if f":{n}" in text})


@dataclass(frozen=True)
class Difference:
    """A figure that is not what the workspace answers. now None: no such figure is known by now."""

    name: str
    written: Value
    now: Value


def differences(tx: Tx, figures: Any, known: Mapping[str, Question]) -> list[Difference]:
    """Ask every question of a figures.json again, of our own statements, and compare value, rows and query.

    Raises BadDocument where it is no figures.json.
    """
    found: list[Difference] = []
    for value in Fields(figures, "figures.json").list("figures", max_items=MAX_FIGURES):
        fields = Fields(value, "figures.json.figures")
        name, query, written = fields.text("name", max_chars=80), fields.text("query", max_chars=20_000), fields
        asked = _parameters(fields.fields("parameters"))
        question = known.get(name)
        if question is None or question.query != query:
            found.append(Difference(name, _value(written), None))
            continue
        now = answer(tx, question, asked)
        if now.value != _value(written) or now.rows != fields.integer("rows"):
            found.append(Difference(name, _value(written), now.value))
    return found


def _parameters(fields: Fields) -> Parameters:
    return Parameters(fields.id("checkpoint", "ckp"), fields.integer("read_at_ms"))


def _value(fields: Fields) -> Value:
    value: Any = fields.value("value")
    lines: list[Any] = value if isinstance(value, list) else [[value]]
    if not all(isinstance(line, list) and all(isinstance(c, int | str | None) for c in line) for line in lines):
        raise BadDocument("Field 'value' is no figure", code="document.field", where=fields.where)
    return value


def day(ms: Cell) -> str:
    """The day of a time, as documents name it."""
    return "-" if not isinstance(ms, int) else to_rfc3339(ms)[:10]
