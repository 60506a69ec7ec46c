"""Revenue: money received under an agreement, booked once per reference, with the contributors' share put in a pool.

The base is net receipts: gross less tax. The pool is share * net, rounded down to 10^-6 minor unit; what the rounding
leaves (less than one such unit) stays with the library.
"""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound
from fairframe.core.ids import new_id
from fairframe.core.money import MICRO, Currency, Money
from fairframe.core.rational import Share
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.tables import agreement
from fairframe.royalties import ledger
from fairframe.royalties.ledger import CASH, LIBRARY, TAX, Leg
from fairframe.royalties.tables import ledger_txn, revenue_event

MAX_REFERENCE = 200
CORRECTION = "correction"
"""The kind of the transaction that takes a receipt back; its subject is the revenue event."""


@dataclass(frozen=True)
class Booked:
    """A revenue event. new: whether this call booked it, or found it booked with the same content."""

    id: str
    agreement: str
    reference: str
    gross: Money
    tax: Money
    net: Money
    pool_micro: int
    effective_ms: int
    new: bool


def book(
    tx: WriteTx,
    agreement_id: str,
    gross: Money,
    reference: str,
    tax_minor: int = 0,
    effective_ms: int | None = None,
) -> Booked:
    """Book money received under an agreement. `reference` (an invoice number, say) makes it happen once.

    Raises what plan raises.
    """
    ledger.lock(tx)
    planned = plan(tx, agreement_id, gross, reference, tax_minor, effective_ms)
    if not planned.new:
        return planned
    event = new_id("rev")
    amounts = {"gross_minor": gross.minor, "tax_minor": tax_minor, "net_minor": planned.net.minor}
    tx.insert(
        revenue_event,
        public_id=event,
        subject_kind="agreement",
        subject=agreement_id,
        reference=planned.reference,
        currency=gross.currency.code,
        effective_ms=planned.effective_ms,
        kind="flat",
        agreement=agreement_id,
        **amounts,
    )
    body = {"event": event, "reference": planned.reference, "currency": gross.currency.code, **amounts}
    tx.record("revenue.booked", agreement_id, {**body, "effective_at": to_rfc3339(planned.effective_ms)})
    legs = _legs(event, gross, tax_minor, planned.pool_micro)
    ledger.post(tx, "revenue", event, legs, f"Receipt {planned.reference}", planned.effective_ms)
    return replace(planned, id=event)


def plan(
    tx: Tx,
    agreement_id: str,
    gross: Money,
    reference: str,
    tax_minor: int = 0,
    effective_ms: int | None = None,
) -> Booked:
    """What book would book (its id is empty), or what it has booked under this reference.

    Raises NotFound (agreement), InputError (amount, tax, currency, reference, time), Conflict where the reference was
    booked with other content, or was taken back.
    """
    deal = find_agreement(tx, agreement_id)
    reference = clean_reference(reference)
    _check_amounts(deal, gross, tax_minor)
    known = known_event(tx, agreement_id, reference)
    if known is not None:
        return _same(tx, deal, known, gross, tax_minor, effective_ms)
    effective = tx.now_ms if effective_ms is None else effective_ms
    _check_time(deal, effective, tx.now_ms)
    return _booked(deal, "", reference, gross, tax_minor, effective, new=True)


def known_event(tx: Tx, agreement_id: str, reference: str) -> Row | None:
    """The receipt that is booked under a reference."""
    of_it = (revenue_event.c.subject_kind == "agreement") & (revenue_event.c.subject == agreement_id)
    return tx.row(revenue_event.select().where(of_it, revenue_event.c.reference == reference))


def corrected(tx: Tx, event: str) -> str | None:
    """The transaction that took a receipt back; None where none did."""
    where = (ledger_txn.c.kind == CORRECTION) & (ledger_txn.c.subject == event)
    return tx.scalar(sa.select(ledger_txn.c.public_id).where(where))


def find_agreement(tx: Tx, agreement_id: str) -> Row:
    """The agreement's row. Raises NotFound."""
    row = tx.row(agreement.select().where(agreement.c.public_id == agreement_id))
    if row is None:
        raise NotFound(
            f"no agreement {agreement_id[:60]!r}", code="agreement.missing", remedy="See: fairframe rights list"
        )
    return row


