"""Documents that a person has had in hand: drafts that counsel read, or the folder of a release to be looked at again.

They come from outside the workspace, so they are read with limits and held against what the workspace answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairframe.core.bundle import Head
from fairframe.core.canonical import parse
from fairframe.core.errors import BadDocument, InputError, Refused
from fairframe.core.fields import Fields
from fairframe.core.model_release_body import FIGURES
from fairframe.flows.disclosures import reading
from fairframe.flows.disclosures.figure import Difference, differences
from fairframe.flows.disclosures.registry import DOCUMENTS
from fairframe.platform import audit
from fairframe.platform.tx import Tx
from fairframe.verify.files import read_limited

MAX_DOCUMENT_BYTES = 4 * 2**20
MOVES = frozenset({"feeds"})
"""Figures that change while what they tell of does not: every newer feed is another document."""
TERMS = (
    "purpose", "license", "territory", "ends_at", "commercial_output", "delete_on_opt_out", "bounds", "passed",
)  # fmt: skip
"""What figures.json says of the terms that the documents were drafted for."""


@dataclass(frozen=True)
class Papers:
    """Documents and figures.json by file name; the audit head and the moment at which their figures were read."""

    files: Mapping[str, bytes]
    head: Head
    read_ms: int


def recheck(tx: Tx, folder: Path) -> list[Difference]:
    """Ask every query of a figures.json again, as of its own moment; what differs. Raises InputError, BadDocument."""
    return differences(tx, _parsed(_read(folder, FIGURES)), reading.QUESTIONS)


def take(tx: Tx, fresh: Papers, folder: Path) -> Papers:
    """Documents as counsel left them, for a release now. `fresh`: what would be drafted now.

    Raises Refused (release.stale_documents) where a figure, or the terms, changed since they were drafted, or the
    figures are not those of this workspace; InputError and BadDocument where a file is missing or not readable.
    """
    given = {name: _read(folder, name) for name in (*(one.file for one in DOCUMENTS), FIGURES)}
    written, now = _parsed(given[FIGURES]), _parsed(fresh.files[FIGURES])
    against = [f"{one.name}: the workspace does not answer as it is written" for one in recheck(tx, folder)]
    against += [
        f"{name} is {written.get(name)!r}, and now {now[name]!r}" for name in TERMS if written.get(name) != now[name]
    ]
    before, after = _values(written), _values(now)
    against += [
        f"{name} is not what it was: {before.get(name)!r}, and now {value!r}"
        for name, value in after.items()
        if name not in MOVES and before.get(name) != value
    ]
    head, read_ms = _read_at(written)
    if head.size > fresh.head.size or audit.head_at(tx.conn, head.size) != head:
        against.append(f"the audit head of size {head.size} is not one of this workspace")
    if against:
        raise Refused(
            f"the documents in {folder} no longer fit: {against[0]}",
            reasons=against,
            code="release.stale_documents",
            remedy="Draft them again (--documents-only), and have counsel read what changed.",
        )
    return Papers(given, head, read_ms)


def _read(folder: Path, name: str) -> bytes:
    data = read_limited(folder / name, MAX_DOCUMENT_BYTES, follow=False)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError("It is no text in UTF-8", code="input.not_text", where=str(folder / name)) from error
    if not text.strip():
        raise InputError("It is empty", code="input.empty", where=str(folder / name))
    return data


def _parsed(data: bytes) -> dict[str, Any]:
    value = parse(data, max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(value, dict):
        raise BadDocument("Expected an object", code="document.field", where=FIGURES)
    return value


def _values(figures: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in figures["figures"]}


def _read_at(figures: dict[str, Any]) -> tuple[Head, int]:
    """The one head and moment of all figures. Raises BadDocument where they have several."""
    found = {_place(Fields(one, FIGURES)) for one in Fields(figures, FIGURES).list("figures", max_items=1_000)}
    if len(found) != 1:
        raise BadDocument("The figures were not read at one moment", code="document.field", where=FIGURES)
    return found.pop()


def _place(figure: Fields) -> tuple[Head, int]:
    head = figure.fields("audit_head")
    return Head(head.integer("size"), head.hex("root")), figure.fields("parameters").integer("read_at_ms")
