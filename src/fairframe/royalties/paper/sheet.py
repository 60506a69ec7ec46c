"""Pages that are laid out from a start edge: the left one, or the right one in a language written from right to left.

Places are points from the start edge of the text area (`at`) and from the page's bottom (`y`); the same layout serves
both directions. Figures are set by their right end in both, so that they stand under each other.
"""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

from fairframe.royalties.paper.text import Line, clean, fitting, is_right, line
from fairframe.royalties.paper.words import Words
from fairframe.royalties.statement_amounts import Amount

PAGE = (595.2756, 841.8898)  # A4
MARGIN, TOP, BOTTOM = 48.0, 54.0, 58.0
WIDTH = PAGE[0] - 2 * MARGIN
INK, SOFT, FAINT, RULE = "#1d2430", "#5d6b7e", "#98a2b3", "#e4e7ec"
FEW = 3
"""Rows of a table that are kept together at its beginning and at its end."""
SMALL = 0.74
"""Of the size of an amount: how large the digits below a minor unit are."""
OWN, OWN_SOFT, REST, TAKEN, DEEP = "#0f766e", "#d9eeea", "#ebe7de", "#b45309", "#0c4a45"


class Sheet:
    """A document being drawn. y: the baseline below which nothing is drawn yet on this page."""

    def __init__(self, words: Words, title: str, author: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self.words = words
        self.y = PAGE[1] - TOP
        self._out = BytesIO()
        self.canvas: Any = Canvas(self._out, PAGE, pageCompression=1, invariant=1, lang=words.language)
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self.canvas.setCreator("Fairframe")
        if words.right:
            self.canvas.setViewerPreference("Direction", "R2L")
        self._filled = ""
        self._pages: list[dict[str, Any]] = []

    def room(self, height: float) -> bool:
        """Whether so much is left on the page; else a new page is begun."""
        if self.y - height >= BOTTOM:
            return True
        self.new_page()
        return False

    def rows(self, count: int, height: float, head: float) -> Iterator[range]:
        """The rows of a table, page by page; each page has a heading of `head` points. Pages are begun as they are
        needed. FEW rows stay together at the beginning and at the end, so fewer than twice as many do at all."""
        done = 0
        while done < count:
            left = count - done
            if self._fitting(height, head) < (left if left < 2 * FEW else FEW):
                self.new_page()
            fit = self._fitting(height, head)
            taken = left if fit >= left else min(fit, left - FEW)
            yield range(done, done + taken)
            done += taken

    def _fitting(self, height: float, head: float) -> int:
        return int((self.y - BOTTOM - head) / height)

    def new_page(self) -> None:
        self._pages.append(dict(self.canvas.__dict__))
        self.canvas._startPage()
        self._filled = ""
        self.y = PAGE[1] - TOP

    def finish(self, footer: str) -> bytes:
        """The document, with a footer and the number of each page."""
        self._pages.append(dict(self.canvas.__dict__))
        for number, page in enumerate(self._pages, 1):
            self.canvas.__dict__.update(page)
            self._filled = ""
            self.box(0, BOTTOM - 16, WIDTH, 0.6, RULE)
            self.start(0, BOTTOM - 28, footer, 7.5, SOFT)
            told = self.words["page"].format(page=number, pages=len(self._pages))
            self.end(WIDTH, BOTTOM - 28, told, 7.5, SOFT)
            self.canvas.showPage()
        self.canvas.save()
        return self._out.getvalue()

    def left(self, at: float, width: float = 0) -> float:
        """The page's x of the left end of what starts at `at` and is `width` wide."""
        return PAGE[0] - MARGIN - at - width if self.words.right else MARGIN + at

    def start(self, at: float, y: float, text: str, size: float, color: str = INK, bold: bool = False) -> float:
        """A text that begins at `at`; returns its width."""
        made = self.line(text, bold)
        self.draw(made, self.left(at, made.width * size), y, size, color)
        return made.width * size

    def end(self, at: float, y: float, text: str, size: float, color: str = INK, bold: bool = False) -> float:
        """A text that ends at `at`; returns its width."""
        made = self.line(text, bold)
        width = made.width * size
        self.draw(made, self.left(at - width, width), y, size, color)
        return width

    def figure(
        self, at: float, width: float, y: float, text: str, size: float, color: str = INK, inset: float = 0
    ) -> None:
        """A figure or its heading, set by its right end in the column [at, at + width), `inset` points before it."""
        made = self.line(text)
        self.draw(made, self.left(at, width) + width - inset - made.width * size, y, size, color)

    def amount(self, at: float, width: float, y: float, shown: Amount, size: float, color: str = INK) -> None:
        """An amount in a column: its whole units under those of others, the digits below them small and gray."""
        small = size * SMALL
        rest = self.line("000000").width * small + 1
        x = self.left(at, width) + width - rest
        made = self.line(shown.whole)
        self.draw(made, x - made.width * size, y, size, color)
        if shown.rest:
            self.draw(self.line(shown.rest), x + 1, y, small, FAINT)

    def line(self, text: str, bold: bool = False) -> Line:
        """A text by itself: its direction is that of its first letter, or that of the page where it has none."""
        text = clean(text)
        return line(text, bold, is_right(text))

    def box(self, at: float, y: float, width: float, height: float, color: str, radius: float = 0) -> None:
        """A filled box; y: its bottom."""
        self._fill(color)
        if radius:
            self.canvas.roundRect(self.left(at, width), y, width, height, radius, stroke=0, fill=1)
        else:
            self.canvas.rect(self.left(at, width), y, width, height, stroke=0, fill=1)

    def fit(self, text: str, width: float, size: float, bold: bool = False) -> str:
        """The text, or as much of its beginning as fits with an ellipsis."""
        text = clean(text)
        if self.line(text, bold).width * size <= width:
            return text
        length = fitting(text, lambda part: self.line(part.rstrip() + "…", bold).width * size <= width)
        return text[:length].rstrip() + "…"

    def _fill(self, color: str) -> None:
        if color != self._filled:
            self.canvas._code.append(_color(color))
            self._filled = color

    def draw(self, made: Line, x: float, y: float, size: float, color: str) -> None:
        self._fill(color)
        made.draw(self.canvas, x, y, size)


@cache
def _color(text: str) -> str:
    """The operator that fills with a color like #0f766e: written once, for there are thousands of changes."""
    parts = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return " ".join(f"{part:.4f}" for part in parts) + " rg"
