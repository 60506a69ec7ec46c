"""Looking up what a lab names: an item or a pseudonym of a delivery, which only the library can resolve."""

from fairframe.core.errors import NotFound
from fairframe.core.ids import is_id
from fairframe.core.item_line import PSEUDONYM
from fairframe.dataset.tables import item
from fairframe.library import assets
from fairframe.library.tables import asset, contributor
from fairframe.platform.tx import Row, Tx


def find_asset(tx: Tx, name: str) -> Row:
    """An asset by its id or filename, by an item that was cut from it, or by its pseudonym in a delivery.

    Raises what assets.find raises, and NotFound (item.missing; pseudonym.missing; pseudonym.contributor, which says
    whose pseudonym it is).
    """
    if is_id(name, "itm"):
        return _source(tx, tx.row(item.select().where(item.c.public_id == name)), name, "item")
    if not PSEUDONYM.fullmatch(name):
        return assets.find(tx, name)
    found = tx.row(item.select().where(item.c.asset_pseudonym == name).limit(1))
    who = tx.row(item.select().where(item.c.contributor_pseudonym == name).limit(1)) if found is None else None
    if who is not None:
        person = tx.row(contributor.select().where(contributor.c.id == who["contributor_id"]))
        assert person is not None
        raise NotFound(
            f"{name} is no asset: it is the contributor {person['name']}, {person['public_id']}",
            code="pseudonym.contributor",
            remedy=f"See: fairframe dataset impact {person['public_id']}",
        )
    return _source(tx, found, name, "pseudonym")


def _source(tx: Tx, found: Row | None, name: str, what: str) -> Row:
    row = None if found is None else tx.row(asset.select().where(asset.c.id == found["asset_id"]))
    if row is None:
        raise NotFound(
            f"no release of this library has the {what} {name}",
            code=f"{what}.missing",
            remedy="See: fairframe dataset show NAME",
        )
    return row
