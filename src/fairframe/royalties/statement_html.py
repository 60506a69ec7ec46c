"""A statement as one page of HTML for a person: no script, nothing loaded from elsewhere, prints on paper."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.money import Currency, format_micro
from fairframe.core.time import to_rfc3339
from fairframe.library.tables import asset
from fairframe.platform.tx import Tx
from fairframe.royalties.paper.words import ENGLISH
from fairframe.royalties.statement_amounts import Amount, Money, count, percent
from fairframe.royalties.statement_payouts import standings
from fairframe.royalties.statements import Statement

if TYPE_CHECKING:
    from jinja2 import Template

BARS = 12
"""Clips that the chart shows; the others are summed up in a line."""
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ROW, _LEFT, _RIGHT = 40, 250, 560
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}


@dataclass(frozen=True)
class Bar:
    """One clip of the chart: where it stands and how long its bar is, in the SVG's units."""

    y: int
    width: int
    title: str
    detail: str
    amount: Amount
    poster: str


def render_html(statement: Statement, posters: Mapping[str, bytes] | None = None) -> str:
    """The page. posters: asset id -> a JPEG, PNG or WebP image of the clip; without them the chart has none."""
    body = statement.body
    currency = Currency(body["currency"])
    money = Money(currency)
    bars, others, rest = _chart(body, currency, posters or {})
    return _template().render(
        body=body,
        payouts=standings(body),
        states=ENGLISH.states,
        statement=statement,
        issued=to_rfc3339(statement.bundle.issued_at_ms),
        head=statement.bundle.audit_head,
        amount=money.amount,
        minor=money.minor,
        exact=money.exact,
        count=count,
        percent=percent,
        date=_date,
        one_unit=format_micro(1, currency),
        bars=bars,
        others=others,
        others_amount=rest,
        chart_height=len(bars) * _ROW + 8,
        left=_LEFT,
    )


def load_posters(tx: Tx, statement: Statement) -> dict[str, bytes]:
    """The posters of a statement's best clips, as far as the library has them."""
    wanted = [clip for clip, *_ in _clips(statement.body)[:BARS]]
    rows = tx.rows(sa.select(asset.c.public_id, asset.c.poster_key).where(asset.c.public_id.in_(wanted)))
    keys = {row["public_id"]: row["poster_key"] for row in rows if row["poster_key"]}
    held = {clip: tx.ws.objects.path(key) for clip, key in keys.items()}
    return {clip: path.read_bytes() for clip, path in held.items() if path.is_file()}


def _clips(body: Mapping[str, Any]) -> list[tuple[str, str, str, int]]:
    """(asset, title, filename, micro) summed over the allocations, the best first."""
    sums: dict[str, list[Any]] = {}
    for one in body["allocations"]:
        for clip in one["assets"]:
            line = sums.setdefault(clip["asset"], [clip["title"] or clip["filename"], clip["filename"], 0])
            line[2] += int(clip["amount_micro"])
    clips = [(key, title, filename, micro) for key, (title, filename, micro) in sums.items()]
    return sorted(clips, key=lambda clip: (-clip[3], clip[1], clip[0]))


def _chart(body: Mapping[str, Any], currency: Currency, posters: Mapping[str, bytes]) -> tuple[list[Bar], int, Amount]:
    clips = _clips(body)
    most = max([1, *(micro for *_, micro in clips[:1])])
    bars = [
        Bar(
            y=at * _ROW,
            width=max(2, micro * (_RIGHT - _LEFT) // most),
            title=_short(title, 30),
            detail=_short(filename, 38) if filename != title else "",
            amount=Amount.of(micro, currency),
            poster=_data_uri(posters.get(clip, b"")),
        )
        for at, (clip, title, filename, micro) in enumerate(clips[:BARS])
    ]
    rest = sum(micro for *_, micro in clips[BARS:])
    return bars, len(clips) - len(bars), Amount.of(rest, currency)


def _data_uri(image: bytes) -> str:
    kind = next((kind for magic, kind in _IMAGES.items() if image.startswith(magic)), None)
    return f"data:{kind};base64,{base64.b64encode(image).decode()}" if kind else ""


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _date(time: str) -> str:
    """ "17 June 2026" of an RFC 3339 time, in UTC."""
    return f"{int(time[8:10])} {MONTHS[int(time[5:7]) - 1]} {time[:4]}"


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    source = files("fairframe.royalties").joinpath("statement.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)
