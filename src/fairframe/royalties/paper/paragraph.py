"""Sentences with values in them, broken into lines. Each value keeps its own direction among the words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from string import Formatter

from fairframe.royalties.paper.sheet import INK, WIDTH, Sheet
from fairframe.royalties.paper.text import Line, clean, fitting, is_right, line

LEADING = 1.45


@dataclass(frozen=True)
class _Word:
    """part: which literal or value of the sentence it belongs to. spaced: whether a space stands before it."""

    part: int
    value: bool
    text: str
    spaced: bool


def paragraph(
    sheet: Sheet,
    template: str,
    values: Mapping[str, str] | None = None,
    *,
    at: float = 0,
    width: float = WIDTH,
    size: float = 9,
    color: str = INK,
) -> None:
    """Draw a template with its values from sheet.y on, over pages where it must, and move sheet.y below it."""
    right = sheet.words.right
    for words in broken(list(words_of(template, values or {})), width / size, right):
        sheet.room(size * LEADING)
        sheet.y -= size * LEADING
        place = at
        for spaced, part in _parts(words, right):
            place += _space() * size if spaced and place > at else 0
            part_width = part.width * size
            sheet.draw(part, sheet.left(place, part_width), sheet.y, size, color)
            place += part_width


def words_of(template: str, values: Mapping[str, str]) -> Iterator[_Word]:
    part, spaced = 0, False
    for literal, field, _, _ in Formatter().parse(template):
        for value, text in ((False, literal), (True, clean(values[field]) if field else "")):
            shown = clean(text)
            spaced = spaced or text[:1].isspace()
            for word in shown.split():
                yield _Word(part, value, word, spaced)
                spaced = True
            spaced = text[-1:].isspace() if shown else spaced or bool(text)
            part += 1


def broken(words: list[_Word], width: float, right: bool) -> Iterator[list[_Word]]:
    """Words of each line: as many as fit, by the widths that they have alone; no break where no space is."""
    current: list[_Word] = []
    used = 0.0
    for bound in _bound(piece for whole in words for piece in _pieces(whole, width)):
        wide = sum(line(word.text, False, right).width for word in bound)
        gap = _space() if current else 0.0
        if current and used + gap + wide > width:
            yield current
            current, used, gap = [], 0.0, 0.0
        current += bound
        used += gap + wide
    if current:
        yield current


def _bound(words: Iterable[_Word]) -> Iterator[list[_Word]]:
    """Words with those that follow them without a space."""
    bound: list[_Word] = []
    for word in words:
        if bound and word.spaced:
            yield bound
            bound = []
        bound.append(word)
    if bound:
        yield bound


def _pieces(word: _Word, width: float) -> Iterator[_Word]:
    """The word, or parts of it that fit on a line each."""
    text, spaced = word.text, word.spaced
    while line(text).width > width:
        take = fitting(text, lambda part: line(part).width <= width)
        yield _Word(word.part, word.value, text[:take], spaced)
        text, spaced = text[take:], True
    yield _Word(word.part, word.value, text, spaced)


def _parts(words: list[_Word], right: bool) -> Iterator[tuple[bool, Line]]:
    """The line's parts in reading order: whether a space stands before, and the glyphs."""
    for _, group in groupby(words, lambda word: word.part):
        some = list(group)
        text = "".join((" " if word.spaced and at else "") + word.text for at, word in enumerate(some))
        yield some[0].spaced, line(text, False, is_right(text) if some[0].value else right)


def _space() -> float:
    return line("a b").width - line("ab").width
