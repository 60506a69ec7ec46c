"""The pool of a revenue event: what of it is the contributors', as its agreement's terms say. Negative where the event
takes back what an earlier one brought.

A refund's pool is pool(what was left before) - pool(what is left after), so however an amount is refunded in parts,
their pools sum to that of the whole.
"""

from typing import NamedTuple

import sqlalchemy as sa

from fairframe.platform.tx import Row, Tx
from fairframe.royalties import events, ledger
from fairframe.royalties.deal_terms import DealTerms
from fairframe.royalties.events import CORRECTION, INVOICE, TAKEN
from fairframe.royalties.tables import ledger_leg, ledger_txn, revenue_event


class Left(NamedTuple):
    """What is left of an event's amounts, in minor units."""

    gross_minor: int
    tax_minor: int


def counts(kind: str, of_kind: str | None, terms: DealTerms) -> bool:
    """Whether an event is recognized, so has a pool. of_kind: of the event that it refers to, None without one.

    Where money counts when it is received, an invoice (and what lowers it) does not; where it counts when it is
    invoiced, the payment of an invoice does not.
    """
    if kind == INVOICE or (kind in TAKEN and of_kind == INVOICE):
        return terms.by_invoice
    pays = kind not in TAKEN and of_kind is not None
    return not (pays and terms.by_invoice)


def has_pool(event: Row, terms: DealTerms) -> bool:
    """As counts, of a row of events.select()."""
    return counts(event["kind"], event["of_kind"], terms)


def posted_micro(tx: Tx, event: Row) -> int:
    """The pool that an event's booking posted, in micro units; 0 where it is not recognized."""
    posted = ledger_txn.c.kind.in_(events.POSTED) & (ledger_txn.c.subject == event["public_id"])
    legs = sa.select(sa.func.sum(ledger_leg.c.amount_micro)).join(
        ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn
    )
    return -int(tx.scalar(legs.where(posted, ledger_leg.c.account == ledger.pool(event["public_id"]))) or 0)


def taken_micro(terms: DealTerms, before: Left, gross_minor: int, tax_minor: int) -> int:
    """How much of the pool goes back with an amount, where `before` was left."""
    after = (before.gross_minor - gross_minor, before.tax_minor - tax_minor)
    return terms.pool_micro(*before) - terms.pool_micro(*after)


def left_of(tx: Tx, event: Row, until: Row | None = None) -> Left:
    """What refunds and chargebacks have left of an event: now, or just before one of them (`until`) was booked."""
    c = revenue_event.c
    sums = (sa.func.sum(c.gross_minor).label("gross"), sa.func.sum(c.tax_minor).label("tax"))
    held = sa.select(*sums).where(c.of_id == event["id"], c.kind.in_(TAKEN))
    held = held.where(~events.taken_back()) if until is None else held.where(c.id < until["id"], ~_back_before(until))
    row = tx.row(held)
    assert row is not None
    return Left(event["gross_minor"] - int(row["gross"] or 0), event["tax_minor"] - int(row["tax"] or 0))


def _back_before(until: Row) -> "sa.ColumnElement[bool]":
    """Whether an event had been taken back when another was booked."""
    other = ledger_txn.alias()
    booked = sa.select(sa.func.min(other.c.id)).where(other.c.subject == until["public_id"]).scalar_subquery()
    return sa.exists().where(
        ledger_txn.c.kind == CORRECTION, ledger_txn.c.subject == revenue_event.c.public_id, ledger_txn.c.id < booked
    )
