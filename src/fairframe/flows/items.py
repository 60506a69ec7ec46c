"""The items that were cut from assets, in all releases."""

from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.revocation import Items
from fairframe.dataset.tables import item
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx

BATCH = 500


def cut_from(tx: Tx, asset_ids: Sequence[int]) -> Items:
    """The same as `of_assets`, as a query of what taking them back needs."""
    return revocation.chosen(among(tx.conn, item.c.asset_id, asset_ids))


def of_assets(tx: Tx, asset_ids: Sequence[int]) -> list[Row]:
    """Rows of `item`, oldest first. asset_ids: BIGINT ids, of any number."""
    rows: list[Row] = []
    for start in range(0, len(asset_ids), BATCH):
        rows += tx.rows(sa.select(item).where(item.c.asset_id.in_(asset_ids[start : start + BATCH])))
    return sorted(rows, key=lambda row: row["id"])
