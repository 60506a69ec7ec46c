"""The chart: what each deal and each clip brought, as bars on one scale each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairframe.royalties.paper.sheet import FAINT, INK, OWN, REST, SOFT, TAKEN, WIDTH, Sheet
from fairframe.royalties.statement_amounts import Money, count

MOST = 8
"""Bars of one group; the others are summed up in a last one."""
LABEL, FIGURE, ROW = 172.0, 96.0, 15.0


@dataclass(frozen=True)
class Bar:
    """mark: told behind the label, where another bar has the same one."""

    label: str
    micro: int
    mark: str = ""


def clips(body: dict[str, Any]) -> list[Bar]:
    """What each clip brought over all allocations, the best first."""
    sums: dict[str, list[Any]] = {}
    for one in body["allocations"]:
        for clip in one["assets"]:
            line = sums.setdefault(clip["asset"], [clip["title"] or clip["filename"], 0])
            line[1] += int(clip["amount_micro"])
    return ordered(Bar(label, micro, short(asset)) for asset, (label, micro) in sums.items())


def ordered(bars: Iterable[Bar]) -> list[Bar]:
    """The best first; a mark stays where two have one label."""
    found = sorted(bars, key=lambda bar: (-bar.micro, bar.label, bar.mark))
    often = Counter(bar.label for bar in found)
    return [bar if often[bar.label] > 1 else replace(bar, mark="") for bar in found]


def short(public_id: str) -> str:
    """The beginning of an id, which tells it from others on one paper: "agr_1bbt4ed9"."""
    return public_id[:12]


def chart(sheet: Sheet, money: Money, heading: str, bars: Sequence[Bar]) -> None:
    """Draw one group of bars from sheet.y on."""
    shown = list(bars[:MOST]) if len(bars) > MOST + 1 else list(bars)
    rest = bars[len(shown) :]
    sheet.room(26 + ROW * (len(shown) + bool(rest)))
    sheet.y -= 20
    sheet.start(0, sheet.y, heading, 9, SOFT)
    sheet.y -= 2
    most = max((abs(bar.micro) for bar in shown), default=0) or 1
    for bar in shown:
        _bar(sheet, money, bar, abs(bar.micro) / most)
    if rest:
        last = Bar(sheet.words["more"].format(count=count(len(rest))), sum(bar.micro for bar in rest))
        _bar(sheet, money, last, 0)


def _bar(sheet: Sheet, money: Money, bar: Bar, part: float) -> None:
    sheet.y -= ROW
    marked = sheet.line(bar.mark).width * 7 + 5 if bar.mark else 0
    wide = sheet.start(0, sheet.y, sheet.fit(bar.label, LABEL - 10 - marked, 8.5), 8.5, INK if part else SOFT)
    if bar.mark:
        sheet.start(wide + 5, sheet.y, bar.mark, 7, FAINT)
    room = WIDTH - LABEL - FIGURE - 8
    if part:
        sheet.box(LABEL, sheet.y - 1.5, room, 9, REST, 2)
        sheet.box(
            LABEL, sheet.y - 1.5, max(2.0, room * part), 9, TAKEN if bar.micro < 0 else OWN, min(2.0, room * part)
        )
    sheet.amount(WIDTH - FIGURE, FIGURE, sheet.y, money.amount(bar.micro), 8.5)