def share_of(deal: Row) -> Share:
    """The contributors' share that the agreement's terms set. Raises IntegrityFailure where they do not."""
    share = deal["terms"].get("share")
    if not isinstance(share, str):
        raise IntegrityFailure(f"the terms of {deal['public_id']} set no share", code="agreement.no_share")
    return Share.parse(share)


def pool_micro(deal: Row, net_minor: int) -> int:
    """The contributors' share of net receipts, rounded down to micro units."""
    return share_of(deal).of(net_minor * MICRO)


def _legs(event: str, gross: Money, tax_minor: int, pool: int) -> list[Leg]:
    amounts = {
        CASH: gross.micro,
        TAX: -tax_minor * MICRO,
        LIBRARY: -(gross.minor - tax_minor) * MICRO + pool,
        ledger.pool(event): -pool,
    }
    return [Leg(account, gross.currency.code, amount) for account, amount in amounts.items() if amount]


def _same(tx: Tx, deal: Row, known: Row, gross: Money, tax_minor: int, effective_ms: int | None) -> Booked:
    if corrected(tx, known["public_id"]) is not None:
        raise Conflict(
            f"the receipt {known['reference']!r} was booked and taken back",
            code="revenue.corrected",
            where=known["public_id"],
            remedy="Book the right amount under a reference of its own",
        )
    said = (gross.currency.code, gross.minor, tax_minor)
    when = known["effective_ms"] if effective_ms is None else effective_ms
    if said != (known["currency"], known["gross_minor"], known["tax_minor"]) or when != known["effective_ms"]:
        held = Money(known["gross_minor"], Currency(known["currency"]))
        raise Conflict(
            f"the reference {known['reference']!r} is already booked with other content ({held})",
            code="revenue.conflict",
            where=known["public_id"],
            remedy=f"Take it back: fairframe royalties correct {known['subject']} --ref REF --reason WHY; then book the"
            " right amount under a reference of its own",
        )
    return _booked(deal, known["public_id"], known["reference"], gross, tax_minor, when, new=False)


def _booked(
    deal: Row, event: str, reference: str, gross: Money, tax_minor: int, effective: int, *, new: bool
) -> Booked:
    tax = Money(tax_minor, gross.currency)
    net = gross - tax
    pool = pool_micro(deal, net.minor)
    return Booked(event, deal["public_id"], reference, gross, tax, net, pool, effective, new)


def clean_reference(reference: str) -> str:
    """A reference as it is kept. Raises InputError."""
    text = " ".join(reference.split())
    if not text or len(text) > MAX_REFERENCE or not text.isprintable():
        raise InputError(
            "the reference is empty, too long or not printable",
            code="revenue.reference",
            remedy=f"Give the invoice or transfer number, 1-{MAX_REFERENCE} characters",
        )
    return text


def _check_time(deal: Row, effective_ms: int, now_ms: int) -> None:
    """A receipt may precede the agreement's start, but not the agreement; clocks may differ by a day."""
    since = min(int(deal["starts_ms"]), int(deal["recorded_at_ms"])) - DAY_MS
    if not since <= effective_ms <= now_ms + DAY_MS:
        wrong = "before the agreement was made" if effective_ms < since else "in the future"
        raise InputError(
            f"{to_rfc3339(effective_ms)[:10]} is {wrong}",
            code="revenue.time",
            where=deal["public_id"],
            remedy="Say when the money was received: --received 2026-01-31T00:00:00.000Z",
        )


def _check_amounts(deal: Row, gross: Money, tax_minor: int) -> None:
    if gross.currency.code != deal["currency"]:
        raise InputError(
            f"the agreement is in {deal['currency']}, not in {gross.currency}",
            code="revenue.currency",
            where=deal["public_id"],
        )
    if not 0 < gross.minor <= ledger.MAX_MINOR:
        raise InputError(
            f"{gross} is not an amount that can be booked",
            code="revenue.amount",
            remedy=f"It is above zero and at most {Money(ledger.MAX_MINOR, gross.currency)}",
        )
    if not 0 <= tax_minor <= gross.minor:
        raise InputError("the tax is below zero or above the gross amount", code="revenue.tax")
