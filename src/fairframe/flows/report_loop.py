"""The loop as a picture: ten stations, two parties, two signed crossings. Drawn twice, for wide and narrow pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fairframe.flows.report_charts import NAMESPACE, text_of


@dataclass(frozen=True)
class Station:
    """One place of the loop. value: a count, or "not yet"; side: own (the library) or lab."""

    name: str
    value: str
    unit: str
    side: str = "own"


STATIONS = 10
"""Five on the library's way to the delivery, three in the lab, two on the way back."""
_ICONS = {
    "Footage": "M3 6h18v12H3z M3 9.5h18 M7 6v3.5 M12 6v3.5 M17 6v3.5",
    "Library": "M4 5h16v5H4z M4 10h16v5H4z M4 15h16v4H4z M10 7.5h4 M10 12.5h4 M10 17h4",
    "Rights": "M12 3l7.5 3v5.5c0 4.5-3.2 7.8-7.5 9.5-4.3-1.7-7.5-5-7.5-9.5V6z M8.5 12l2.6 2.6 4.6-5",
    "Curation": "M4 5h16l-6.2 7.2V19l-3.6-2v-4.8z",
    "Dataset": "M12 3l8 4.2v9.6L12 21l-8-4.2V7.2z M4 7.2l8 4.3 8-4.3 M12 11.5V21",
    "Training": "M4 18c3 0 3-12 6-12s3 8 5 8 2-4 5-4 M4 21h16",
    "Generation": "M4 5h16v14H4z M10 9l5.5 3L10 15z",
    "Provenance": "M8.5 8.5a3.5 3.5 0 1 0 0 7h2 M15.5 15.5a3.5 3.5 0 1 0 0-7h-2 M9 12h6",
    "Royalties": "M12 5.5a6.5 2.5 0 1 0 .01 0z M5.5 8v8c0 3.4 13 3.4 13 0V8 M5.5 12c0 3.4 13 3.4 13 0",
    "Contributors": (
        "M9 5a3.2 3.2 0 1 0 .01 0z M3.5 19.5c.4-3.4 2.6-5 5.5-5s5.1 1.6 5.5 5 M15 11.2a2.8 2.8 0 1 0 0-5.6 "
        "M17 14.7c2 .5 3.2 2 3.5 4.8"
    ),
}


def wide(stations: Sequence[Station], sent: str, reported: str) -> Markup:
    """1160 x 470: a ring. `sent`, `reported`: what the two crossings carry. Raises ValueError unless ten stations."""
    _ten(stations)
    box_w, box_h, gap, top, low, left = 184, 122, 48, 62, 300, 24
    xs = [left + n * (box_w + gap) for n in range(5)]
    body = Markup("")
    split = xs[2] - gap / 2
    body += _band(4, 14, 1152, 196, "own-band", "the library")
    body += _band(4, 262, split - 12, 196, "own-band", "")
    body += _band(split + 8, 262, 1156 - split - 8, 196, "lab-band", "the lab")
    places = [(x, top) for x in xs] + [(x, low) for x in reversed(xs)]
    middle = top + box_h / 2
    for x in xs[:4]:
        body += _arrow(f"M{x + box_w + 6} {middle} H{x + box_w + gap - 8}", "own")
    right = xs[4] + box_w / 2
    body += _arrow(f"M{right} {top + box_h + 4} V{low - 10}", "cross")
    middle = low + box_h / 2
    for n, x in enumerate(reversed(xs[1:])):
        crossing = n == 2
        body += _arrow(f"M{x - 6} {middle} H{x - gap + 8}", "cross" if crossing else "lab" if n < 2 else "own")
    body += _arrow(f"M{xs[0] + box_w / 2} {low - 4} V{top + box_h + 10}", "own")
    body += _label(right - 16, 242, sent, "end")
    body += _label(xs[2] + 4, 242, reported, "start")
    body += _label(xs[0] + box_w / 2 + 16, 242, "new footage, or a no", "start", "tick")
    body += Markup('<path class="thin" d="M{x} 250 V{y}"/>').format(x=split - 2, y=middle - 12)
    for station, (x, y) in zip(stations, places, strict=True):
        body += _box(station, x, y, box_w, box_h)
    return _svg(1160, 472, body, "loop-wide", stations)


