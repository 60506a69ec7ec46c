"""Collections: a contributor's assets under a name, so that one consent can speak for all of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.library.contributors import clean_name
from fairframe.library.tables import collection, collection_asset
from fairframe.library.tables import contributor as contributor_table
from fairframe.platform.tx import Row, Tx, WriteTx


def clean(text: str) -> str:
    """A name in NFC with single spaces. Raises InputError where it is empty, too long or not printable."""
    try:
        return clean_name(text)
    except InputError as error:
        shown = text[:40]
        raise InputError(f"{shown!r} is no name", code="input.bad_collection", remedy=error.remedy) from error


def ensure(tx: WriteTx, contributor: Row, name: str) -> Row:
    """The contributor's collection of that name, made where there is none. Raises InputError."""
    name = clean(name)
    where = (collection.c.contributor_id == contributor["id"]) & (collection.c.name == name)
    found = tx.row(collection.select().where(where))
    if found is not None:
        return found
    public_id = new_id("col")
    try:
        with tx.conn.begin_nested():
            tx.insert(collection, public_id=public_id, contributor_id=contributor["id"], name=name)
    except IntegrityError:
        pass  # another process made it between the look and the insert
    else:
        tx.record("collection.added", public_id, {"contributor": contributor["public_id"]}, {"name": name})
    return tx.conn.execute(collection.select().where(where)).mappings().one()


def find(tx: Tx, name_or_id: str, contributor: Row | None = None) -> Row:
    """By col_ id, or by name (of one contributor, where several use it). Raises NotFound, Conflict."""
    if "\x00" in name_or_id:
        raise NotFound("no collection has a NUL byte in its name", code="collection.missing")
    where = (collection.c.public_id == name_or_id) | (collection.c.name == " ".join(name_or_id.split()))
    if contributor is not None:
        where &= collection.c.contributor_id == contributor["id"]
    found = tx.rows(collection.select().where(where).limit(2))
    if not found:
        whose = f" of {contributor['name']}" if contributor is not None else ""
        raise NotFound(
            f"no collection {name_or_id[:80]!r}{whose}",
            code="collection.missing",
            remedy="See: fairframe library collections. The metadata's column collection makes them",
        )
    if len(found) > 1:
        raise Conflict(
            f"several contributors have a collection {name_or_id[:80]!r}",
            code="collection.ambiguous",
            remedy="Give its col_ id",
        )
    return found[0]


def add(tx: WriteTx, to: Row, asset: Row) -> bool:
    """Put an asset into a collection of its own contributor; False where it was in it. Raises InputError."""
    if to["contributor_id"] != asset["contributor_id"]:
        raise InputError(
            f"{asset['public_id']} belongs to another contributor than the collection {to['name']}",
            code="input.foreign_asset",
            remedy="Use a collection of the asset's own contributor",
        )
    member = collection_asset.c.collection_id == to["id"], collection_asset.c.asset_id == asset["id"]
    if tx.row(collection_asset.select().where(*member)) is not None:
        return False
    tx.insert(collection_asset, collection_id=to["id"], asset_id=asset["id"])
    tx.record("collection.asset_added", asset["public_id"], {"collection": to["public_id"]})
    return True


def put(tx: WriteTx, contributor: Row, asset: Row, names: Sequence[str]) -> int:
    """Put an asset into its contributor's collections of these names; how many it was not in before."""
    # in one order: of two who make the same ones, neither waits for what the other made first
    return sum(add(tx, ensure(tx, contributor, name), asset) for name in sorted(names))


def listing(tx: Tx) -> Sequence[Row]:
    """All collections with `contributor_name` and the number of their `assets`, by contributor and name."""
    joined = collection.join(contributor_table, contributor_table.c.id == collection.c.contributor_id)
    joined = joined.outerjoin(collection_asset, collection_asset.c.collection_id == collection.c.id)
    return tx.rows(
        sa.select(
            collection,
            contributor_table.c.name.label("contributor_name"),
            sa.func.count(collection_asset.c.id).label("assets"),
        )
        .select_from(joined)
        .group_by(collection.c.id, contributor_table.c.name)
        .order_by(contributor_table.c.name, collection.c.name)
    )


def of_asset(tx: Tx, asset_id: int) -> Sequence[Row]:
    """The collections that an asset (its BIGINT id) is in."""
    joined = collection.join(collection_asset, collection_asset.c.collection_id == collection.c.id)
    return tx.rows(
        sa.select(collection)
        .select_from(joined)
        .where(collection_asset.c.asset_id == asset_id)
        .order_by(collection.c.id)
    )
