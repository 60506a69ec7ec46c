"""Taking back what may no longer be used though no act of its own took it back.

For a no with a date that has come, a hold, a model release that was revoked. It stands before every feed
(feeds.issue), since a feed renews the leases of all that it does not take back.
"""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.revocation import Revoked
from fairframe.dataset.tables import dataset_release, item
from fairframe.library import releases
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, recheck
from fairframe.rights.clearance import Decision
from fairframe.rights.tables import agreement as agreement_table

NOT_CLEARED = "it may no longer be used"
DENY, REVIEW = "DENY", "REVIEW"
RELEASE_CODES = ("model_release_missing", "model_release_no_ai")


def sweep(tx: WriteTx, family: str) -> list[Revoked]:
    """Take back every delivered item of an agreement family that is denied now, or lost its model release.

    Any other finding that only asks for review takes nothing back: a person decides.
    """
    close_behind(tx)
    statement = (
        sa.select(item)
        .join(dataset_release, dataset_release.c.id == item.c.dataset_release_id)
        .join(agreement_table, agreement_table.c.id == dataset_release.c.agreement_id)
        .where(agreement_table.c.family == family)
    )
    back: list[Row] = []
    for row, decision in _decided(tx, tx.rows(statement.order_by(item.c.id))):
        if decision.outcome == DENY or _lost_release(tx, row["asset_id"], decision):
            back.append(row)
    return revocation.revoke(tx, back, NOT_CLEARED)


def denied(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """Those items (rows of `item`) whose asset is denied now under the agreement that their release was built for."""
    return [row for row, decision in _decided(tx, rows) if decision.outcome == DENY]


def _decided(tx: Tx, rows: Sequence[Row]) -> list[tuple[Row, Decision]]:
    per_release: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        per_release[row["dataset_release_id"]].append(row)
    decided: list[tuple[Row, Decision]] = []
    for release_id, some in per_release.items():
        statement = (
            sa.select(agreement_table.c.public_id)
            .join(dataset_release, dataset_release.c.agreement_id == agreement_table.c.id)
            .where(dataset_release.c.id == release_id)
        )
        agreement = agreements.find(tx, str(tx.scalar(statement)))
        found = recheck.recheck(tx, agreement, 0, {row["asset_id"] for row in some})
        decided += [(row, found[row["asset_id"]]) for row in some if row["asset_id"] in found]
    return decided


def _lost_release(tx: Tx, asset_id: int, decision: Decision) -> bool:
    """Whether a release that covered training was revoked, and no ruling or other release stands in for it."""
    if not any(one.code in RELEASE_CODES and one.outcome == REVIEW for one in decision.findings):
        return False
    return any(
        row["revokes_id"] is not None
        and row["kind"] == "model"
        and row["ai_training"]
        and row["valid_from_ms"] <= tx.now_ms
        for row in releases.history(tx, asset_id)
    )
