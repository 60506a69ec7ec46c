"""What was decided, delivered and trained in spite of a no that was recorded later than it is valid from.

Nothing is kept of this: it is asked. A release stands against the no where an asset of it is denied as of the release's
own moment, known when the no was recorded, and was not denied by what was known the moment before.
"""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.core.incident_outcome_body import SHOWN, Decided, Delivered, InSpite, Trained
from fairframe.dataset.tables import dataset_release
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.flows.items import of_assets
from fairframe.library import assets, choose
from fairframe.library.tables import asset, collection_asset
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx
from fairframe.rights import agreements, clearing, incidents
from fairframe.rights.moment import Moment
from fairframe.rights.tables import agreement as agreement_table
from fairframe.rights.tables import consent_event
from fairframe.training import reported
from fairframe.training.tables import usage

BATCH = 500


def in_spite(tx: Tx, case: Row) -> InSpite:
    """Ask what happened in spite of the no of an incident (a row of incidents.listing). Changes nothing."""
    ids = _concerned(tx, case)
    found = list(_against(tx, case, of_assets(tx, ids)))
    items = [row for _, rows in found for row in rows]
    since, until = case["valid_from_ms"], case["recorded_at_ms"]
    decided = [
        Decided(r["public_id"], r["name"], r["agreement"], r["recorded_at_ms"], len(rows), _length(rows))
        for r, rows in found
        if since <= r["recorded_at_ms"] <= until
    ]
    delivered, sent = _delivered(tx, found, since, until)
    return InSpite(
        concerns=len(ids),
        decided=tuple(decided),
        delivered=delivered,
        trained=_trained(tx, sent, since),
        assets=_names(tx, {row["asset_id"] for row in items}),
    )


def _concerned(tx: Tx, case: Row) -> list[int]:
    """The assets that the incident's words are about."""
    of_it = incidents.words_of(case["contributor_id"], case["valid_from_ms"], case["recorded_at_ms"])
    scopes = set(tx.execute(sa.select(consent_event.c.scope).where(of_it).distinct()).scalars())
    parts: list[sa.Select[tuple[int]]] = []
    if "contributor" in scopes:
        parts.append(sa.select(asset.c.id).where(choose.theirs(case["contributor_id"])))
    if "collection" in scopes:
        named = sa.select(consent_event.c.collection_id).where(of_it, consent_event.c.scope == "collection")
        parts.append(sa.select(collection_asset.c.asset_id).where(collection_asset.c.collection_id.in_(named)))
    if "asset" in scopes:
        parts.append(sa.select(consent_event.c.asset_id).where(of_it, consent_event.c.scope == "asset"))
    return sorted({key for part in parts for key in tx.execute(part).scalars()})


def _against(tx: Tx, case: Row, rows: Sequence[Row]) -> list[tuple[Row, list[Row]]]:
    """(release, its items that the no speaks against), oldest first. A release before the no is valid counts from then:
    what was delivered of it could be used, and trained on, in spite of it."""
    per_release: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        per_release[row["dataset_release_id"]].append(row)
    known = case["recorded_at_ms"]
    found: list[tuple[Row, list[Row]]] = []
    for release in _releases(tx, sorted(per_release)):
        if release["recorded_at_ms"] > known:
            continue
        at_ms = max(release["recorded_at_ms"], case["valid_from_ms"])
        under = agreements.find(tx, release["agreement"])
        ids = {row["asset_id"] for row in per_release[release["id"]]}
        then = clearing.decide_some(tx, under, ids, Moment(at_ms, known - 1))
        now = clearing.decide_some(tx, under, ids, Moment(at_ms, known))
        denied = {key for key, decision in now.items() if decision.outcome == "DENY" and not _denied(then.get(key))}
        against = [row for row in per_release[release["id"]] if row["asset_id"] in denied]
        if against:
            found.append((release, against))
    return found


def _denied(decision: clearing.Decision | None) -> bool:
    return decision is not None and decision.outcome == "DENY"


def _releases(tx: Tx, ids: Sequence[int]) -> Sequence[Row]:
    statement = sa.select(dataset_release, agreement_table.c.public_id.label("agreement")).join(
        agreement_table, agreement_table.c.id == dataset_release.c.agreement_id
    )
    return tx.rows(statement.where(dataset_release.c.id.in_(ids)).order_by(dataset_release.c.id))


def _delivered(
    tx: Tx, found: Sequence[tuple[Row, list[Row]]], since_ms: int, until_ms: int
) -> tuple[tuple[Delivered, ...], list[Row]]:
    """Deliveries made in spite of the no; and all items that were with a lab at any time before it was known."""
    by_release = {release["public_id"]: rows for release, rows in found}
    where = (delivery_table.c.direction == "out") & delivery_table.c.release.in_(list(by_release))
    out: list[Delivered] = []
    sent: dict[int, Row] = {}
    for row in tx.rows(delivery_table.select().where(where).order_by(delivery_table.c.id)):
        if row["recorded_at_ms"] > until_ms:
            continue
        rows = by_release[row["release"]]
        sent |= {one["id"]: one for one in rows}
        if row["recorded_at_ms"] >= since_ms:
            lab = bundles.pinned(tx, row["party"]).name
            at_ms = row["recorded_at_ms"]
            out.append(Delivered(row["public_id"], row["name"], lab, at_ms, len(rows), _length(rows)))
    return tuple(out), list(sent.values())


def _trained(tx: Tx, rows: Sequence[Row], since_ms: int) -> tuple[Trained, ...]:
    names = [row["public_id"] for row in rows]
    frames: dict[int, int] = defaultdict(int)
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        statement = sa.select(usage.c.checkpoint_id, sa.func.sum(usage.c.frames).label("frames"))
        for row in tx.rows(statement.where(usage.c.item.in_(some)).group_by(usage.c.checkpoint_id)):
            frames[row["checkpoint_id"]] += int(row["frames"])
    if not frames:
        return ()
    everything = tx.execute(sa.select(agreement_table.c.public_id)).scalars().all()
    return tuple(
        Trained(
            row["public_id"], row["name"], row["party"], row["recorded_at_ms"], frames[row["id"]], row["frames_seen"]
        )
        for row in reported.current(tx, everything)
        if frames.get(row["id"]) and row["recorded_at_ms"] >= since_ms
    )


def _names(tx: Tx, ids: set[int]) -> tuple[str, ...]:
    return tuple(row["public_id"] for row in assets.by_ids(tx, sorted(ids)[:SHOWN]))


def _length(rows: Sequence[Row]) -> int:
    return sum(row["duration_ms"] for row in rows)
