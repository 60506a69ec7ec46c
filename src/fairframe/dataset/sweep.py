"""Taking back what may no longer be used though no act of its own took it back.

| what came                                                                  | what is taken back            |
|----------------------------------------------------------------------------|-------------------------------|
| the family of agreements has ended, by term or by termination              | all that was delivered        |
| a delivery's retention has ended                                           | the delivery                  |
| the delivery's own agreement has ended, and another of the family governs  | what is not ALLOW under that  |
| a no with a date that has come, a hold                                     | what is DENY                  |
| a document release was revoked                                             | what it covered               |

It stands before every feed (feeds.issue), since a feed renews the leases of all that it does not take back.
"""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import kept_until_ms
from fairframe.dataset.revocation import ENDED, KEPT_LONG, Items, Revoked
from fairframe.dataset.tables import dataset_release, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform import bundles
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, clearing, recheck
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import Decision
from fairframe.rights.tables import agreement as agreement_table

BATCH = 5_000
NOT_CLEARED = "it may no longer be used"
ALLOW, DENY = "ALLOW", "DENY"
RELEASE_CODES = ("model_release_revoked", "property_release_revoked")


def sweep(tx: WriteTx, family: str) -> list[Revoked]:
    """Take back each delivered item of an agreement family by the table above; the gravest reason first.

    Under the agreement that an item was delivered under, a finding that only asks for review takes nothing back: a
    person decides. Under another one it stays only as long as it could be delivered there. What may have changed since
    a release was cleared is found by the audit tree: acts of this very transaction are seen by the next sweep.
    """
    close_behind(tx)
    return [*_end_of_family(tx, family), *_end_of_retention(tx, family), *_not_cleared(tx, family)]


def denied(tx: Tx, items: Items) -> list[int]:
    """Ids of those items whose asset is denied now under the agreement that they stand under."""
    some = items.subquery("some")
    per_release: dict[int, list[int]] = defaultdict(list)
    for row in tx.rows(sa.select(some.c.dataset_release_id, some.c.asset_id).distinct()):
        per_release[row["dataset_release_id"]].append(row["asset_id"])
    found: list[int] = []
    for release_id, assets in per_release.items():
        statement = (
            sa.select(agreement_table.c.public_id)
            .join(dataset_release, dataset_release.c.agreement_id == agreement_table.c.id)
            .where(dataset_release.c.id == release_id)
        )
        under = _stands_under(tx, agreements.find(tx, str(tx.scalar(statement))))
        decisions = clearing.decide_some(tx, under, assets)
        found += _ids(tx, release_id, [key for key in assets if decisions[key].outcome == DENY])
    return found


def _end_of_family(tx: WriteTx, family: str) -> list[Revoked]:
    """All, as of the end; nothing while one of the family's agreements is in force or yet to begin."""
    ended_ms = agreements.family_ended_ms(tx, family)
    return [] if ended_ms is None else revocation.revoke(tx, _items(tx, family), ENDED, ended_ms)


def _end_of_retention(tx: WriteTx, family: str) -> list[Revoked]:
    where = (delivery_table.c.family == family) & (delivery_table.c.direction == "out")
    back: list[Revoked] = []
    for delivery in tx.rows(delivery_table.select().where(where).order_by(delivery_table.c.id)):
        until_ms = kept_until_ms(tx, delivery)
        if until_ms <= bundles.trusted_now_ms(tx):
            rows = _items(tx, family, dataset_release.c.public_id == delivery["release"])
            back += revocation.revoke(tx, rows, KEPT_LONG, until_ms)
    return back


def _not_cleared(tx: WriteTx, family: str) -> list[Revoked]:
    back: list[int] = []
    delivered = _releases(tx, family)
    under = {row["id"]: _stands_under(tx, agreements.find(tx, row["agreement"])) for row in delivered}
    same = [row for row in delivered if under[row["id"]].public_id == row["agreement"]]
    # as at every publication: what nothing touched since it was cleared is decided as it was then
    touched = recheck.touched_since(tx, min(row["audit_size"] for row in same), tx.now_ms) if same else set[int]()
    for row in delivered:
        own = row in same
        held = tx.execute(sa.select(item.c.asset_id).where(item.c.dataset_release_id == row["id"]).distinct())
        assets = [key for key in held.scalars() if not own or key in touched]
        for start in range(0, len(assets), BATCH):
            some = assets[start : start + BATCH]
            decisions = clearing.decide_some(tx, under[row["id"]], some)
            gone = [key for key in some if not _stays(decisions[key], own)]
            back += _ids(tx, row["id"], gone)
    return revocation.revoke(tx, revocation.chosen_ids(tx, back), NOT_CLEARED) if back else []


def _stays(decision: Decision, own: bool) -> bool:
    if not own:
        return decision.outcome == ALLOW
    return decision.outcome != DENY and not _lost_release(decision)


def _items(tx: Tx, family: str, *where: sa.ColumnElement[bool]) -> Items:
    releases_of = (
        sa.select(dataset_release.c.id)
        .join(agreement_table, agreement_table.c.id == dataset_release.c.agreement_id)
        .where(agreement_table.c.family == family, *where)
    )
    return revocation.chosen(item.c.dataset_release_id.in_(releases_of))


def _ids(tx: Tx, release_id: int, assets: Sequence[int]) -> Sequence[int]:
    """The items of some assets in a release."""
    if not assets:
        return []
    where = (item.c.dataset_release_id == release_id) & among(tx.conn, item.c.asset_id, assets)
    return tx.execute(sa.select(item.c.id).where(where).order_by(item.c.id)).scalars().all()


def _releases(tx: Tx, family: str) -> Sequence[Row]:
    """The releases that were delivered in a family: id, audit_size, and their agreement's public id."""
    out = (delivery_table.c.release == dataset_release.c.public_id) & (delivery_table.c.direction == "out")
    statement = (
        sa.select(dataset_release.c.id, dataset_release.c.audit_size, agreement_table.c.public_id.label("agreement"))
        .join(agreement_table, agreement_table.c.id == dataset_release.c.agreement_id)
        .join(delivery_table, out)
        .where(agreement_table.c.family == family)
        .order_by(dataset_release.c.id)
    )
    return tx.rows(statement)


def _stands_under(tx: Tx, own: Agreement) -> Agreement:
    """The agreement that what was delivered under `own` stands under now."""
    now = bundles.trusted_now_ms(tx)
    if own.ended_ms(now) is None and own.state(now) != "amended":
        return own
    return agreements.active_in_family(tx, own.family) or own


def _lost_release(decision: Decision) -> bool:
    """Whether a release was revoked, and no other one stands in for it."""
    return any(one.code in RELEASE_CODES for one in decision.findings)
