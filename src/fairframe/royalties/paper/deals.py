"""One allocation on paper: the deal, how its pool came about, the own part, and what each clip got of it."""

from collections.abc import Mapping
from typing import Any

from fairframe.royalties.paper.chart import short
from fairframe.royalties.paper.paragraph import paragraph
from fairframe.royalties.paper.sheet import FAINT, FEW, INK, OWN, REST, RULE, SOFT, TAKEN, WIDTH, Sheet
from fairframe.royalties.statement_amounts import Money, by_file, count, percent

FIGURE, WEIGHT = 104.0, 110.0
ROW = 13.5


def name_of(sheet: Sheet, one: dict[str, Any]) -> str:
    """What an allocation is called: the model, or the licensee as far as it may be named."""
    if one["model"] is not None:
        return sheet.words["model"].format(name=one["model"]["name"] or one["model"]["checkpoint"])
    licensee = one["agreement"]["licensee"]
    return sheet.words["unnamed"] if licensee is None else licensee["name"] or licensee["id"]


def deal(sheet: Sheet, money: Money, one: dict[str, Any]) -> None:
    """Draw an allocation from sheet.y on."""
    own, words = one["own"], sheet.words
    rows = sum(clip["weight"] != "0" for clip in one["assets"])
    sheet.room(104 + (rows + 1 if rows < 2 * FEW else FEW + 1) * ROW)
    sheet.y -= 22
    micro = int(own["amount_micro"])
    purpose = one["agreement"]["purpose"]
    tag = words["license"].format(purpose=words.purposes.get(purpose, purpose))
    taken = sheet.end(WIDTH, sheet.y, money.short(micro), 10.5, OWN if micro >= 0 else TAKEN, True)
    mark = short(one["agreement"]["id"])
    room = WIDTH - taken - 30 - sheet.line(tag).width * 8.5 - sheet.line(mark).width * 7
    wide = 8 + sheet.start(0, sheet.y, sheet.fit(name_of(sheet, one), room, 10.5, True), 10.5, INK, True)
    wide += 6 + sheet.start(wide, sheet.y, tag, 8.5, SOFT)
    sheet.start(wide, sheet.y, mark, 7, FAINT)
    sheet.y -= 3
    for template, values in sentences(sheet, money, one):
        paragraph(sheet, template, values, size=9)
    _bar(sheet, own, one)
    paragraph(sheet, *_rounding(sheet, money, one), size=8, color=SOFT)
    clips(sheet, money, one)


def sentences(sheet: Sheet, money: Money, one: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """How the pool and the own part came about, as templates with their values."""
    words, revenue, own = sheet.words, one["revenue"], one["own"]
    came = {
        "gross": money.minor_of(abs(int(revenue["gross_minor"]))),
        "net": money.minor_of(abs(int(revenue["net_minor"]))),
        "date": words.date(revenue["effective_at"]),
    }
    key = "refund" if micro_of(one) < 0 else "came" if revenue["tax_minor"] == "0" else "came_tax"
    pool = {
        "share": one["agreement"]["share"],
        "pool": money.short(one["pool_micro"]),
        "count": count(one["contributors"]),
    }
    part = {
        "weight": count(own["weight"]),
        "total": count(one["weight_total"]),
        "unit": words.units.get(one["method"], one["unit"]),
        "percent": percent(own["weight"], one["weight_total"]),
    }
    return [(words[key], came), (words["pool"], pool), (words["part"], part)]


def micro_of(one: dict[str, Any]) -> int:
    """The pool of an allocation in micro units; below zero where money went back."""
    return int(one["pool_micro"])


def _bar(sheet: Sheet, own: dict[str, Any], one: dict[str, Any]) -> None:
    sheet.y -= 11
    part = int(own["weight"]) / int(one["weight_total"])
    sheet.box(0, sheet.y, WIDTH, 5, REST, 2.5)
    if part:
        width = max(5.0, WIDTH * part)
        sheet.box(0, sheet.y, width, 5, OWN, 2.5)


def _rounding(sheet: Sheet, money: Money, one: dict[str, Any]) -> tuple[str, dict[str, str]]:
    own, words = one["own"], sheet.words
    formula = f"{money.exact(abs(micro_of(one)))} × {count(own['weight'])} ÷ {count(one['weight_total'])}"
    key = "even" if one["extra_units"] == "0" else "extra_own" if own["extra"] else "extra_none"
    values = {"formula": formula, "floor": money.exact(own["floor_micro"])}
    return f"{words['exactly']} {words[key]}", values | {
        "units": f"{count(one['extra_units'])} × {money.exact(1)} {money}"
    }


def clips(sheet: Sheet, money: Money, one: dict[str, Any]) -> None:
    """The clips of an allocation as a table, its heading repeated on each page; those without weight are counted."""
    unit = sheet.words.units.get(one["method"], one["unit"])
    lines = by_file(clip for clip in one["assets"] if clip["weight"] != "0")
    for page in sheet.rows(len(lines), ROW, ROW + 4):
        _heading(sheet, money, unit)
        for at in page:
            _clip(sheet, money, lines[at])
            if at + 1 < page.stop:
                sheet.box(0, sheet.y - 4, WIDTH, 0.4, RULE)
    if len(lines) < len(one["assets"]):
        text = sheet.words["weightless"].format(count=count(len(one["assets"]) - len(lines)))
        paragraph(sheet, text, size=8, color=SOFT)


def _clip(sheet: Sheet, money: Money, clip: Mapping[str, Any]) -> None:
    sheet.y -= ROW
    room = WIDTH - FIGURE - WEIGHT - 12
    title = sheet.fit(clip["title"] or clip["filename"], room * (0.68 if clip["title"] else 1), 8.5)
    wide = sheet.start(0, sheet.y, title, 8.5)
    if clip["title"]:
        sheet.start(wide + 8, sheet.y, sheet.fit(clip["filename"], room - wide - 8, 7), 7, FAINT)
    sheet.figure(WIDTH - FIGURE - WEIGHT, WEIGHT, sheet.y, count(clip["weight"]), 8.5, SOFT)
    sheet.amount(WIDTH - FIGURE, FIGURE, sheet.y, money.amount(clip["amount_micro"]), 8.5)


def _heading(sheet: Sheet, money: Money, unit: str) -> None:
    sheet.y -= ROW + 4
    sheet.start(0, sheet.y, sheet.words["clip"], 7.5, SOFT)
    sheet.figure(WIDTH - FIGURE - WEIGHT, WEIGHT, sheet.y, unit, 7.5, SOFT)
    sheet.figure(WIDTH - FIGURE, FIGURE, sheet.y, str(money), 7.5, SOFT, 22)
    sheet.box(0, sheet.y - 4, WIDTH, 0.6, RULE)
