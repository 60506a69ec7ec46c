"""The body of a statement: everything from which a contributor can recompute every amount, and nothing else.

Bundle type "statement", version 1. Times are RFC 3339 text; micro amounts, weights and remainders are decimal text
(they exceed 2**53). The body depends only on the facts of its period, so a rerun gives the same bytes.

    contributor {id, name}   library {id, name}   currency   period {from, to}: half-open, by booking time
    opening_micro + earned_micro + adjusted_micro - paid_micro = closing_micro
    payable_minor: the floor of closing_micro in minor units; carry_micro: the rest
    allocations[]: allocation, transaction, booked_at
        agreement {id, version, offer, purpose, licensee {id, name}, share, split_basis}
        revenue {event, received_at, gross_minor, tax_minor, net_minor}
        pool_micro = floor(share * net_minor * 10^6)
        method, unit, salt, weight_total, contributors: how many share the pool
        weights: [[pseudonym, weight], ...] of all of them by pseudonym; null only where they exceed LISTED_MAX
        extra_units: pool less all floors; cutoff {remainder, tie_key} of the last one that got an extra unit, or null
        own {pseudonym, weight, floor_micro, remainder, tie_key, extra, amount_micro}
        assets[]: asset, pseudonym, filename, title, weight, amount_micro; by pseudonym; they sum to own
    payouts[]: payout, transaction, booked_at, reference, amount_minor
    adjustments[]: transaction, kind, booked_at, memo, amount_micro

A quota is pool * weight / weight_total: floor_micro its integer part, remainder what is left over weight_total. The
extra units go to the largest remainders, ties by tie_key = SHA-256(salt bytes, 00, pseudonym) ascending. The same
rule splits own.amount_micro among the assets.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure
from fairframe.core.money import MICRO
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.standings import accounts_of
from fairframe.royalties.statement_lines import allocation_lines
from fairframe.royalties.tables import ledger_leg, ledger_txn, payout, payout_batch, payout_event

_TOLD = ("kind", "subject", "memo", "recorded_at_ms")


def make_body(tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int) -> dict[str, Any]:
    """The body for bookings in [from_ms, to_ms). Raises IntegrityFailure where lines and ledger disagree."""
    posted = _postings(tx, accounts_of(contributor["public_id"]), currency)
    opening = sum(row["amount"] for row in posted if row["recorded_at_ms"] < from_ms)
    inside = [row for row in posted if from_ms <= row["recorded_at_ms"] < to_ms]
    txn_of = {row["subject"]: row["txn"] for row in inside}
    allocations = allocation_lines(tx, contributor, currency, from_ms, to_ms, txn_of)
    payouts = _payouts(tx, contributor["id"], currency, inside)
    adjustments = [
        {
            "transaction": row["txn"],
            "kind": row["kind"],
            "booked_at": to_rfc3339(row["recorded_at_ms"]),
            "memo": row["memo"],
            "amount_micro": str(row["amount"]),
        }
        for row in inside
        if row["kind"] not in ("allocation", "payout") and row["amount"]
    ]
    earned = sum(int(one["own"]["amount_micro"]) for one in allocations)
    adjusted = sum(int(one["amount_micro"]) for one in adjustments)
    paid = sum(int(one["amount_minor"]) for one in payouts) * MICRO
    closing = opening + sum(row["amount"] for row in inside)
    if opening + earned + adjusted - paid != closing:
        raise IntegrityFailure(
            "a contributor's lines and the ledger disagree",
            code="statement.ledger",
            where=contributor["public_id"],
            remedy="Run: fairframe verify audit",
        )
    payable = max(closing, 0) // MICRO
    return {
        "contributor": {"id": contributor["public_id"], "name": contributor["name"]},
        "library": {"id": tx.ws.party_id, "name": tx.ws.name},
        "currency": currency,
        "period": {"from": to_rfc3339(from_ms), "to": to_rfc3339(to_ms)},
        "opening_micro": str(opening),
        "earned_micro": str(earned),
        "adjusted_micro": str(adjusted),
        "paid_micro": str(paid),
        "closing_micro": str(closing),
        "payable_minor": str(payable),
        "carry_micro": str(closing - payable * MICRO),
        "allocations": allocations,
        "payouts": payouts,
        "adjustments": adjustments,
    }


def _postings(tx: Tx, accounts: Sequence[str], currency: str) -> Sequence[Row]:
    """Transactions on a contributor's accounts; `amount` is positive where it is owed to them, zero for a release."""
    statement = (
        sa.select(
            ledger_leg.c.txn,
            ledger_txn.c.id,
            ledger_txn.c.kind,
            ledger_txn.c.subject,
            ledger_txn.c.memo,
            ledger_txn.c.recorded_at_ms,
            sa.cast(-sa.func.sum(ledger_leg.c.amount_micro), sa.BigInteger).label("amount"),
        )
        .join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn)
        .where(ledger_leg.c.account.in_(accounts), ledger_leg.c.currency == currency)
        .group_by(ledger_leg.c.txn, ledger_txn.c.id, *(ledger_txn.c[name] for name in _TOLD))
        .order_by(ledger_txn.c.id)
    )
    return tx.rows(statement)


def _payouts(tx: Tx, contributor_id: int, currency: str, inside: Sequence[Row]) -> list[dict[str, str]]:
    """The payouts that were reserved by one of these postings: what left the account, with what was withheld."""
    reserved = sa.and_(payout_event.c.payout_id == payout.c.id, payout_event.c.state == "reserved")
    # one that was paid before there were batches is the subject of its posting
    statement = (
        sa.select(payout, sa.func.coalesce(payout_event.c.txn, ledger_txn.c.public_id).label("txn"))
        .add_columns(sa.func.coalesce(payout_batch.c.reference, payout.c.reference).label("told"))
        .outerjoin(payout_event, reserved)
        .outerjoin(payout_batch, payout_batch.c.id == payout.c.payout_batch_id)
        .outerjoin(ledger_txn, sa.and_(ledger_txn.c.subject == payout.c.public_id, ledger_txn.c.kind == "payout"))
        .where(payout.c.contributor_id == contributor_id, payout.c.currency == currency)
        .order_by(payout.c.id)
    )
    booked = {row["txn"]: row["recorded_at_ms"] for row in inside}
    return [
        {
            "payout": row["public_id"],
            "transaction": row["txn"],
            "booked_at": to_rfc3339(booked[row["txn"]]),
            "reference": row["told"],
            "amount_minor": str(row["amount_minor"]),
        }
        for row in tx.rows(statement)
        if row["txn"] in booked
    ]
