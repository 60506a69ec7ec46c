"""The steps of payouts after they were reserved: submitted, settled, returned, canceled. Each is one transaction.

A step that was done already changes nothing, so that a command that was cut off is simply run again. Before money is
sent, what was true when the batch was prepared is asked again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.canonical import canonical
from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.money import MICRO
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.library.tables import contributor
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import batches, ledger, payees, payout_terms
from fairframe.royalties.payees import NOBODY
from fairframe.royalties.payout_rules import withheld
from fairframe.royalties.payout_states import DONE, STEPS, Parts, State, Step, after, joined, move
from fairframe.royalties.payout_terms import NONE
from fairframe.royalties.tables import ledger_txn, payout, payout_batch, payout_event

MAX_REASON = 200
NO_FILES: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Stepped:
    """What a step did. payouts: to which; transaction: "" where it had been done before (new is False)."""

    state: State
    payouts: tuple[Parts, ...]
    transaction: str
    new: bool


def listing(
    tx: Tx, batch: Row | None = None, contributor_id: int | None = None, payout_id: str | None = None
) -> Sequence[Row]:
    """Payouts with state, state_ms, reason, the contributor's id and name, and the batch's id and reference; of a
    batch, of a contributor, one, or all; oldest first."""
    event = payout_event.alias("event")
    statement = (
        sa.select(
            payout,
            sa.func.coalesce(event.c.state, "settled").label("state"),
            sa.func.coalesce(event.c.recorded_at_ms, payout.c.recorded_at_ms).label("state_ms"),
            sa.func.coalesce(event.c.reason, "").label("reason"),
            contributor.c.public_id.label("contributor"),
            contributor.c.name.label("contributor_name"),
            payout_batch.c.public_id.label("batch"),
            sa.func.coalesce(payout_batch.c.reference, payout.c.reference).label("batch_reference"),
        )
        .join(contributor, contributor.c.id == payout.c.contributor_id)
        .outerjoin(event, event.c.id == newest_event())
        .outerjoin(payout_batch, payout_batch.c.id == payout.c.payout_batch_id)
        .order_by(payout.c.id)
    )
    if batch is not None:
        statement = statement.where(payout.c.payout_batch_id == batch["id"])
    if contributor_id is not None:
        statement = statement.where(payout.c.contributor_id == contributor_id)
    if payout_id is not None:
        statement = statement.where(payout.c.public_id == payout_id)
    return tx.rows(statement)


def newest_event() -> "sa.ScalarSelect[int]":
    """The key of a payout's newest event, as a subquery of a query over `payout`: by an index for each."""
    older = payout_event.alias("older")
    return sa.select(sa.func.max(older.c.id)).where(older.c.payout_id == payout.c.id).scalar_subquery()


def parts_of(row: Row) -> Parts:
    """The amounts of a row of listing."""
    amounts = int(row["amount_minor"]), int(row["withheld_minor"] or 0)
    return Parts(row["public_id"], row["contributor"], row["currency"], *amounts)


def submit(tx: WriteTx, batch: Row, files: Mapping[str, bytes] = NO_FILES) -> Stepped:
    """Note that a batch is sent to the bank, with these files: their digests enter the audit tree as a commitment.

    Raises Refused (payout.stale) with the payouts that must not be sent any more.
    """
    ledger.lock(tx)
    rows = [row for row in listing(tx, batch) if row["state"] == "reserved"]
    reasons = stale(tx, batch, rows)
    if reasons:
        raise Refused(
            "not all of it may be sent any more",
            code="payout.stale",
            where=batch["reference"],
            reasons=reasons,
            remedy=f"Cancel these: fairframe royalties payout cancel {batch['public_id']} PAYOUT",
        )
    digests = canonical({name: hashlib.sha256(data).hexdigest() for name, data in files.items()}).decode()
    private = {"files": digests} if files else None
    return _step(tx, listing(tx, batch), batch["public_id"], "submit", whole=True, private=private)


def settle(tx: WriteTx, batch: Row, only: Sequence[str] = (), effective_ms: int | None = None) -> Stepped:
    """Note that the bank has paid a batch, or some of its payouts. effective_ms: the bank's day; now where None.

    Raises InputError (payout.day) where that is in the future, or before the day on which it was submitted.
    """
    if effective_ms is not None and effective_ms > tx.now_ms + DAY_MS:
        raise InputError("the bank's day is in the future", code="payout.day")
    return _some(tx, batch, only, "settle", "", effective_ms)


def cancel(tx: WriteTx, batch: Row, only: Sequence[str] = (), reason: str = "") -> Stepped:
    """Take a batch back, or some of its payouts, before it is sent: all goes back to payable."""
    return _some(tx, batch, only, "cancel", reason)


