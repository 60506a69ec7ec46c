"""The list of revenue events, each with its state and what is left of it."""

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import events, ledger
from fairframe.royalties.events import INVOICE, TAKEN
from fairframe.royalties.tables import allocation, ledger_leg, ledger_txn, revenue_event

STATES = ("invoiced", "received", "allocated", "refunded", "taken back")
LIMIT = 200


@dataclass(frozen=True)
class Listed:
    """An event. state, the latest that holds of STATES:

    invoiced: an invoice that is not paid whole. received: booked, or an invoice that is settled. allocated: its pool
    is the contributors'. refunded: nothing is left of it. taken back: it was booked by mistake. Of a refund or
    chargeback, received means that contributors have not given their part back yet.

    gross_minor, tax_minor: below zero for refunds and chargebacks. refunded_minor: what those took from it.
    open_minor: of an invoice, neither paid nor lowered. of: the reference of the event that it refers to.
    """

    id: str
    agreement: str
    model: str | None
    kind: str
    reference: str
    of: str
    effective_ms: int
    currency: str
    gross_minor: int
    tax_minor: int
    quantity: int | None
    refunded_minor: int
    open_minor: int
    allocation: str | None
    state: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def listing(
    tx: Tx, agreement_id: str | None = None, state: str | None = None, limit: int = LIMIT
) -> tuple[list[Listed], int]:
    """The newest events, newest first, of one agreement or of all, in one state or in any; and how many there are in
    all that a limit leaves out."""
    statement = events.select().add_columns(*_beside()).order_by(revenue_event.c.id.desc())
    if agreement_id is not None:
        statement = statement.where(events.under(agreement_id))
    if state is None:
        count = sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())
        return [_listed(row) for row in tx.rows(statement.limit(limit))], max(0, int(tx.scalar(count)) - limit)
    found = [one for one in map(_listed, tx.rows(statement)) if one.state == state]
    return found[:limit], max(0, len(found) - limit)


def _beside() -> tuple["sa.ColumnElement[Any]", ...]:
    """What is known of an event beside its row, as subqueries that its indexes answer."""
    c, other = revenue_event.c, revenue_event.alias("other")
    back = sa.exists().where(ledger_txn.c.kind == events.CORRECTION, ledger_txn.c.subject == other.c.public_id)
    taken = sa.select(sa.func.coalesce(sa.func.sum(other.c.gross_minor), 0)).where(
        other.c.of_id == c.id, other.c.kind.in_(TAKEN), ~back
    )
    whole = ledger_leg.c.amount_micro.op("/")(sa.literal_column(str(MICRO)))
    owed = sa.select(sa.func.coalesce(sa.func.sum(whole), 0)).where(
        ledger_leg.c.account == sa.literal(ledger.receivable("")) + c.public_id
    )
    return (
        sa.select(allocation.c.public_id).where(allocation.c.revenue_event_id == c.id).scalar_subquery().label("made"),
        sa.select(other.c.reference).where(other.c.id == c.of_id).scalar_subquery().label("of"),
        taken.scalar_subquery().label("taken"),
        sa.case((c.kind == INVOICE, owed.scalar_subquery()), else_=0).label("owed"),
        events.taken_back().label("back"),
    )


def _listed(row: Row) -> Listed:
    sign = -1 if row["kind"] in TAKEN else 1
    return Listed(
        id=row["public_id"],
        agreement=row["agreement"],
        model=row["subject"] if row["subject_kind"] == "checkpoint" else None,
        kind=row["kind"],
        reference=row["reference"],
        of=row["of"] or "",
        effective_ms=row["effective_ms"],
        currency=row["currency"],
        gross_minor=sign * row["gross_minor"],
        tax_minor=sign * row["tax_minor"],
        quantity=row["quantity"],
        refunded_minor=int(row["taken"]),
        open_minor=int(row["owed"]),
        allocation=row["made"],
        state=_state(row),
    )


def _state(row: Row) -> str:
    if row["back"]:
        return "taken back"
    if int(row["taken"]) >= row["gross_minor"]:
        return "refunded"
    if row["kind"] == INVOICE and int(row["owed"]) > 0:
        return "invoiced"
    return "allocated" if row["made"] else "received"
