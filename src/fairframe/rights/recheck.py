"""Re-checking: what changed since a snapshot for the assets that are about to be published, delivered or leased."""

from collections.abc import Iterable

import sqlalchemy as sa

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
from fairframe.platform.database import among
from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import Tx
from fairframe.rights import facts, moment
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import Decision, clear
from fairframe.rights.tables import consent_event, contributor_terms, hold, hold_lift, ruling, terms_acceptance


def recheck(tx: Tx, agreement: Agreement, audit_size: int, asset_ids: Iterable[int]) -> dict[int, Decision]:
    """Decide anew, now, those of `asset_ids` that anything touched since the audit tree had `audit_size` leaves.

    Touched is an asset whose public id, contributor, co-owner or collection is the subject of a later audit entry, or
    for which time alone changed something since: a word that was dated ahead came into force, a ruling expired, a
    release ended.
    Assets that nothing touched are not in the answer: their decision stands. Whether the agreement itself is still in
    force is for the caller to ask.
    """
    wanted = set(asset_ids)
    now = moment.present(tx)
    touched = wanted & touched_since(tx, audit_size, now.at_ms)
    views = facts.load(tx, touched, now)
    terms, purpose, until_ms = agreement.terms, agreement.purpose, agreement.ends_ms
    return {key: clear(view, terms, purpose, now.at_ms, until_ms=until_ms) for key, view in views.items()}


def touched_since(tx: Tx, audit_size: int, now_ms: int) -> set[int]:
    """The BIGINT ids of all assets that were touched (see recheck)."""
    assets, people, sets = set[int](), set[int](), set[int]()
    later = audit_entry.c.seq >= audit_size
    for table, into in ((asset, assets), (contributor, people), (collection, sets)):
        about = sa.select(table.c.id).join_from(audit_entry, table, table.c.public_id == audit_entry.c.subject)
        into.update(tx.execute(about.where(later).distinct()).scalars())
    before = sa.select(audit_entry.c.recorded_at_ms).where(audit_entry.c.seq == audit_size - 1)
    _by_time(tx, int(tx.scalar(before) or 0), now_ms, assets, people, sets)
    return assets | _of_people(tx, people) | _of_collections(tx, sets)


def _by_time(tx: Tx, since_ms: int, now_ms: int, assets: set[int], people: set[int], sets: set[int]) -> None:
    """Add what came into force or expired in (since, now] by the clock alone."""

    def began(column: "sa.ColumnElement[int]") -> "sa.ColumnElement[bool]":
        return (column > since_ms) & (column <= now_ms)

    def add(into: set[int], column: "sa.ColumnElement[int]", *where: "sa.ColumnElement[bool]") -> None:
        into.update(tx.execute(sa.select(column).where(*where).distinct()).scalars())

    for table in (asset_fact, ownership, signal, document_release, hold, ruling):
        add(assets, table.c.asset_id, began(table.c.valid_from_ms))
    add(assets, ruling.c.asset_id, began(ruling.c.expires_ms))
    add(assets, document_release.c.asset_id, began(document_release.c.valid_until_ms))
    lifted = sa.select(hold_lift.c.hold_id).where(began(hold_lift.c.valid_from_ms))
    add(assets, hold.c.asset_id, hold.c.id.in_(lifted))
    for scope, into, column in (
        ("contributor", people, consent_event.c.contributor_id),
        ("collection", sets, consent_event.c.collection_id),
        ("asset", assets, consent_event.c.asset_id),
    ):
        add(into, column, consent_event.c.scope == scope, began(consent_event.c.valid_from_ms))
    effective = sa.select(contributor_terms.c.id).where(began(contributor_terms.c.effective_ms))
    told = terms_acceptance.c
    add(people, told.contributor_id, began(told.valid_from_ms) | told.contributor_terms_id.in_(effective))


def _of_people(tx: Tx, people: set[int]) -> set[int]:
    brought = _members(tx, asset.c.id, asset.c.contributor_id, people)
    return brought | _members(tx, ownership.c.asset_id, ownership.c.contributor_id, people)


def _of_collections(tx: Tx, sets: set[int]) -> set[int]:
    return _members(tx, collection_asset.c.asset_id, collection_asset.c.collection_id, sets)


def _members(tx: Tx, wanted: "sa.ColumnElement[int]", by: "sa.ColumnElement[int]", keys: set[int]) -> set[int]:
    return set(tx.execute(sa.select(wanted).where(among(tx.conn, by, sorted(keys)))).scalars())
