"""The plain values that clearance decides on, and reading them for some assets out of the tables.

This is the row-wise side, for explaining one asset and re-checking a few; the whole set is decided in clearing.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.library import facts as said
from fairframe.library import release_words
from fairframe.library.tables import (
    asset,
    asset_fact,
    collection,
    collection_asset,
    contributor,
    document_release,
    ownership,
    signal,
)
from fairframe.platform.tx import Row, Tx
from fairframe.rights.consent import FOREVER_MS, Event, ToldTerms, event_of
from fairframe.rights.moment import Moment
from fairframe.rights.papers import NEVER_MS, ReleaseView
from fairframe.rights.tables import consent_event, contributor_terms, hold, hold_lift, ruling, terms_acceptance

CHUNK = 400
"""Assets per round of queries; below the parameter limit of every SQLite."""


@dataclass(frozen=True)
class OwnerView:
    """Somebody who must permit: the contributor who brought the asset, or who owns a share of it."""

    label: str
    events: tuple[Event, ...] = ()
    told: tuple[ToldTerms, ...] = ()


@dataclass(frozen=True)
class SignalView:
    kind: str
    key: str
    value: str
    trust: str
    recorded_at_ms: int = 0


@dataclass(frozen=True)
class HoldView:
    code: str
    reason: str


@dataclass(frozen=True)
class RulingView:
    """The ruling of a person that counts for a finding.

    An allow counts while it is the newest about that finding and has not expired. A deny counts until it expires or a
    later allow speaks: so one more deny never lifts anything, and no older allow comes back when a deny expires.
    """

    label: str
    finding: str
    decision: str
    recorded_at_ms: int = FOREVER_MS


@dataclass(frozen=True)
class AssetView:
    """One asset as it was known at a moment. An empty text means that nobody has said anything.

    width, height: pixels after rotation. releases: all that had begun, revoked ones too. owners: never empty.
    collections: public ids.
    """

    kind: str
    width: int
    height: int
    owners: tuple[OwnerView, ...]
    people: str = ""
    property_release: str = ""
    editorial: str = ""
    releases: tuple[ReleaseView, ...] = ()
    signals: tuple[SignalView, ...] = ()
    holds: tuple[HoldView, ...] = ()
    rulings: tuple[RulingView, ...] = ()
    collections: frozenset[str] = frozenset()


def load(tx: Tx, asset_ids: Iterable[int], moment: Moment) -> dict[int, AssetView]:
    """asset id -> its view; ids that do not exist, or were not recorded by then, are left out."""
    ids = sorted(set(asset_ids))
    views: dict[int, AssetView] = {}
    for start in range(0, len(ids), CHUNK):
        views.update(_chunk(tx, ids[start : start + CHUNK], moment))
    return views


def _chunk(tx: Tx, ids: Sequence[int], moment: Moment) -> dict[int, AssetView]:
    def held(table: sa.Table) -> dict[int, list[Row]]:
        """asset id -> rows in force, oldest first."""
        rows = tx.rows(table.select().where(table.c.asset_id.in_(ids), *_in_force(table, moment)).order_by(table.c.id))
        return _by(rows, "asset_id")

    found = tx.rows(asset.select().where(asset.c.id.in_(ids), asset.c.recorded_at_ms <= moment.known_at_ms))
    words, papers, marks = held(asset_fact), held(document_release), held(signal)
    rulings, holds, sets = held(ruling), _holds(tx, ids, moment), _collections(tx, ids, moment)
    owners = _owners(tx, {row["id"]: row["contributor_id"] for row in found}, held(ownership), moment)
    views: dict[int, AssetView] = {}
    for row in found:
        key = row["id"]
        facts = said.as_of(words[key], moment.at_ms)
        views[key] = AssetView(
            kind=row["kind"],
            width=row["width"],
            height=row["height"],
            owners=tuple(owners[key]),
            people=_value(facts, "people"),
            property_release=_value(facts, "property_release"),
            editorial=_value(facts, "editorial"),
            releases=tuple(_releases(papers[key])),
            signals=tuple(
                SignalView(s["kind"], s["key"], s["value"], s["trust"], s["recorded_at_ms"]) for s in marks[key]
            ),
            holds=tuple(holds[key]),
            rulings=tuple(_rulings(rulings[key], moment)),
            collections=frozenset(sets[key]),
        )
    return views


def _owners(
    tx: Tx, brought_by: Mapping[int, int], shares: Mapping[int, Sequence[Row]], moment: Moment
) -> dict[int, list[OwnerView]]:
    """asset id -> who must permit: who brought it, and the owners of the newest set of shares in force.

    A set is the rows of an asset with the same (valid_from, recorded_at).
    """
    pairs: dict[int, list[int]] = {}
    for key, brought in brought_by.items():
        rows = shares.get(key, ())
        newest = max(((r["valid_from_ms"], r["recorded_at_ms"]) for r in rows), default=None)
        also = {r["contributor_id"] for r in rows if (r["valid_from_ms"], r["recorded_at_ms"]) == newest}
        pairs[key] = [brought, *sorted(also - {brought})]
    people = sorted({one for some in pairs.values() for one in some})
    labels = dict[int, str]()
    told: dict[int, list[ToldTerms]] = defaultdict(list)
    for start in range(0, len(people), CHUNK):
        some = people[start : start + CHUNK]
        rows = tx.rows(sa.select(contributor.c.id, contributor.c.public_id).where(contributor.c.id.in_(some)))
        labels.update({row["id"]: row["public_id"] for row in rows})
        _told(tx, some, moment, told)
    events = _events(tx, list(pairs), people, moment)
    return {
        key: [OwnerView(labels[one], tuple(events[one, 0] + events[one, key]), tuple(told[one])) for one in pairs[key]]
        for key in pairs
    }


def _told(tx: Tx, people: Sequence[int], moment: Moment, into: dict[int, list[ToldTerms]]) -> None:
    terms = contributor_terms
    statement = sa.select(terms_acceptance, terms).join_from(terms_acceptance, terms)
    statement = statement.with_only_columns(
        terms_acceptance,
        *(terms.c[name] for name in ("name", "version", "regime", "names", "notice_days", "effective_ms")),
    ).where(terms_acceptance.c.contributor_id.in_(people), *_in_force(terms_acceptance, moment))
    for row in tx.rows(statement.order_by(terms_acceptance.c.id)):
        into[row["contributor_id"]].append(
            ToldTerms(
                label=f"{row['name']} version {row['version']}",
                regime=row["regime"],
                names=tuple(row["names"]),
                notice_days=row["notice_days"],
                effective_ms=row["effective_ms"],
                noticed_ms=row["noticed_ms"],
                valid_from_ms=row["valid_from_ms"],
                recorded_at_ms=row["recorded_at_ms"],
                id=row["id"],
            )
        )


def _events(
    tx: Tx, ids: Sequence[int], people: Sequence[int], moment: Moment
) -> "defaultdict[tuple[int, int], list[Event]]":
    """(contributor, asset id; 0 for their whole work) -> consent events in force."""
    found: defaultdict[tuple[int, int], list[Event]] = defaultdict(list)
    member = collection_asset.c.asset_id.in_(ids) & (collection_asset.c.recorded_at_ms <= moment.known_at_ms)
    holding = _by(tx.rows(collection_asset.select().where(member)), "collection_id")
    base = consent_event.select().where(*_in_force(consent_event, moment)).order_by(consent_event.c.id)
    parts = [(consent_event.c.asset_id, "asset", list(ids)), (consent_event.c.collection_id, "collection", [*holding])]
    whole = consent_event.c.contributor_id, "contributor", list(people)
    for column, scope, keys in (*parts, whole):
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            for row in tx.rows(base.where(column.in_(some), consent_event.c.scope == scope)):
                event = event_of(row)
                assets = [m["asset_id"] for m in holding[event.subject]] if scope == "collection" else [event.subject]
                for key in assets:
                    found[row["contributor_id"], key].append(event)
    return found


def _holds(tx: Tx, ids: Sequence[int], moment: Moment) -> "defaultdict[int, list[HoldView]]":
    lifted = sa.select(hold_lift.c.hold_id).where(*_in_force(hold_lift, moment))
    statement = hold.select().where(hold.c.asset_id.in_(ids), hold.c.id.not_in(lifted), *_in_force(hold, moment))
    standing: defaultdict[int, list[HoldView]] = defaultdict(list)
    for row in tx.rows(statement.order_by(hold.c.id)):
        standing[row["asset_id"]].append(HoldView(row["code"], row["reason"]))
    return standing


def _collections(tx: Tx, ids: Sequence[int], moment: Moment) -> "defaultdict[int, set[str]]":
    """asset id -> public ids of the collections that it is in."""
    member = collection_asset
    joined = member.join(collection, collection.c.id == member.c.collection_id)
    statement = sa.select(member.c.asset_id, collection.c.public_id).select_from(joined)
    found: defaultdict[int, set[str]] = defaultdict(set)
    for row in tx.rows(statement.where(member.c.asset_id.in_(ids), member.c.recorded_at_ms <= moment.known_at_ms)):
        found[row["asset_id"]].add(row["public_id"])
    return found


def _releases(rows: Sequence[Row]) -> list[ReleaseView]:
    revoked: dict[int, tuple[int, int, int]] = {}
    for row in rows:
        if row["revokes_id"] is not None:
            (begins, recorded, key), older = _place(row), revoked.get(row["revokes_id"], (0, 0, 0))
            revoked[row["revokes_id"]] = max(begins, older[0]), max(recorded, older[1]), max(key, older[2])
    return [
        ReleaseView(
            label=row["public_id"],
            kind=row["kind"],
            ai_training=bool(row["ai_training"]),
            place=_place(row),
            territory=release_words.plain(row, "territory"),
            until_ms=NEVER_MS if row["valid_until_ms"] is None else row["valid_until_ms"],
            minor=bool(row["minor"]),
            guardian=bool(row["guardian"]),
            revoked=revoked.get(row["id"]),
        )
        for row in rows
        if row["revokes_id"] is None
    ]


def _place(row: Row) -> tuple[int, int, int]:
    return row["valid_from_ms"], row["recorded_at_ms"], row["id"]


def _rulings(rows: Sequence[Row], moment: Moment) -> list[RulingView]:
    counting: dict[str, Row] = {}
    for row in sorted(rows, key=_place):
        expired = row["expires_ms"] is not None and row["expires_ms"] <= moment.at_ms
        older = counting.get(row["finding"])
        if not expired:
            counting[row["finding"]] = row
        elif older is not None and (row["decision"] == "allow" or older["decision"] == "allow"):
            del counting[row["finding"]]
    return [
        RulingView(r["public_id"], r["finding"], r["decision"], r["recorded_at_ms"])
        for _, r in sorted(counting.items(), key=lambda item: item[1]["id"])
    ]


def _in_force(table: sa.Table, moment: Moment) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.valid_from_ms <= moment.at_ms, table.c.recorded_at_ms <= moment.known_at_ms


def _by(rows: Iterable[Row], column: str) -> "defaultdict[int, list[Row]]":
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return grouped


def _value(facts: Mapping[Any, Row], name: str) -> str:
    return str(facts[name]["value"]) if name in facts else ""
