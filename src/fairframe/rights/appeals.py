"""Appeals: an owner of an asset asks that a hold on it be looked at again. A case in the review queue, with an outcome.

The hold stands until a person settles the appeal; the outcome is a signed, reasoned document. A hold that was lifted
meanwhile ends its appeals.
"""

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from fairframe.core.appeal_outcome_body import AppealOutcome
from fairframe.core.errors import Conflict, InputError, NotFound
from fairframe.core.ids import new_id
from fairframe.library.tables import asset, contributor, ownership
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import holds
from fairframe.rights.outcomes import decided, reason_of
from fairframe.rights.tables import appeal, appeal_outcome, hold, hold_lift

Outcome = Literal["lifted", "kept"]


def lodge(tx: WriteTx, hold_public_id: str, who: Row, reason: str) -> str:
    """Lodge an appeal of a contributor (a row) against a standing hold; returns its id.

    Raises NotFound (no such hold), Conflict: hold.lifted where it was lifted, appeal.open where theirs is open already,
    and InputError where the asset is another's (input.foreign_asset) or there is no reason.
    """
    text = reason_of(reason)
    audit.lock(tx.conn)  # one appeal waits at a time
    row = _hold(tx, hold_public_id)
    if tx.row(hold_lift.select().where(hold_lift.c.hold_id == row["hold_id"])) is not None:
        raise Conflict("the hold was lifted before", code="hold.lifted", where=hold_public_id)
    if not _owns(tx, who, row):
        raise InputError(
            "the hold is on another contributor's asset",
            code="input.foreign_asset",
            where=row["asset"],
            remedy="Only who brought an asset, or owns a share of it, can appeal",
        )
    theirs = (appeal.c.hold_id == row["hold_id"]) & (appeal.c.contributor_id == who["id"])
    standing = tx.row(_cases().where(theirs, appeal_outcome.c.id.is_(None)))
    if standing is not None:
        raise Conflict("their appeal waits already", code="appeal.open", where=standing["public_id"])
    public_id = new_id("apl")
    tx.insert(appeal, public_id=public_id, hold_id=row["hold_id"], contributor_id=who["id"], reason=text)
    body = {"appeal": public_id, "hold": hold_public_id, "contributor": who["public_id"]}
    tx.record("appeal.lodged", row["asset"], body, {"reason": text})
    return public_id


def settle(tx: WriteTx, appeal_public_id: str, outcome: Outcome, *, reason: str, by: str = "") -> bytes:
    """Settle an appeal: lift the hold, or keep it. Returns the signed document that says so.

    `by`: who decided; it enters the audit tree as a commitment only. Raises NotFound, InputError (reason), Conflict
    (appeal.settled; also where the hold was lifted meanwhile).
    """
    text = reason_of(reason)
    audit.lock(tx.conn)  # it is settled once
    found = find(tx, appeal_public_id)
    if found["state"] != "open":
        raise Conflict(f"the appeal is settled: {found['state']}", code="appeal.settled", where=appeal_public_id)
    body = AppealOutcome(
        appeal=appeal_public_id,
        hold=found["hold"],
        asset=found["asset"],
        contributor=found["contributor"],
        outcome=outcome,
        reason=text,
        decided_at_ms=tx.now_ms,
    )
    document, envelope = decided(tx, "appeal_outcome", body.to_json(), by)
    tx.insert(appeal_outcome, appeal_id=found["id"], outcome=outcome, reason=text, document=document)
    said = {"appeal": appeal_public_id, "hold": found["hold"], "document": document}
    tx.record(f"appeal.{outcome}", found["asset"], said)
    if outcome == "lifted":
        holds.lift(tx, found["hold"], text)
    return envelope


def find(tx: Tx, appeal_public_id: str) -> Row:
    """One case, with the columns of `listing`. Raises NotFound."""
    row = tx.row(_cases().where(appeal.c.public_id == appeal_public_id))
    if row is None:
        raise NotFound(
            f"no appeal {appeal_public_id[:60]!r}", code="appeal.missing", remedy="See: fairframe rights review appeals"
        )
    return row


def listing(tx: Tx, *, settled: bool = False) -> Sequence[Row]:
    """Open appeals, oldest first (`settled`: all).

    Columns: id, public_id, reason, recorded_at_ms, hold, code, hold_reason, asset, filename, contributor,
    contributor_name, outcome_reason, document, state (open, lifted, kept).
    """
    statement = _cases()
    if not settled:
        statement = statement.where(appeal_outcome.c.id.is_(None), hold_lift.c.id.is_(None))
    return tx.rows(statement.order_by(appeal.c.id))


def _cases() -> "sa.Select[*tuple[Any, ...]]":
    joined = (
        appeal.join(hold, hold.c.id == appeal.c.hold_id)
        .join(asset, asset.c.id == hold.c.asset_id)
        .join(contributor, contributor.c.id == appeal.c.contributor_id)
        .outerjoin(appeal_outcome, appeal_outcome.c.appeal_id == appeal.c.id)
        .outerjoin(hold_lift, hold_lift.c.hold_id == hold.c.id)
    )
    lifted = sa.case((hold_lift.c.id.is_not(None), "lifted"), else_="open")
    return sa.select(
        appeal.c.id,
        appeal.c.public_id,
        appeal.c.reason,
        appeal.c.recorded_at_ms,
        hold.c.public_id.label("hold"),
        hold.c.code,
        hold.c.reason.label("hold_reason"),
        asset.c.public_id.label("asset"),
        asset.c.filename,
        contributor.c.public_id.label("contributor"),
        contributor.c.name.label("contributor_name"),
        appeal_outcome.c.reason.label("outcome_reason"),
        appeal_outcome.c.document,
        sa.func.coalesce(appeal_outcome.c.outcome, lifted).label("state"),
    ).select_from(joined)


def _hold(tx: Tx, public_id: str) -> Row:
    columns = sa.select(
        hold.c.id.label("hold_id"),
        asset.c.id.label("asset_id"),
        asset.c.contributor_id,
        asset.c.public_id.label("asset"),
    )
    statement = columns.select_from(hold.join(asset, asset.c.id == hold.c.asset_id))
    row = tx.row(statement.where(hold.c.public_id == public_id))
    if row is None:
        raise NotFound(f"no hold {public_id[:60]!r}", code="hold.missing", remedy="See: fairframe rights hold list")
    return row


def _owns(tx: Tx, who: Row, of: Row) -> bool:
    shares = ownership.select().where(ownership.c.asset_id == of["asset_id"], ownership.c.contributor_id == who["id"])
    return of["contributor_id"] == who["id"] or tx.row(shares.limit(1)) is not None
