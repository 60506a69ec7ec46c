"""Small charts: values in, SVG out. Colors come from the page's style sheet by class, so both themes fit.

Classes: own (the library, or what is won), lab, warn (to be reviewed), stop (denied, or lost), mute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

NAMESPACE = Markup('xmlns="http://www.w3.org/2000/svg"')


@dataclass(frozen=True)
class Series:
    """A line: its name, its values (one per step), its color class."""

    name: str
    values: Sequence[float]
    kind: str = "own"


def bar(part: float, whole: float, kind: str = "own") -> Markup:
    """One horizontal bar, `part` of `whole` filled; as wide as its cell. The number stands beside it as text."""
    width = 0.0 if whole <= 0 else max(0.0, min(1.0, part / whole)) * 100
    width = max(width, 0.6) if part > 0 else 0.0
    return Markup(
        '<svg {} class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100" height="10"/><rect class="{}" width="{}" height="10"/></svg>'
    ).format(NAMESPACE, kind, _n(width))


def stack(parts: Sequence[tuple[str, float]]) -> Markup:
    """One bar of several parts (class, value), side by side."""
    total = sum(value for _, value in parts)
    rects, x = Markup(""), 0.0
    for kind, value in parts:
        width = 100 * value / total if total > 0 else 0.0
        if width:
            rects += Markup('<rect class="{}" x="{}" width="{}" height="10"/>').format(kind, _n(x), _n(width))
        x += width
    return Markup(
        '<svg {} class="bar tall" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><rect class="track" width="100" height="10"/>{}</svg>'
    ).format(NAMESPACE, rects)


def thinned(values: Sequence[float], most: int = 240) -> list[tuple[float, float, float, float]]:
    """At most `most` bins of a long series: (middle step, mean, least, greatest). Values that are no numbers go."""
    count = min(most, len(values))
    bins: list[tuple[float, float, float, float]] = []
    for place in range(count):
        start, end = place * len(values) // count, (place + 1) * len(values) // count
        some = [v for v in values[start:end] if v == v and abs(v) != float("inf")]
        if some:
            bins.append(((start + end - 1) / 2, sum(some) / len(some), min(some), max(some)))
    return bins


def lines(series: Sequence[Series], *, title: str, x_words: str, width: int = 560, height: int = 250) -> Markup:
    """Lines over steps, with the spread of each bin behind the mean. The vertical axis begins at zero."""
    drawn = [(one, thinned(one.values)) for one in series]
    drawn = [(one, bins) for one, bins in drawn if bins]
    if not drawn:
        return Markup("")
    steps = max(len(one.values) for one, _ in drawn)
    # the first steps of a training tower over all that follows: the axis ends where almost all means lie
    means = sorted(mean for _, bins in drawn for _, mean, _, _ in bins)
    top = nice(means[int(0.985 * (len(means) - 1))] * 1.05 or 1.0)
    left, right, up, down = 48, 12, 12, 34
    inner_w, inner_h = width - left - right, height - up - down

    def at(x: float, y: float) -> str:
        return f"{_n(left + inner_w * x / max(1, steps - 1))} {_n(up + inner_h * (1 - min(y, top) / top))}"

    body = Markup("")
    for part in range(5):
        y = up + inner_h * part / 4
        body += Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(left, width - right, y=_n(y))
        label = f"{top * (4 - part) / 4:.3g}"
        body += Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
            left - 8, _n(y + 4), label
        )
    for one, bins in drawn:
        band = " L".join([at(x, high) for x, _, _, high in bins] + [at(x, low) for x, _, low, _ in reversed(bins)])
        path = " L".join(at(x, mean) for x, mean, _, _ in bins)
        body += Markup('<path class="band {}" d="M{} Z"/><path class="line {}" d="M{}"/>').format(
            one.kind, band, one.kind, path
        )
    ticks = Markup("")
    for x, words, side in ((left, "1", "start"), (width - right, f"{steps:,} {x_words}", "end")):
        ticks += Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            x, height - 10, side, words
        )
    return Markup('<svg {} class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        NAMESPACE, width, height, title, body, ticks
    )


def gains(values: Sequence[float], *, title: str, width: int = 560, height: int = 170) -> Markup:
    """One column per value, up where it won (own), down where it lost (stop), largest first."""
    ordered = sorted((v for v in values if v == v and abs(v) != float("inf")), reverse=True)[:80]
    if not ordered:
        return Markup("")
    most = max(max(ordered), 0.0), max(-min(ordered), 0.0)
    span = (most[0] + most[1]) or 1.0
    left, up, inner = 48, 14, height - 28
    zero = up + inner * most[0] / span
    step = (width - left - 12) / len(ordered)
    body = Markup("")
    for place, value in enumerate(ordered):
        tall = max(1.0, inner * abs(value) / span)
        body += Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1.5"/>').format(
            "own" if value > 0 else "stop",
            _n(left + place * step + step * 0.12),
            _n(zero - tall if value > 0 else zero),
            _n(min(step * 0.76, 34)),
            _n(tall),
        )
    body += Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(left, width - 12, y=_n(zero))
    for value, y in ((most[0], up), (0.0, zero), (-most[1], up + inner)):
        if value or y == zero:
            text = f"{value:+.1f}" if value else "0"
            body += Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
                left - 8, _n(y + 4), text
            )
    return Markup('<svg {} class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        NAMESPACE, width, height, title, body
    )


def interval(low: float, value: float, high: float, *, title: str, width: int = 560, height: int = 74) -> Markup:
    """A value with its interval beside zero."""
    ends = [low, high, value, 0.0]
    if any(v != v or abs(v) == float("inf") for v in ends):
        return Markup("")
    reach = (max(ends) - min(ends)) or 1.0
    start, span = min(ends) - 0.12 * reach, reach * 1.24
    won = "own" if low > 0 else "stop" if high < 0 else "warn"

    def x(v: float) -> str:
        return _n(14 + (width - 28) * (v - start) / span)

    body = Markup('<line class="axis" x1="{z}" x2="{z}" y1="6" y2="46"/>').format(z=x(0.0))
    if min(abs(float(x(0.0)) - float(x(v))) for v in (low, high)) > 48:
        body += Markup('<text class="tick" x="{}" y="64" text-anchor="middle">0</text>').format(x(0.0))
    body += Markup('<line class="whisker {}" x1="{}" x2="{}" y1="26" y2="26"/>').format(won, x(low), x(high))
    body += Markup('<circle class="{}" cx="{}" cy="26" r="6"/>').format(won, x(value))
    for v in (low, high):
        body += Markup('<text class="tick" x="{}" y="64" text-anchor="middle">{}</text>').format(x(v), f"{v:+.4f}")
    return Markup('<svg {} class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        NAMESPACE, width, height, title, body
    )


def nice(value: float) -> float:
    """The next round number at or above a positive value."""
    if value <= 0 or value != value or value == float("inf"):
        return 1.0
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 1.0
    while power > value:
        power /= 10
    return next(power * step for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if power * step >= value * 0.999999)


def text_of(words: str, most: int = 60) -> Markup:
    return escape(words if len(words) <= most else words[: most - 1] + "…")


def _n(number: float) -> str:
    """A coordinate: two decimals at most, never in exponent form."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
