"""Who was told of a version of contributors' terms, in time or not, who objected, and who was never told.

A version binds only whom it was told of: for the others the version before goes on to hold (consent.governing).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.time import DAY_MS
from fairframe.library.tables import contributor
from fairframe.platform.tx import Row, Tx
from fairframe.rights.tables import consent_event, terms_acceptance
from fairframe.rights.vocabulary import ANY


@dataclass(frozen=True)
class Notice:
    """One contributor who was told. Who was told several times has one for each.

    holds_from_ms: from when the version is to hold for them; until then they can object. in_time: whether the notice
    came the terms' notice period before that; else their silence consents to nothing. objected_ms: of their first no,
    recorded between the notice and that day, to a purpose that the terms name; None where there is none.
    """

    contributor: str
    name: str
    noticed_ms: int
    holds_from_ms: int
    in_time: bool
    objected_ms: int | None


@dataclass(frozen=True)
class Told:
    """Of a version: notices by contributor's name, at most as many as asked for; counts are of all.

    untold: names and ids of contributors without a notice, likewise.
    """

    notices: tuple[Notice, ...]
    told: int
    late: int
    objected: int
    untold: tuple[tuple[str, str], ...]
    not_told: int


def told(tx: Tx, terms: Row, limit: int = 1_000) -> Told:
    """Who was told of a version (a row of contributor_terms), and who was not."""
    joined = terms_acceptance.join(contributor, contributor.c.id == terms_acceptance.c.contributor_id)
    statement = terms_acceptance.select().add_columns(contributor.c.public_id, contributor.c.name).select_from(joined)
    mine = terms_acceptance.c.contributor_terms_id == terms["id"]
    rows = tx.rows(statement.where(mine).order_by(contributor.c.name, terms_acceptance.c.id))
    said = _noes(tx, terms)
    notices = [_notice(terms, row, said.get(row["contributor_id"], ())) for row in rows]
    others = contributor.c.id.not_in(sa.select(terms_acceptance.c.contributor_id).where(mine))
    some = sa.select(contributor.c.public_id, contributor.c.name).where(others).order_by(contributor.c.name)
    in_time = {one.contributor for one in notices if one.in_time}
    people = {one.contributor for one in notices}
    return Told(
        notices=tuple(notices[:limit]),
        told=len(people),
        late=len(people - in_time),
        objected=len({one.contributor for one in notices if one.objected_ms is not None}),
        untold=tuple((row["public_id"], row["name"]) for row in tx.rows(some.limit(limit))),
        not_told=int(tx.scalar(sa.select(sa.func.count()).select_from(contributor).where(others))),
    )


def _notice(terms: Row, row: Row, noes: Sequence[int]) -> Notice:
    from_ms = max(terms["effective_ms"], row["valid_from_ms"])
    return Notice(
        contributor=row["public_id"],
        name=row["name"],
        noticed_ms=row["noticed_ms"],
        holds_from_ms=from_ms,
        in_time=row["noticed_ms"] + terms["notice_days"] * DAY_MS <= from_ms,
        objected_ms=min((at for at in noes if row["noticed_ms"] <= at < from_ms), default=None),
    )


def _noes(tx: Tx, terms: Row) -> dict[int, list[int]]:
    """contributor -> when noes to what the terms name were recorded."""
    e = consent_event.c
    about = e.purpose.in_([*terms["names"], ANY])
    heard = sa.select(terms_acceptance.c.contributor_id).where(terms_acceptance.c.contributor_terms_id == terms["id"])
    found: dict[int, list[int]] = {}
    where = (e.effect == "deny") & about & e.contributor_id.in_(heard)
    for row in tx.rows(sa.select(e.contributor_id, e.recorded_at_ms).where(where)):
        found.setdefault(row["contributor_id"], []).append(row["recorded_at_ms"])
    return found
