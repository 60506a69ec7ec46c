"""What a report tells of a library: plain values from its database, bounded in number whatever its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import FairframeError
from fairframe.curation.tables import duplicate, shot
from fairframe.dataset import listing
from fairframe.dataset.funnel import Gate
from fairframe.dataset.listing import Listed
from fairframe.dataset.obligations import Owed, owed
from fairframe.flows import report_pictures as pictures
from fairframe.flows.report_agreements import Deal, deals_of
from fairframe.flows.report_pictures import Strip
from fairframe.flows.report_words import clean
from fairframe.library.tables import asset, contributor, refusal
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, holds, incidents, moment
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import CODES
from fairframe.rights.tables import contributor_terms

SHOWN_ASSETS = 30
SHOWN_ROWS = 12
SHOWN_STRIPS = 4


@dataclass(frozen=True)
class Counts:
    """What is in the library. duration_ms, size_bytes: of all assets."""

    contributors: int
    assets: int
    refused: int
    duration_ms: int
    size_bytes: int
    shots: int
    groups: int


@dataclass(frozen=True)
class Card:
    """An asset as a picture with a verdict under an agreement. reasons: finding codes; words: the first in full."""

    title: str
    filename: str
    contributor: str
    poster: str
    outcome: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Clearance:
    """The decisions about all assets under one agreement: by outcome, and by finding code."""

    deal: Deal
    at_ms: int
    counts: Mapping[str, int]
    findings: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def against(self) -> list[tuple[str, int, str]]:
        """(code, assets, outcome) of what stands against assets, most frequent first."""
        rows = [(code, n, CODES[code]) for code, n in self.findings.items() if CODES.get(code, "ALLOW") != "ALLOW"]
        return sorted(rows, key=lambda row: (-row[1], row[0]))


@dataclass(frozen=True)
class Release:
    """A dataset release, the gates of its build, and what the lab was told to delete of it."""

    listed: Listed
    gates: tuple[Gate, ...]
    owed: tuple[Owed, ...] = ()


@dataclass(frozen=True)
class ShotStrip:
    """A shot as frames."""

    title: str
    contributor: str
    start_ms: int
    end_ms: int
    strip: Strip


@dataclass(frozen=True)
class Case:
    """An open incident: a no of somebody that was recorded later than it is valid from."""

    contributor: str
    valid_from_ms: int
    recorded_at_ms: int
    due_ms: int
    answers: str
    overdue: bool


@dataclass(frozen=True)
class Library:
    """Everything that a report tells of a library, but for money (report_money) and what labs reported."""

    counts: Counts
    contributors: tuple[str, ...]
    cards: tuple[Card, ...]
    refused: tuple[tuple[str, str], ...]
    holds: tuple[Row, ...]
    terms: tuple[Row, ...]
    deals: tuple[Deal, ...]
    clearances: tuple[Clearance, ...]
    releases: tuple[Release, ...]
    strips: tuple[ShotStrip, ...]
    incidents: tuple[Case, ...] = ()


def read_library(ws: Workspace) -> Library:
    """Read a library; clearance is decided anew, as of now, for every agreement in force or on offer."""
    with ws.read() as tx:
        deals = deals_of(tx)
    clearances = clearances_of(ws, deals)
    with ws.read() as tx:
        first = next((one.deal for one in clearances), None)
        return Library(
            counts=_counts(tx),
            contributors=tuple(clean(r["name"], 60) for r in tx.rows(contributor.select().limit(SHOWN_ASSETS))),
            cards=_cards(tx, first.agreement if first else None),
            refused=_refused(tx),
            holds=tuple(holds.listing(tx)[:SHOWN_ROWS]),
            terms=tuple(tx.rows(contributor_terms.select().order_by(contributor_terms.c.id.desc()).limit(SHOWN_ROWS))),
            deals=deals,
            clearances=clearances,
            releases=tuple(_release(tx, one) for one in reversed(listing.listing(tx)[:SHOWN_ROWS])),
            strips=_strips(tx),
            incidents=tuple(_case(row, tx.now_ms) for row in incidents.listing(tx)[:SHOWN_ROWS]),
        )


def clearances_of(ws: Workspace, deals: Sequence[Deal], known_at_ms: int | None = None) -> tuple[Clearance, ...]:
    """The decisions per agreement, as of now or with what was recorded by `known_at_ms`; oldest agreement first."""
    found: list[Clearance] = []
    for deal in [one for one in deals if one.state in ("active", "pending", "offered")][:SHOWN_ROWS]:
        known: dict[str, Any] = {} if known_at_ms is None else {"at_ms": known_at_ms, "known_at_ms": known_at_ms}
        try:
            done = clearing.clear_agreement(ws, deal.agreement, **known)
        except (FairframeError, ImportError):
            continue
        found.append(Clearance(deal, done.at_ms, done.counts, done.findings))
    return tuple(found)


def _case(row: Row, now_ms: int) -> Case:
    times = {name: int(row[name]) for name in ("valid_from_ms", "recorded_at_ms", "due_ms")}
    overdue = incidents.state(row, now_ms) == "overdue"
    return Case(clean(row["contributor_name"], 60), answers=clean(row["answers"], 60), overdue=overdue, **times)


def _release(tx: Tx, listed: Listed) -> Release:
    funnel = listing.funnel_of(tx, listed.id)
    sent = (owed(tx, one["public_id"], "out") for one in listing.deliveries_of_release(tx, listed.id))
    return Release(listed, funnel.gates if funnel else (), tuple(one for one in sent if one.items))


def _counts(tx: Tx) -> Counts:
    sums = tx.row(sa.select(sa.func.count(), sa.func.sum(asset.c.duration_ms), sa.func.sum(asset.c.size_bytes)))
    assets, duration_ms, size_bytes = (int(v or 0) for v in (sums or {}).values()) if sums else (0, 0, 0)
    return Counts(
        contributors=_count(tx, contributor),
        assets=assets,
        refused=_count(tx, refusal),
        duration_ms=duration_ms,
        size_bytes=size_bytes,
        shots=_count(tx, shot),
        groups=int(tx.scalar(sa.select(sa.func.count(sa.distinct(duplicate.c.group_id)))) or 0),
    )


def _count(tx: Tx, table: sa.Table) -> int:
    return int(tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _cards(tx: Tx, agreement: Agreement | None) -> tuple[Card, ...]:
    from fairframe.rights import facts
    from fairframe.rights.clearance import clear

    joined = sa.select(asset, contributor.c.name).join(contributor, contributor.c.id == asset.c.contributor_id)
    rows = tx.rows(joined.order_by(asset.c.id).limit(SHOWN_ASSETS))
    decided: dict[int, Any] = {}
    if agreement is not None:
        when = moment.present(tx)
        views = facts.load(tx, [row["id"] for row in rows], when)
        decided = {
            key: clear(
                view,
                agreement.terms,
                agreement.purpose,
                when.at_ms,
                when.known_at_ms,
                until_ms=agreement.ends_ms,
            )
            for key, view in views.items()
        }
    return tuple(_card(tx, row, decided.get(row["id"])) for row in rows)


def _card(tx: Tx, row: Row, decision: Any) -> Card:
    picture = pictures.poster(tx.ws.objects.path(row["poster_key"])) if row["poster_key"] else ""
    reasons = tuple(f.code for f in decision.findings if f.outcome != "ALLOW") if decision else ()
    return Card(
        title=clean(row["title"] or row["filename"], 60),
        filename=clean(row["filename"], 60),
        contributor=clean(row["name"], 60),
        poster=picture,
        outcome=decision.outcome if decision else "",
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _refused(tx: Tx) -> tuple[tuple[str, str], ...]:
    rows = tx.rows(refusal.select().order_by(refusal.c.id.desc()).limit(SHOWN_ROWS))
    return tuple((clean(row["filename"], 80), clean(row["message"])) for row in rows)


def _strips(tx: Tx) -> tuple[ShotStrip, ...]:
    """One shot each of a few assets, of as many contributors as there are."""
    joined = (
        sa.select(shot, asset.c.content_hash, asset.c.title, asset.c.filename)
        .add_columns(contributor.c.name, asset.c.contributor_id)
        .join(asset, asset.c.id == shot.c.asset_id)
        .join(contributor, contributor.c.id == asset.c.contributor_id)
        .where(shot.c.motion_milli > 0, shot.c.end_frame <= pictures.MAX_FRAMES)
        .order_by(shot.c.id)
        .limit(600)
    )
    chosen: dict[int, Row] = {}
    for row in tx.rows(joined):
        chosen.setdefault(row["contributor_id"], row)
    found = [_shot_strip(tx, row) for row in list(chosen.values())[:SHOWN_STRIPS]]
    return tuple(one for one in found if one.strip.frames)


def _shot_strip(tx: Tx, row: Row) -> ShotStrip:
    strip = pictures.strip(tx.ws.objects.path(row["content_hash"]), row["start_frame"], row["end_frame"])
    title = clean(row["title"] or row["filename"], 60)
    return ShotStrip(title, clean(row["name"], 60), row["start_ms"], row["end_ms"], strip)