def give_back(tx: WriteTx, payout_id: str, reason: str) -> Stepped:
    """Note that the bank returned a payout: it goes back to payable, gross, and what was withheld of it is given back.

    reason: the bank's, such as AC04. Raises NotFound, Refused (payout.state), InputError (reason).
    """
    if not reason.strip():
        raise InputError("say why it came back", code="payout.reason", remedy="The bank's code will do: --reason AC04")
    ledger.lock(tx)
    rows = listing(tx, payout_id=payout_id) if "\x00" not in payout_id else []
    if not rows:
        raise NotFound(f"no payout {payout_id[:60]!r}", code="payout.missing", remedy="See: royalties payout list")
    return _step(tx, rows, payout_id, "return", whole=False, reason=reason)


def stale(tx: Tx, batch: Row, rows: Sequence[Row]) -> list[str]:
    """Why payouts of a batch that are reserved may not be sent any more: one line each, for those with a reason.

    It is asked about the day of payment, or now if that is later.
    """
    if not rows:
        return []
    at_ms = batches.paid_ms(tx, batch["execution_ms"])
    held, rates = payees.when_paid(tx, at_ms), payout_terms.rates(tx, at_ms)
    asked = payout_terms.terms(tx, batch["currency"]).policy
    prefix = ledger.accrued("")
    owing = {
        one.account.removeprefix(prefix)
        for one in ledger.balances(tx)
        if one.account.startswith(prefix) and one.currency == batch["currency"] and one.amount_micro >= MICRO
    }
    reasons: list[str] = []
    for row in rows:
        payee = held.get(row["contributor_id"], NOBODY)
        facts = payee.asked(at_ms, taxed=bool(rates))
        parts, rate = parts_of(row), rates.get(payee.country, NONE).share
        wrong = [
            text
            for text, found in (
                ("is blocked", facts.blocked),
                ("has no tax form", asked.tax_form and not facts.tax_form),
                ("has no country", not facts.country),
                ("has another account by now", payee.id != (row["payee_id"] or 0)),
                ("has another tax withheld by now", withheld(parts.gross_minor, rate) != parts.withheld_minor),
                ("owes something by now", row["contributor"] in owing),
            )
            if found
        ]
        if wrong:
            reasons.append(f"{row['public_id']}: {row['contributor']} {' and '.join(wrong)}")
    return reasons


def _some(
    tx: WriteTx, batch: Row, only: Sequence[str], step: Step, reason: str, effective_ms: int | None = None
) -> Stepped:
    ledger.lock(tx)
    rows = listing(tx, batch)
    if not only:
        return _step(tx, rows, batch["public_id"], step, True, reason, effective_ms)
    chosen = [row for row in rows if row["public_id"] in only]
    missing = sorted(set(only) - {row["public_id"] for row in chosen})
    if missing:
        raise NotFound(f"no payout {missing[0][:60]!r} in this batch", code="payout.missing", where=batch["reference"])
    return _step(tx, chosen, batch["public_id"], step, False, reason, effective_ms)


def _step(
    tx: WriteTx,
    rows: Sequence[Row],
    subject: str,
    step: Step,
    whole: bool,
    reason: str = "",
    effective_ms: int | None = None,
    private: Mapping[str, str] | None = None,
) -> Stepped:
    """whole: of a batch all payouts that can take the step do, else each must."""
    if len(reason) > MAX_REASON or not (reason.isprintable() or not reason):
        raise InputError("the reason is too long or not printable", code="payout.reason")
    todo = (
        [row for row in rows if (row["state"], step) in STEPS]
        if whole
        else [row for row in rows if row["state"] not in DONE[step]]
    )
    target = DONE[step][0]
    if not todo:
        done = [row for row in rows if row["state"] in DONE[step]]
        if not done:
            after(subject, rows[0]["state"], step)
        return Stepped(target, tuple(parts_of(row) for row in done), "", False)
    legs = [
        leg for row in todo for leg in move(parts_of(row), row["state"], after(row["public_id"], row["state"], step))
    ]
    kind, keys = f"payout.{target}", [row["id"] for row in todo]
    dated_ms = _dated(tx, keys, effective_ms)
    txn = ledger.post(tx, kind, subject, joined(legs), f"Payout {todo[0]['batch_reference']} {target}", dated_ms)
    batches.note(tx, keys, target, txn, reason)
    told = {**(private or {}), **({"reason": reason} if reason else {})}
    tx.record(kind, subject, {"payouts": len(todo), "transaction": txn}, told)
    return Stepped(target, tuple(parts_of(row) for row in todo), txn, True)


def _dated(tx: Tx, keys: Sequence[int], asked_ms: int | None) -> int:
    """The accounting date of a step of payouts: not before that of the step before it, which may be of the same day."""
    its = (ledger_txn.c.public_id == payout_event.c.txn) & among(tx.conn, payout_event.c.payout_id, keys)
    last_ms = int(tx.scalar(sa.select(sa.func.max(ledger_txn.c.effective_ms)).where(its)) or 0)
    if asked_ms is not None and asked_ms // DAY_MS < last_ms // DAY_MS:
        raise InputError(
            f"{to_rfc3339(asked_ms)[:10]} is before {to_rfc3339(last_ms)[:10]}, when it was sent",
            code="payout.day",
            remedy="Say the bank's day: --on",
        )
    return max(tx.now_ms if asked_ms is None else asked_ms, last_ms)
