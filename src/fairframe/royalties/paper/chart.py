"""The chart: what each deal and each clip brought, as bars on one scale each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairframe.royalties.paper.sheet import INK, OWN, REST, SOFT, TAKEN, WIDTH, Sheet
from fairframe.royalties.statement_amounts import Money, count

MOST = 8
"""Bars of one group; the others are summed up in a last one."""
LABEL, FIGURE, ROW = 172.0, 96.0, 15.0


@dataclass(frozen=True)
class Bar:
    label: str
    micro: int


def clips(body: dict[str, Any]) -> list[Bar]:
    """What each clip brought over all allocations, the best first."""
    sums: dict[str, list[Any]] = {}
    for one in body["allocations"]:
        for clip in one["assets"]:
            line = sums.setdefault(clip["asset"], [clip["title"] or clip["filename"], 0])
            line[1] += int(clip["amount_micro"])
    return _ordered(Bar(label, micro) for label, micro in sums.values())


def _ordered(bars: Any) -> list[Bar]:
    return sorted(bars, key=lambda bar: (-bar.micro, bar.label))


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
    sheet.start(0, sheet.y, sheet.fit(bar.label, LABEL - 10, 8.5), 8.5, INK if part else SOFT)
    room = WIDTH - LABEL - FIGURE - 8
    if part:
        sheet.box(LABEL, sheet.y - 1.5, room, 9, REST, 2)
        sheet.box(
            LABEL, sheet.y - 1.5, max(2.0, room * part), 9, TAKEN if bar.micro < 0 else OWN, min(2.0, room * part)
        )
    sheet.amount(WIDTH - FIGURE, FIGURE, sheet.y, money.amount(bar.micro), 8.5)
