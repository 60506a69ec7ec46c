"""The head of a statement: whose it is, what was earned, and the way from the opening balance to the closing one."""

from typing import Any

from fairframe.royalties.paper.paragraph import paragraph
from fairframe.royalties.paper.sheet import DEEP, INK, MARGIN, OWN_SOFT, PAGE, RULE, SOFT, WIDTH, Sheet
from fairframe.royalties.statement_amounts import Money

BAND = 168.0
STRIP = 46.0
PALE = "#b7d8d3"
SUMS = ("opening", "earned", "adjusted", "withheld", "paid", "closing")
SELDOM = ("adjusted", "withheld")


def head(sheet: Sheet, money: Money, body: dict[str, Any]) -> None:
    """Draw the band over the page's width and the strip of sums, and move sheet.y below them."""
    words = sheet.words
    top = PAGE[1]
    sheet.box(-MARGIN, top - BAND, PAGE[0], BAND, DEEP)
    sheet.start(0, top - 46, sheet.fit(body["library"]["name"], WIDTH / 2, 10), 10, PALE)
    sheet.end(WIDTH, top - 46, words["title"], 10, PALE)
    _name(sheet, body["contributor"]["name"], top - 70)
    sheet.start(0, top - 86, period(sheet, body), 9, PALE)
    _hero(sheet, money, body, top - 146)
    sheet.y = top - BAND - STRIP - 14
    _strip(sheet, money, body)
    shown = {
        "payable": money.minor_of(body["payable_minor"]),
        "accrued": money.short(body["accrued_micro"]),
        "carry": money.short(body["carry_micro"]),
    }
    less = body["accrued_micro"].startswith("-")
    paragraph(sheet, words["made_of_less" if less else "made_of"], shown, size=8.5, color=SOFT)


def period(sheet: Sheet, body: dict[str, Any]) -> str:
    """The period in words, its last day included; one from the beginning has no first day."""
    words, within = sheet.words, body["period"]
    days = {"from": words.date(within["from"]), "to": words.date(within["to"], 1)}
    return words["up_to" if within["from"].startswith("1970") else "period"].format(**days)


def _name(sheet: Sheet, name: str, y: float) -> None:
    """The contributor's name, smaller where it is long, cut only where it is very long."""
    wide = sheet.line(name, True).width
    size = max(9.0, min(17.0, WIDTH / wide)) if wide else 17.0
    sheet.start(0, y, sheet.fit(name, WIDTH + 1, size, True), size, "#ffffff", True)


def _hero(sheet: Sheet, money: Money, body: dict[str, Any], y: float) -> None:
    """What was earned, large."""
    earned = money.amount(body["earned_micro"])
    sheet.start(0, y + 34, sheet.words["hero" if body["allocations"] else "no_hero"], 10, PALE)
    parts = [(earned.whole, 34.0, "#ffffff"), (earned.rest, 15.0, PALE), (f" {money}", 16.0, PALE)]
    widths = [sheet.line(text).width * size + (6 if at == 2 else 1) for at, (text, size, _) in enumerate(parts)]
    place = sheet.left(0, sum(widths))
    for (text, size, color), width in zip(parts, widths, strict=True):
        made = sheet.line(text)
        sheet.draw(made, place + width - made.width * size, y, size, color)
        place += width


def _strip(sheet: Sheet, money: Money, body: dict[str, Any]) -> None:
    sums = [name for name in SUMS if name not in SELDOM or body[f"{name}_micro"] != "0"]
    each = (WIDTH + 5) / len(sums)
    for at, name in enumerate(sums):
        last = name == "closing"
        sheet.box(each * at, sheet.y, each - 5, STRIP, OWN_SOFT if last else "#f7f6f3", 4)
        label = sheet.fit(sheet.words[name], each - 16, 8)
        sheet.start(each * at + 8, sheet.y + STRIP - 15, label, 8, SOFT)
        sign = -1 if name in ("withheld", "paid") else 1
        shown = money.amount(sign * int(body[f"{name}_micro"]))
        made, rest = sheet.line(shown.whole, last), sheet.line(shown.rest)
        size = min(11.5, (each - 19) / (made.width + rest.width * 0.6))
        x = sheet.left(each * at + 8, made.width * size + rest.width * size * 0.6)
        sheet.draw(made, x, sheet.y + 12, size, INK)
        sheet.draw(rest, x + made.width * size + 0.7, sheet.y + 12, size * 0.6, SOFT)
    sheet.box(0, sheet.y - 8, WIDTH, 0.6, RULE)
    sheet.y -= 8
