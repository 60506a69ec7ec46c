"""The body of a statement: everything from which a contributor can recompute every amount, and nothing else.

Bundle type "statement", version 2. Times are RFC 3339 text; amounts, weights and remainders are decimal text (they
exceed 2**53). The body depends only on the facts of its period, so a rerun gives the same bytes.

    version: 2   contributor {id, name}   library {id, name}   currency
    period {from, to}: half-open, by accounting date; booked_at is everywhere that of the transaction
    opening_micro + earned_micro + adjusted_micro - withheld_micro - paid_micro = closing_micro
    closing_micro = accrued_micro + payable_minor * 10^6 + carry_micro: not released, may be paid, carried over
    allocations[]: allocation, transaction, booked_at
        agreement {id, version, offer, purpose, licensee {id, name}, share, base, recognized, split_basis};
            licensee: null where the agreement's term licensee_named says so
        model: null for a fee; else {checkpoint, name, whole, runs[], not_paid[]}: what each training in its lineage
            has of the whole; usage is measured, attested or declared
        revenue {event, kind, effective_at, quantity, of, gross_minor, tax_minor, net_minor}
            of: null, or {event, left_gross_minor, left_tax_minor}: what it refers to; of a refund or chargeback, what
            was left of that before it
        pool_micro = floor(share * base * 10^6), base net_minor or gross_minor; of a refund or chargeback
            -(pool of what was left before - pool of what is left after)
        method, unit, scores {set, file_sha256} or null, salt, weight_total, contributors: how many share the pool
        weights_of: null, or the allocation whose weights and salt a refund has
        weights_root: root of the Merkle-sum tree over all weights (core/merkle_sum.py)
        extra_units: |pool| less all floors; cutoff {remainder, tie_key}, or null where there are none: a remainder from
            cutoff.remainder on has one, or where cutoff.tie_key is not null and the remainder the same, a tie_key below
        own {pseudonym, weight, proof, floor_micro, remainder, tie_key, extra, amount_micro}
            proof: [side, sum, hash] from the own leaf up to weights_root, whose sum is weight_total
        assets[]: asset, pseudonym, filename, title, weight, amount_micro; by pseudonym; they sum to own
    payouts[]: payout, reference, gross_minor, withheld_minor (of it), steps[] of the period
        step: state, transaction, booked_at, paid_minor, withheld_minor: what it took from the contributor's accounts
    adjustments[]: transaction, kind, event, allocation, booked_at, memo, amount_micro: the kind is correction, of an
        event that was booked by mistake, and the amount the opposite of what its allocation brought

A quota is |pool| * weight / weight_total: floor_micro its integer part, remainder what is left over weight_total. The
extra units go to the largest remainders, ties by tie_key = SHA-256(salt bytes, 00, pseudonym) ascending. The amount has
the sign of the pool. The same rule splits |own.amount_micro| among the assets.
"""

from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure
from fairframe.core.money import MICRO
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.events import CORRECTION
from fairframe.royalties.statement_accounts import Movement, movements
from fairframe.royalties.statement_lines import Shared, allocation_lines
from fairframe.royalties.statement_payouts import payout_lines
from fairframe.royalties.tables import allocation, revenue_event

VERSION = 2


def make_body(
    tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int, shared: Shared | None = None
) -> dict[str, Any]:
    """The body for what has its accounting date in [from_ms, to_ms). shared: kept between the statements of a batch.

    Raises IntegrityFailure where lines and ledger disagree.
    """
    moved = movements(tx, contributor["public_id"], currency, to_ms)
    opening = sum(one.amount for one in moved if one.effective_ms < from_ms)
    inside = [one for one in moved if one.effective_ms >= from_ms]
    allocations = allocation_lines(tx, contributor, currency, from_ms, to_ms, shared or Shared())
    payouts = payout_lines(tx, contributor, currency, from_ms, to_ms)
    steps = [step for one in payouts for step in one["steps"]]
    told = {one["transaction"] for one in (*allocations, *steps)}
    adjustments = [_adjustment(tx, one) for one in inside if one.txn not in told and one.amount]
    sums = {
        "opening": opening,
        "earned": sum(int(one["own"]["amount_micro"]) for one in allocations),
        "adjusted": sum(int(one["amount_micro"]) for one in adjustments),
        "withheld": sum(int(one["withheld_minor"]) for one in steps) * MICRO,
        "paid": sum(int(one["paid_minor"]) for one in steps) * MICRO,
        "closing": sum(one.amount for one in moved),
    }
    _check(contributor, sums)
    payable = sum(one.payable for one in moved)
    carry = sum(one.carry for one in moved)
    return {
        "version": VERSION,
        "contributor": {"id": contributor["public_id"], "name": contributor["name"]},
        "library": {"id": tx.ws.party_id, "name": tx.ws.name},
        "currency": currency,
        "period": {"from": to_rfc3339(from_ms), "to": to_rfc3339(to_ms)},
        **{f"{name}_micro": str(amount) for name, amount in sums.items()},
        "accrued_micro": str(sums["closing"] - payable - carry),
        "payable_minor": str(payable // MICRO),
        "carry_micro": str(carry),
        "allocations": allocations,
        "payouts": payouts,
        "adjustments": adjustments,
    }


def _check(contributor: Row, sums: dict[str, int]) -> None:
    found = sums["opening"] + sums["earned"] + sums["adjusted"] - sums["withheld"] - sums["paid"]
    if found != sums["closing"]:
        raise IntegrityFailure(
            "a contributor's lines and the ledger disagree",
            code="statement.ledger",
            where=contributor["public_id"],
            remedy="Run: fairframe verify audit",
        )


def _adjustment(tx: Tx, one: Movement) -> dict[str, Any]:
    made = sa.select(allocation.c.public_id).join(revenue_event, revenue_event.c.id == allocation.c.revenue_event_id)
    taken = tx.scalar(made.where(revenue_event.c.public_id == one.subject)) if one.kind == CORRECTION else None
    return {
        "transaction": one.txn,
        "kind": one.kind,
        "event": one.subject if taken else None,
        "allocation": taken,
        "booked_at": to_rfc3339(one.effective_ms),
        "memo": one.memo,
        "amount_micro": str(one.amount),
    }
