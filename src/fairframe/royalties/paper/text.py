"""A line of text as glyphs in their places: bidirectional order, then shaping by harfbuzz, run by run.

Order: the Unicode Bidirectional Algorithm (UAX #9) by python-bidi for the levels, rule L2 here over runs, because
harfbuzz wants a run in reading order. Characters that steer direction are taken out of names: they could make an
amount read otherwise than it is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from fairframe.royalties.paper.faces import MISSING, Face, split_by_face

_JOINERS = "\u200c\u200d"
_RIGHT = ("R", "AL")
_FIGURE = re.compile("[0-9.,% -]+")
LINE_LETTERS = 400
"""More than fit on a line: what is longer is not looked at whole, for a name can be of any length."""


@dataclass(frozen=True)
class Run:
    """Glyphs of one face, left to right. said: the text that they stand for, "" where the glyphs' codes say it.

    moved: whether harfbuzz places a glyph elsewhere than behind the one before it (a mark over its letter).
    """

    face: Face
    glyphs: str
    width: float
    said: str
    moved: bool

    def draw(self, canvas: Any, x: float, y: float, size: float) -> None:
        if self.moved:
            out = canvas.beginText(x, y)
            out.setFont(self.face.name, size)
            out.textOut(self.glyphs)
            canvas.drawText(out)
            return
        font, document = (
            self.face.font,
            canvas._doc,
        )  # glyphs that stand side by side: most of a page, so without detours
        shown = (
            f"{font.getSubsetInternalName(subset, document)} {size:.6g} Tf ({canvas._escape(codes)}) Tj"
            for subset, codes in font.splitString(self.glyphs, document)
        )
        canvas._code.append(f"BT 1 0 0 1 {x:.6g} {y:.6g} Tm {' '.join(shown)} ET")


@dataclass(frozen=True)
class Line:
    """Runs from left to right; width is that at one point of size."""

    runs: tuple[Run, ...]
    width: float

    def draw(self, canvas: Any, x: float, y: float, size: float) -> None:
        """Draw it with its left end at x, on the baseline y, in the canvas's fill color."""
        for run in self.runs:
            if run.said:
                canvas._code.append(f"/Span <</ActualText <FEFF{run.said.encode('utf-16-be').hex().upper()}>>> BDC")
            run.draw(canvas, x, y, size * run.face.scale)
            if run.said:
                canvas._code.append("EMC")
            x += run.width * size


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """A text of one line without characters that cannot be seen: they are dropped, spaces are made one."""
    kept = (one for one in text if one in _JOINERS or unicodedata.category(one) not in ("Cf", "Co", "Cs", "Cn"))
    return " ".join("".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in kept).split())


@lru_cache(maxsize=4096)
def line(text: str, bold: bool = False, right: bool | None = None) -> Line:
    """The glyphs of a text (cleaned by `clean`). right: its base direction; None: that of its first strong letter."""
    runs = tuple(run for level, part in _levels(text, right) for run in _shape(part, bold, level % 2 == 1))
    return Line(runs, sum(run.width for run in runs))


def fitting(text: str, fits: Callable[[str], bool]) -> int:
    """How many letters of the beginning of a text fit, at least 1: by halving, looking at LINE_LETTERS at most."""
    low, high = 1, min(len(text), LINE_LETTERS)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


def is_right(text: str) -> bool:
    """Whether a text's first strong letter is one that is written from right to left."""
    kinds = (unicodedata.bidirectional(one) for one in text)
    return next((kind in _RIGHT for kind in kinds if kind in ("L", *_RIGHT)), False)


def _levels(text: str, right: bool | None) -> list[tuple[int, str]]:
    """(level, part of the text in reading order), in visual order from the left."""
    base = is_right(text) if right is None else right
    if not base and not any(unicodedata.bidirectional(one) in (*_RIGHT, "AN") for one in text):
        return [(0, text)]
    runs = [
        (level, "".join(letter for _, letter in letters))
        for level, letters in groupby(_resolved(text, base), lambda pair: pair[0])
    ]
    highest = max((level for level, _ in runs), default=0)
    for level in range(highest, 0, -1):
        at = 0
        while at < len(runs):
            end = at
            while end < len(runs) and runs[end][0] >= level:
                end += 1
            runs[at:end] = reversed(runs[at:end])
            at = end + 1
    return runs


def _resolved(text: str, right: bool) -> Iterator[tuple[int, str]]:
    """Each letter with its embedding level."""
    from bidi import algorithm

    storage: Any = algorithm.get_empty_storage()
    storage["base_level"], storage["base_dir"] = int(right), "R" if right else "L"
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    for one in storage["chars"]:
        yield one["level"], one["ch"]


def _shape(text: str, bold: bool, right: bool) -> Iterator[Run]:
    parts = list(split_by_face(text, bold))
    for face, part in reversed(parts) if right else parts:
        yield _run(face, part, right)


def _run(face: Face, text: str, right: bool) -> Run:
    from reportlab.pdfbase import ttfonts

    if not right and _FIGURE.fullmatch(text):  # most of what a statement has, and nothing in it to shape
        width = sum(face.font.face.charWidths[ord(one)] for one in text)
        return Run(face, text, width * face.scale / 1000, "", False)
    made: Any = ttfonts
    buffer = _shaped(face, text, right)
    codes, data, width, moved = "", list[Any](), 0, False
    for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        code = face.codes.get(glyph.codepoint, MISSING)
        own = face.font.face.charWidths.get(ord(code), 0)
        codes += code
        moved = moved or place.x_advance != own or place.x_offset != 0 or place.y_offset != 0
        data.append(made.ShapeData(glyph.cluster, place.x_advance, 0, place.x_offset, place.y_offset, own))
        width += place.x_advance
    said = "" if codes == text else text
    return Run(face, made.ShapedStr(codes, data) if moved else codes, width * face.scale / 1000, said, moved)


def _shaped(face: Face, text: str, right: bool) -> Any:
    """The buffer of harfbuzz with a text's glyphs, left to right."""
    import uharfbuzz

    harfbuzz: Any = uharfbuzz
    buffer = harfbuzz.Buffer()
    buffer.cluster_level = harfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
    buffer.add_str("".join(one if ord(one) in face.covered or one in _JOINERS else MISSING for one in text))
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if right else "ltr"
    harfbuzz.shape(face.shaper, buffer, {"kern": False, "liga": True})
    return buffer
