"""The items that were cut from assets, in all releases."""

from collections.abc import Sequence

from fairframe.dataset import revocation
from fairframe.dataset.revocation import Items
from fairframe.dataset.tables import item
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx


def cut_from(tx: Tx, asset_ids: Sequence[int]) -> Items:
    """The same as `of_assets`, as a query of what taking them back needs."""
    return revocation.chosen(among(tx.conn, item.c.asset_id, asset_ids))


def of_assets(tx: Tx, asset_ids: Sequence[int]) -> Sequence[Row]:
    """Rows of `item`, oldest first. asset_ids: BIGINT ids, of any number."""
    return tx.rows(item.select().where(among(tx.conn, item.c.asset_id, asset_ids)).order_by(item.c.id))
