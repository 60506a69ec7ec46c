"""Holds: a block on an asset by a person or a dispute. It denies everywhere until it is lifted."""

from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.library.tables import asset
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.tables import hold, hold_lift


def place(tx: WriteTx, asset_row: Row, *, code: str, reason: str) -> str:
    """Block an asset from now on; returns the hold's id. The same code again on a held asset returns the first one.

    `code` is a short word for machines ("same_bytes", "dispute"); `reason` is for people.
    """
    if not code or len(code) > 40 or not code.replace("_", "").isalnum() or not code.isascii():
        raise InputError(f"{code[:40]!r} is not a hold's code", code="input.bad_hold", remedy="Use a_short_word")
    _check(reason)
    audit.lock(tx.conn)  # two who place it at once see each other
    standing = tx.row(_open().where(hold.c.asset_id == asset_row["id"], hold.c.code == code))
    if standing is not None:
        return str(standing["public_id"])
    public_id = new_id("hld")
    tx.insert(hold, public_id=public_id, asset_id=asset_row["id"], code=code, reason=reason, valid_from_ms=tx.now_ms)
    tx.record("hold.placed", asset_row["public_id"], {"hold": public_id, "code": code}, {"reason": reason})
    return public_id


def lift(tx: WriteTx, hold_public_id: str, reason: str) -> None:
    """End a hold from now on. Raises NotFound, Conflict (it was lifted before), InputError (no reason)."""
    _check(reason)
    audit.lock(tx.conn)  # it is lifted once
    joined = hold.join(asset, asset.c.id == hold.c.asset_id)
    columns = sa.select(hold.c.id, asset.c.public_id.label("asset"))
    row = tx.row(columns.select_from(joined).where(hold.c.public_id == hold_public_id))
    if row is None:
        raise NotFound(
            f"no hold {hold_public_id[:60]!r}", code="hold.missing", remedy="See: fairframe rights hold list"
        )
    if tx.row(hold_lift.select().where(hold_lift.c.hold_id == row["id"])) is not None:
        raise Conflict("the hold was lifted before", code="hold.lifted", where=hold_public_id)
    tx.insert(hold_lift, hold_id=row["id"], reason=reason, valid_from_ms=tx.now_ms)
    tx.record("hold.lifted", row["asset"], {"hold": hold_public_id}, {"reason": reason})


def listing(tx: Tx, *, lifted: bool = False) -> Sequence[Row]:
    """Standing holds, oldest first, with the asset's id and filename (`lifted`: those that were lifted too).

    Columns: public_id, code, reason, asset, filename, valid_from_ms, lifted_ms (None while it stands).
    """
    joined = hold.join(asset, asset.c.id == hold.c.asset_id).outerjoin(hold_lift, hold_lift.c.hold_id == hold.c.id)
    statement = sa.select(
        hold.c.public_id,
        hold.c.code,
        hold.c.reason,
        asset.c.public_id.label("asset"),
        asset.c.filename,
        hold.c.valid_from_ms,
        hold_lift.c.valid_from_ms.label("lifted_ms"),
    ).select_from(joined)
    if not lifted:
        statement = statement.where(hold_lift.c.id.is_(None))
    return tx.rows(statement.order_by(hold.c.id))


def _open() -> "sa.Select[tuple[object, ...]]":
    joined = hold.outerjoin(hold_lift, hold_lift.c.hold_id == hold.c.id)
    return sa.select(hold).select_from(joined).where(hold_lift.c.id.is_(None))


def _check(reason: str) -> None:
    if not reason.strip() or len(reason) > 2_000 or "\x00" in reason:
        raise InputError(
            "a hold needs a reason of at most 2,000 characters", code="input.bad_reason", remedy="Say --reason"
        )
