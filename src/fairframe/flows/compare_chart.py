"""A comparison of split methods as one SVG that stands alone: a bar per contributor and method, a color per method."""

from markupsafe import Markup, escape

from fairframe.core.money import MICRO, Currency, Money, format_money
from fairframe.flows.report_charts import nice, text_of
from fairframe.royalties.compare import Column, Comparison, Line

MOST = 12
"""Contributors that are drawn one by one; the others are one group."""
WIDTH = 960
LEFT, RIGHT = 190, 150
BAR, GAP, GROUP = 11, 2, 16
TOP = 92
COLORS = ("#1f6feb", "#d9730d", "#2da44e", "#8250df", "#bf3989", "#6e7781")
STYLE = Markup("""
svg{font:13px system-ui,"Noto Sans",sans-serif;background:#fff}text{fill:#1c2128}.mute{fill:#57606a}
.title{font-size:17px;font-weight:600}.num{font-size:11px;font-variant-numeric:tabular-nums}.grid{stroke:#d0d7de}
@media (prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.mute{fill:#9198a1}.grid{stroke:#30363d}}
""")


def chart(found: Comparison, currency: str, title: str) -> str:
    """The SVG document. Amounts are in major units; empty methods stand in the legend, with the reason."""
    shown = _shown(found)
    drawn = [place for place, one in enumerate(found.columns) if not one.empty]
    most = max((amount for line in shown for amount in line.amounts), default=0)
    unit = MICRO * 10 ** Currency(currency).exponent
    top = nice(most / unit) * unit if most else unit
    tall = len(drawn) * (BAR + GAP) + GROUP
    legend, below = _legend(found.columns)
    body, height = Markup(""), below + max(len(shown), 1) * tall + 40
    body += _grid(top, unit, below, height - 34, currency)
    for row, line in enumerate(shown):
        y = below + row * tall + GROUP / 2
        middle = y + len(drawn) * (BAR + GAP) / 2
        body += Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            LEFT - 12, round(middle + 4, 1), text_of(line.name, 24)
        )
        for at, place in enumerate(drawn):
            amount = line.amounts[place]
            wide = round((WIDTH - LEFT - RIGHT) * amount / top, 1)
            up = round(y + at * (BAR + GAP), 1)
            body += Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="2" fill="{}"/>').format(
                LEFT, up, max(wide, 0.6) if amount else 0, BAR, COLORS[place % len(COLORS)]
            )
            body += Markup('<text class="num mute" x="{}" y="{}">{}</text>').format(
                LEFT + wide + 6, round(up + BAR - 1.5, 1), _minor(amount, currency)
            )
    if not shown:
        body += Markup('<text class="mute" x="{}" y="{}">nobody has a weight yet</text>').format(LEFT, below + 24)
    pool = f"{_minor(found.pool_micro, currency)} {currency}"
    head = Markup('<text class="title" x="24" y="34">{}</text><text class="mute" x="24" y="54">{}</text>').format(
        text_of(title, 90), f"a pool of {pool} under each split method"
    )
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
            'aria-label="{}"><style>{}</style>{}{}{}</svg>\n'
        ).format(escape(title), STYLE, head, legend, body, w=WIDTH, h=height)
    )


def _minor(micro: int, currency: str) -> str:
    """Whole minor units, as a decimal without the currency."""
    return format_money(Money(micro // MICRO, Currency(currency))).removesuffix(f" {currency}")


def _shown(found: Comparison) -> list[Line]:
    """The largest, and all others together."""
    if len(found.lines) <= MOST:
        return list(found.lines)
    rest = found.lines[MOST - 1 :]
    sums = tuple(sum(line.amounts[place] for line in rest) for place in range(len(found.columns)))
    return [*found.lines[: MOST - 1], Line("", f"{len(rest)} others", sums)]


def _legend(columns: tuple[Column, ...]) -> tuple[Markup, int]:
    """A line per method, and where the bars may begin."""
    body, y = Markup(""), TOP - 12
    for place, one in enumerate(columns):
        words = one.empty or one.unit
        body += Markup(
            '<rect x="24" y="{}" width="12" height="12" rx="2" fill="{}"/><text x="44" y="{}">{}<tspan class="mute">{}'
            "</tspan></text>"
        ).format(
            y - 10,
            "none" if one.empty else COLORS[place % len(COLORS)],
            y,
            one.method,
            (", which is agreed" if one.holds else "") + f": {words}",
        )
        y += 20
    return body, y + 8


def _grid(top: float, unit: int, up: float, down: float, currency: str) -> Markup:
    body = Markup("")
    for part in range(5):
        x = round(LEFT + (WIDTH - LEFT - RIGHT) * part / 4, 1)
        label = f"{top * part / 4 / unit:,.10g}" + (f" {currency}" if part == 4 else "")
        body += Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/><text class="num mute" x="{x}" y="{}" '
            'text-anchor="middle">{}</text>'
        ).format(up, down, down + 18, label, x=x)
    return body
