"""Makes the fonts that a statement's PDF is set in: subsets of Noto, of the package fonts-noto-core (OFL 1.1).

    python scripts/fonts.py /usr/share/fonts/truetype/noto     (needs fontTools)

Noto Sans keeps all that it covers (Latin, Greek, Cyrillic and what Vietnamese needs); Noto Naskh Arabic keeps the
Arabic blocks, figures and marks. Hints are dropped, and so are features that a statement does not use. Each glyph that
only shaping reaches gets a fixed code in the private use area, so that reportlab can address it the same way in every
run; the text itself is put into the PDF beside it. The same source files give the same bytes.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "src/fairframe/royalties/paper/fonts"
PRIVATE = range(0xE000, 0xF900)
"""The private use area: text that holds such a code is not drawn by it."""
ARABIC = [*range(0x20, 0x7F), *range(0xA0, 0x100), *range(0x600, 0x700), *range(0x750, 0x780), *range(0x8A0, 0x900)]
ARABIC += [*range(0x2010, 0x2028), 0x2030, 0x2212, 0xFDF2, 0xFD3E, 0xFD3F]
FEATURES = ["ccmp", "locl", "mark", "mkmk", "kern", "init", "medi", "fina", "isol", "rlig", "calt", "liga", "curs"]
MADE = {
    "NotoSans-Regular": None,
    "NotoSans-Bold": None,
    "NotoNaskhArabic-Regular": ARABIC,
    "NotoNaskhArabic-Bold": ARABIC,
}


def make(source: Path, wanted: list[int] | None) -> bytes:
    """The subset of one font file as bytes. wanted: code points; None for all that it has."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options(hinting=False, layout_features=FEATURES, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
    options.drop_tables += ["DSIG", "FFTM", "STAT", "meta"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=wanted or list(font.getBestCmap()))
    cutter.subset(font)
    _address(font)
    target = FOLDER / f"{source.stem}.ttf"
    font.save(target, reorderTables=True)
    return target.read_bytes()


def _address(font: TTFont) -> None:
    """Give every glyph without a code one of the private use area, in glyph order."""
    font["cmap"].tables = [one for one in font["cmap"].tables if one.isUnicode() and one.format in (4, 12)]
    public = {code: name for code, name in font.getBestCmap().items() if code not in PRIVATE}
    known = set(public.values())
    nameless = [name for name in font.getGlyphOrder()[1:] if name not in known]
    private = dict(zip(PRIVATE, nameless, strict=False))
    for table in font["cmap"].tables:
        most = 0x10FFFF if table.format == 12 else 0xFFFF
        table.cmap = {code: name for code, name in public.items() if code <= most} | private


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, wanted in MADE.items():
        data = make(Path(sys.argv[1]) / f"{name}.ttf", wanted)
        print(f"{name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
