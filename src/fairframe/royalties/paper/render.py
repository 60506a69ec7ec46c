"""A statement on paper: the same facts as its signed file, as a PDF. The same statement gives the same bytes."""

import hashlib
from collections.abc import Sequence
from typing import Any

from fairframe.core.errors import InputError
from fairframe.core.money import Currency
from fairframe.core.time import to_rfc3339
from fairframe.royalties.paper.chart import Bar, chart, clips, ordered, short
from fairframe.royalties.paper.deals import deal, name_of
from fairframe.royalties.paper.faces import face, lacking
from fairframe.royalties.paper.head import head, period
from fairframe.royalties.paper.paragraph import paragraph
from fairframe.royalties.paper.sheet import INK, RULE, SOFT, WIDTH, Sheet
from fairframe.royalties.paper.text import clean
from fairframe.royalties.paper.words import LANGUAGES, WORDS
from fairframe.royalties.statement_amounts import Money
from fairframe.royalties.statement_payouts import standings
from fairframe.royalties.statements import Statement

COMMAND = "fairframe-verify statement.json --trust library-party.json"
ROW = 14.0


def render_pdf(statement: Statement, language: str = "en") -> bytes:
    """The paper. Raises InputError on a language that it does not speak, MissingExtra without reportlab."""
    if language not in LANGUAGES:
        raise InputError(
            f"a statement is not written in {language[:20]!r}", code="statement.language", remedy="Say en or ar"
        )
    face("sans", bold=False)  # says what is missing before anything is drawn
    body = statement.body
    words, money = WORDS[language], Money(Currency(body["currency"]))
    sheet = Sheet(words, f"{words['title']}, {clean(body['contributor']['name'])}", clean(body["library"]["name"]))
    head(sheet, money, body)
    if body["allocations"]:
        chart(sheet, money, words["by_deal"], _by_deal(sheet, body))
        chart(sheet, money, words["by_clip"], clips(body))
        _title(sheet, words["where"])
        for one in body["allocations"]:
            deal(sheet, money, one)
    _payouts(sheet, money, body)
    _adjustments(sheet, money, body)
    _check(sheet, statement)
    return sheet.finish(f"{statement.id} · {period(sheet, body)}")


def _by_deal(sheet: Sheet, body: dict[str, Any]) -> list[Bar]:
    """What each deal or model brought, the best first."""
    sums: dict[tuple[str, str], int] = {}
    names: dict[tuple[str, str], str] = {}
    for one in body["allocations"]:
        key = (one["agreement"]["id"], one["model"]["checkpoint"] if one["model"] else "")
        sums[key] = sums.get(key, 0) + int(one["own"]["amount_micro"])
        names[key] = name_of(sheet, one)
    return ordered(Bar(names[key], micro, short(key[1] or key[0])) for key, micro in sums.items())


def _title(sheet: Sheet, text: str) -> None:
    sheet.room(130)
    sheet.y -= 34
    sheet.start(0, sheet.y, text, 13, INK, True)


def _payouts(sheet: Sheet, money: Money, body: dict[str, Any]) -> None:
    words = sheet.words
    rows = [
        (
            words.date(one.booked_at),
            one.reference,
            words.states.get(one.state, one.state),
            *(money.minor(minor) if minor else "" for minor in (one.paid_minor, one.withheld_minor)),
        )
        for one in standings(body)
    ]
    names = ("date", "reference", "state", "paid", "withheld")
    _table(sheet, words["payouts"], [words[name] for name in names], (86, 178, 66, 85, 84), 2, rows)


def _adjustments(sheet: Sheet, money: Money, body: dict[str, Any]) -> None:
    words = sheet.words
    rows = [
        (
            words.date(one["booked_at"]),
            ": ".join(part for part in (words.kinds.get(one["kind"], one["kind"]), one["memo"]) if part),
            money.short(one["amount_micro"]),
        )
        for one in body["adjustments"]
    ]
    _table(sheet, words["adjustments"], [words["date"], words["what"], str(money)], (86, 293, 120), 1, rows)


def _table(
    sheet: Sheet, title: str, names: Sequence[str], widths: Sequence[float], figures: int, rows: list[tuple[str, ...]]
) -> None:
    """A table whose last `figures` columns hold figures; nothing where there is no row."""
    if not rows:
        return
    _title(sheet, title)
    for page in sheet.rows(len(rows), ROW, ROW):
        for at, row in enumerate([tuple(names), *(rows[at] for at in page)]):
            sheet.y -= ROW
            place, size, color = 0.0, 8.5 if at else 7.5, INK if at else SOFT
            for column, (text, width) in enumerate(zip(row, widths, strict=True)):
                if column >= len(row) - figures:
                    sheet.figure(place, width, sheet.y, text, size, color)
                else:
                    sheet.start(place, sheet.y, sheet.fit(text, width - 8, size), size, color)
                place += width
            sheet.box(0, sheet.y - 4, WIDTH, 0.4, RULE)


def _check(sheet: Sheet, statement: Statement) -> None:
    """How to recompute it, and which signed file this paper belongs to."""
    words, body = sheet.words, statement.body
    _title(sheet, words["check"])
    paragraph(sheet, words["check_1"], color=INK, size=8.5)
    sheet.room(20)
    sheet.y -= 18
    sheet.box(0, sheet.y - 5, WIDTH, 17, "#f4f2ee", 3)
    made = sheet.line(COMMAND, True)
    sheet.draw(made, sheet.left(8, made.width * 8.5), sheet.y, 8.5, INK)
    sheet.y -= 5
    paragraph(sheet, words["check_2"], color=SOFT, size=8)
    said = {
        "id": statement.id,
        "date": words.date(to_rfc3339(statement.bundle.issued_at_ms)),
        "library": body["library"]["name"],
    }
    paragraph(sheet, words["file"] + " {digest}", said | {"digest": hashlib.sha256(statement.envelope).hexdigest()},
              color=SOFT, size=8)  # fmt: skip
    if lacking(_names(body)):
        paragraph(sheet, words["lacking"], color=SOFT, size=8)


def _names(body: dict[str, Any]) -> str:
    """All text of a body that people gave."""
    deals = [one["agreement"]["licensee"] or {"name": ""} for one in body["allocations"]]
    named = [body["contributor"], body["library"], *deals]
    files = [clip["title"] + clip["filename"] for one in body["allocations"] for clip in one["assets"]]
    told = [one["memo"] for one in body["adjustments"]] + [one["reference"] for one in body["payouts"]]
    return clean("".join([*(one["name"] for one in named), *files, *told]))
