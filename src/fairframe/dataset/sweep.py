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
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import kept_until_ms
from fairframe.dataset.revocation import ENDED, KEPT_LONG, Revoked
from fairframe.dataset.tables import dataset_release, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, clearing
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import Decision
from fairframe.rights.tables import agreement as agreement_table

NOT_CLEARED = "it may no longer be used"
ALLOW, DENY = "ALLOW", "DENY"
RELEASE_CODES = ("model_release_revoked", "property_release_revoked")


def sweep(tx: WriteTx, family: str) -> list[Revoked]:
    """Take back every delivered item of an agreement family by the table above; the gravest reason first.

    Under the agreement that an item was delivered under, a finding that only asks for review takes nothing back: a
    person decides. Under another one it stays only as long as it could be delivered there.
    """
    close_behind(tx)
    return [*_end_of_family(tx, family), *_end_of_retention(tx, family), *_not_cleared(tx, family)]


def denied(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """Those items (rows of `item`) whose asset is denied now under the agreement that they stand under."""
    return [row for row, decision, _ in _decided(tx, rows) if decision.outcome == DENY]


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
    back: list[Row] = []
    for row, decision, own in _decided(tx, _items(tx, family)):
        stays = decision.outcome != DENY and not _lost_release(decision)
        if not (stays if own else decision.outcome == ALLOW):
            back.append(row)
    return revocation.revoke(tx, back, NOT_CLEARED)


def _items(tx: Tx, family: str, *where: sa.ColumnElement[bool]) -> Sequence[Row]:
    statement = (
        sa.select(item)
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .join(agreement_table, agreement_table.c.id == dataset_release.c.agreement_id)
        .where(agreement_table.c.family == family, *where)
    )
    return tx.rows(statement.order_by(item.c.id))


def _decided(tx: Tx, rows: Sequence[Row]) -> Iterator[tuple[Row, Decision, bool]]:
    """Each item, its asset's decision now, and whether that is under the agreement that it was delivered under."""
    per_release: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        per_release[row["dataset_release_id"]].append(row)
    for release_id, some in per_release.items():
        statement = (
            sa.select(agreement_table.c.public_id)
            .join(dataset_release, dataset_release.c.agreement_id == agreement_table.c.id)
            .where(dataset_release.c.id == release_id)
        )
        own = agreements.find(tx, str(tx.scalar(statement)))
        under = _stands_under(tx, own)
        found = clearing.decide_some(tx, under, {row["asset_id"] for row in some})
        yield from ((row, found[row["asset_id"]], under.id == own.id) for row in some)


def _stands_under(tx: Tx, own: Agreement) -> Agreement:
    """The agreement that what was delivered under `own` stands under now."""
    now = bundles.trusted_now_ms(tx)
    if own.ended_ms(now) is None and own.state(now) != "amended":
        return own
    return agreements.active_in_family(tx, own.family) or own


def _lost_release(decision: Decision) -> bool:
    """Whether a release was revoked, and no other one stands in for it."""
    return any(one.code in RELEASE_CODES for one in decision.findings)