def tall(stations: Sequence[Station], sent: str, reported: str) -> Markup:
    """380 wide: the same ring unrolled. Raises ValueError unless there are ten stations."""
    _ten(stations)
    body, y, box_w, box_h, x = Markup(""), 40, 320, 84, 34
    spans = ((5, "own-band", "the library"), (3, "lab-band", "the lab"), (2, "own-band", "the library again"))
    place = 0
    for many, band, words in spans:
        body += _band(8, y - 32, 364, 32 + many * (box_h + 22) - 4, band, words)
        for n in range(many):
            body += _row(stations[place], x, y + n * (box_h + 22), box_w, box_h)
            if n < many - 1:
                at = y + n * (box_h + 22) + box_h
                body += _arrow(f"M{x + 40} {at + 3} V{at + 16}", "lab" if band == "lab-band" else "own")
            place += 1
        y += many * (box_h + 22)
        if place < STATIONS:
            body += _arrow(f"M{x + 40} {y - 18} V{y + 40}", "cross")
            body += _label(x + 58, y + 20, sent if place == 5 else reported, "start")
            y += 82
    return _svg(380, y - 4, body, "loop-tall", stations)


def _ten(stations: Sequence[Station]) -> None:
    if len(stations) != STATIONS:
        raise ValueError(f"the loop has {STATIONS} stations, not {len(stations)}")


def _svg(width: float, height: float, body: Markup, kind: str, stations: Sequence[Station]) -> Markup:
    told = "; ".join(f"{one.name}: {one.value} {one.unit}" for one in stations)
    return Markup('<svg {} class="loop {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        NAMESPACE, kind, width, height, f"The loop. {told}", body
    )


def _band(x: float, y: float, width: float, height: float, kind: str, words: str) -> Markup:
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="18"/>').format(kind, x, y, width, height)
    if not words:
        return rect
    return rect + Markup('<text class="party {}" x="{}" y="{}">{}</text>').format(kind, x + 20, y + 24, words)


def _arrow(path: str, kind: str) -> Markup:
    """A line with a head: the head is a second path, since markers cannot take the line's color everywhere."""
    *_, last = path.split()
    start = path[1:].split()
    x0, y0 = float(start[0]), float(start[1])
    if last.startswith("H"):
        x, y = float(last[1:]), y0
        way = 1 if x > x0 else -1
        head = f"M{x - 6 * way} {y - 5} L{x} {y} L{x - 6 * way} {y + 5}"
    else:
        x, y = x0, float(last[1:])
        way = 1 if y > y0 else -1
        head = f"M{x - 5} {y - 6 * way} L{x} {y} L{x + 5} {y - 6 * way}"
    return Markup('<path class="arrow {}" d="{}"/><path class="arrow {}" d="{}"/>').format(kind, path, kind, head)


def _label(x: float, y: float, words: str, side: str, kind: str = "cross-words") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(kind, x, y, side, text_of(words))


def _icon(name: str, x: float, y: float, side: str) -> Markup:
    path = _ICONS.get(name, "M4 4h16v16H4z")
    return Markup('<path class="icon {}" transform="translate({} {})" d="{}"/>').format(side, x, y, path)


def _box(one: Station, x: float, y: float, width: float, height: float) -> Markup:
    box = Markup('<rect class="station {}" x="{}" y="{}" width="{}" height="{}" rx="12"/>').format(
        one.side, x, y, width, height
    )
    quiet = " none" if one.value == "not yet" else ""
    return (
        box
        + _icon(one.name, x + 14, y + 14, one.side)
        + Markup('<text class="place" x="{}" y="{}">{}</text>').format(x + 46, y + 31, one.name)
        + Markup('<text class="big{}" x="{}" y="{}">{}</text>').format(quiet, x + 16, y + 78, text_of(one.value, 16))
        + Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x + 16, y + 104, text_of(one.unit, 28))
    )


def _row(one: Station, x: float, y: float, width: float, height: float) -> Markup:
    box = Markup('<rect class="station {}" x="{}" y="{}" width="{}" height="{}" rx="12"/>').format(
        one.side, x, y, width, height
    )
    quiet = " none" if one.value == "not yet" else ""
    return (
        box
        + _icon(one.name, x + 14, y + 14, one.side)
        + Markup('<text class="place" x="{}" y="{}">{}</text>').format(x + 46, y + 31, one.name)
        + Markup('<text class="big{}" x="{}" y="{}" text-anchor="end">{}</text>').format(
            quiet, x + width - 16, y + 36, text_of(one.value, 16)
        )
        + Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
            x + width - 16, y + 66, text_of(one.unit, 40)
        )
    )
