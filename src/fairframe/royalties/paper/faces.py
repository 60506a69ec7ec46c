"""The fonts of a statement on paper, and which of them draws a letter.

Two faces, each regular and bold: Noto Sans for Latin, Greek and Cyrillic script, Noto Naskh Arabic for Arabic script.
What neither covers (Hebrew, Devanagari, Chinese, ...) is drawn as a mark for a missing letter, and the paper says so;
the signed file has every name as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import MissingExtra

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont

FILES = {
    ("sans", False): "NotoSans-Regular",
    ("sans", True): "NotoSans-Bold",
    ("arabic", False): "NotoNaskhArabic-Regular",
    ("arabic", True): "NotoNaskhArabic-Bold",
}
ARABIC_SCALE = 1.12
"""Naskh is drawn a little larger: its letters are small for their size beside Latin ones."""
_ARABIC = (range(0x600, 0x700), range(0x750, 0x780), range(0x8A0, 0x900), range(0xFB50, 0xFE00), range(0xFE70, 0xFF00))
_PRIVATE = range(0xE000, 0xF900)
MISSING = "\ufffd"


@dataclass(frozen=True)
class Face:
    """A font as reportlab and harfbuzz know it. codes: glyph number -> the code by which reportlab draws it."""

    name: str
    scale: float
    font: "TTFont"
    shaper: Any
    covered: frozenset[int]
    codes: dict[int, str]

    def __hash__(self) -> int:
        return hash(self.name)


@cache
def face(script: str, bold: bool) -> Face:
    """A face by script ("sans", "arabic") and weight, loaded once. Raises MissingExtra."""
    try:
        import_module("bidi")  # text.py needs it
        import uharfbuzz
        from reportlab import rl_config
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
    except ImportError as error:
        raise MissingExtra(
            "a statement on paper needs reportlab, uharfbuzz and python-bidi",
            remedy='Install them: pip install "fairframe[money]"',
        ) from error
    rl_config.useA85 = 0  # streams as bytes: text encoding of them costs time and a quarter of the size
    stem = FILES[script, bold]
    with files("fairframe.royalties.paper").joinpath("fonts", f"{stem}.ttf").open("rb") as stream:
        font: Any = TTFont(stem, stream, asciiReadable=False)
    pdfmetrics.registerFont(font)
    harfbuzz: Any = uharfbuzz
    shaper = harfbuzz.Font(harfbuzz.Face(font.face._ttf_data))
    shaper.scale = (1000, 1000)
    covered = frozenset(code for code in font.face.charToGlyph if code not in _PRIVATE)
    codes = {glyph: chr(known[0]) for glyph, known in font.face.glyphToChar.items()}
    return Face(stem, ARABIC_SCALE if script == "arabic" else 1.0, font, shaper, covered, codes)


def is_arabic(letter: str) -> bool:
    return any(ord(letter) in block for block in _ARABIC)


def split_by_face(text: str, bold: bool) -> Iterator[tuple[Face, str]]:
    """A text in parts that one face draws each; what is written between words goes with what is before it."""
    sans, arabic = face("sans", bold), face("arabic", bold)
    current, start = None, 0
    for at, letter in enumerate(text):
        fits = arabic if is_arabic(letter) else sans
        if current is not None and not letter.isalnum() and ord(letter) in current.covered:
            fits = current
        if current is not None and fits is not current:
            yield current, text[start:at]
            start = at
        current = fits
    if current is not None:
        yield current, text[start:]


def lacking(text: str) -> bool:
    """Whether the faces lack a letter of a text."""
    known = face("sans", False).covered | face("arabic", False).covered
    return any(ord(letter) not in known for letter in text)
