"""Revenue: what is received, invoiced, refunded under an agreement, booked once per reference.

The reference (an invoice or transfer number) is unique per subject: the agreement, or the model whose revenue it is.
The same content under it is the same event; other content is a conflict. Amounts of an event that refers to another
one are bounded by what that one has left (related.py); what is posted is a pure rule (revenue_legs.py).
"""

from dataclasses import dataclass, replace

from fairframe.core.errors import Conflict
from fairframe.core.ids import new_id
from fairframe.core.money import Currency, Money
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import events, ledger, pools, related, revenue_legs
from fairframe.royalties.about import FLAT, About, subject_of
from fairframe.royalties.deal_terms import DealTerms, deal_terms, find_agreement
from fairframe.royalties.events import INVOICE, TAKEN
from fairframe.royalties.ledger import Leg
from fairframe.royalties.revenue_checks import check_amounts, check_time, clean_reference
from fairframe.royalties.revenue_legs import Amounts
from fairframe.royalties.tables import revenue_event

ENTRIES = {INVOICE: "revenue.invoiced", **dict.fromkeys(TAKEN, "revenue.refunded")}
"""Audit entries of kinds; all others: revenue.booked."""


@dataclass(frozen=True)
class Booked:
    """A revenue event. gross, tax and net are above zero; pool_micro has the sign of its effect, 0 for none.

    subject: the agreement or the model. of: the event (its id) that it takes from or pays, "" for none. new: whether
    this call booked it, or found it booked with the same content.
    """

    id: str
    agreement: str
    reference: str
    gross: Money
    tax: Money
    net: Money
    pool_micro: int
    effective_ms: int
    new: bool
    subject: str = ""
    kind: str = "flat"
    quantity: int | None = None
    of: str = ""


def book(
    tx: WriteTx,
    agreement_id: str,
    gross: Money,
    reference: str,
    tax_minor: int | None = None,
    effective_ms: int | None = None,
    about: About = FLAT,
) -> Booked:
    """Book an event under an agreement: by default, money received for data. Raises what plan raises."""
    ledger.lock(tx)
    planned = plan(tx, agreement_id, gross, reference, tax_minor, effective_ms, about)
    if not planned.new:
        return planned
    deal = find_agreement(tx, agreement_id)
    other = related.find(tx, deal, about) if planned.of else None
    done = replace(planned, id=new_id("rev"))
    legs = _legs(tx, deal_terms(deal), done, other)
    row = {
        "reference": done.reference,
        "currency": gross.currency.code,
        "gross_minor": gross.minor,
        "tax_minor": done.tax.minor,
        "net_minor": done.net.minor,
        "kind": done.kind,
        "quantity": done.quantity,
    }
    tx.insert(
        revenue_event,
        public_id=done.id,
        subject_kind="checkpoint" if about.model or _of_model(other) else "agreement",
        subject=done.subject,
        agreement=agreement_id,
        of_id=None if other is None else other["id"],
        effective_ms=done.effective_ms,
        **row,
    )
    body = {"event": done.id, "subject": done.subject, "of": done.of or None, **row}
    body = {name: value for name, value in body.items() if value is not None}
    entry = ENTRIES.get(done.kind, "revenue.booked")
    tx.record(entry, agreement_id, {**body, "effective_at": to_rfc3339(done.effective_ms)})
    kind = "refund" if done.kind in TAKEN else "invoice" if done.kind == INVOICE else "revenue"
    ledger.post(tx, kind, done.id, legs, f"{events.word(done.kind)} {done.reference}", done.effective_ms)
    return done


def plan(
    tx: Tx,
    agreement_id: str,
    gross: Money,
    reference: str,
    tax_minor: int | None = None,
    effective_ms: int | None = None,
    about: About = FLAT,
) -> Booked:
    """What book would book (its id is empty), or what it has booked under this reference.

    tax_minor None: none, or for an event that refers to another, in proportion to what that has left. effective_ms
    None: now. Raises NotFound (agreement, model, the event referred to), InputError (amount, tax, currency,
    reference, time, kind, quantity), Refused (more than is left), Conflict where the reference was booked with other
    content, or was taken back.
    """
    deal = find_agreement(tx, agreement_id)
    terms, reference = deal_terms(deal), clean_reference(reference)
    check_amounts(deal, gross, tax_minor)
    about.check()
    other = related.find(tx, deal, about) if about.of else None
    subject = subject_of(tx, deal, about) if other is None else str(other["subject"])
    known = events.known_event(tx, subject, reference)
    if known is not None:
        return _same(tx, deal, known, gross, tax_minor, effective_ms, about, other)
    effective = tx.now_ms if effective_ms is None else effective_ms
    check_time(deal, effective, tx.now_ms, other)
    tax, pool = tax_minor or 0, 0
    if other is None:
        if pools.counts(about.kind, None, terms):
            pool = terms.pool_micro(gross.minor, tax)
    else:
        room = related.room(tx, terms, about.kind, other)
        tax = room.tax_for(gross, tax_minor)
        pool = related.pool_micro(tx, terms, about.kind, other, gross.minor, tax)
    taxed = Money(tax, gross.currency)
    return Booked(
        "", agreement_id, reference, gross, taxed, gross - taxed, pool, effective, True,
        subject, about.kind, about.quantity, "" if other is None else str(other["public_id"]),
    )  # fmt: skip


def booked_under(tx: Tx, deal: Row, reference: str, about: About) -> Money | None:
    """The gross amount that is booked already under the reference of an event that refers to another; None where
    nothing is. Raises what plan raises about `about`."""
    known = events.known_event(tx, str(related.find(tx, deal, about)["subject"]), clean_reference(reference))
    return None if known is None else Money(known["gross_minor"], Currency(known["currency"]))


def _legs(tx: Tx, terms: DealTerms, one: Booked, other: Row | None) -> list[Leg]:
    a = Amounts(one.gross.currency.code, one.gross.minor, one.tax.minor, abs(one.pool_micro))
    if other is None:
        if one.kind == INVOICE:
            return revenue_legs.invoice(one.id, a, recognized=terms.by_invoice)
        return revenue_legs.receipt(one.id, a)
    if one.kind not in TAKEN:
        return revenue_legs.payment(one.id, one.of, a, recognized=terms.by_invoice)
    if other["kind"] != INVOICE:
        return revenue_legs.taken(one.id, a)
    if not terms.by_invoice:
        return revenue_legs.credit(one.of, a)
    unpaid = related.unpaid_part(tx, one.kind, other, one.gross.minor)
    return revenue_legs.taken(one.id, a, invoice_id=one.of, unpaid_minor=unpaid)


def _of_model(other: Row | None) -> bool:
    return other is not None and other["subject_kind"] == "checkpoint"


def _same(
    tx: Tx,
    deal: Row,
    known: Row,
    gross: Money,
    tax_minor: int | None,
    effective_ms: int | None,
    about: About,
    other: Row | None,
) -> Booked:
    if events.corrected(tx, known["public_id"]) is not None:
        raise Conflict(
            f"the event {known['reference']!r} was booked and taken back",
            code="revenue.corrected",
            where=known["public_id"],
            remedy="Book the right amount under a reference of its own",
        )
    of_id = None if other is None else other["id"]
    tax = (known["tax_minor"] if other is not None else 0) if tax_minor is None else tax_minor
    when = known["effective_ms"] if effective_ms is None else effective_ms
    said = (deal["public_id"], about.kind, gross.currency.code, gross.minor, tax, when, about.quantity, of_id)
    names = ("agreement", "kind", "currency", "gross_minor", "tax_minor", "effective_ms", "quantity", "of_id")
    if said != tuple(known[name] for name in names):
        held = Money(known["gross_minor"], Currency(known["currency"]))
        raise Conflict(
            f"the reference {known['reference']!r} is already booked with other content ({known['kind']}, {held})",
            code="revenue.conflict",
            where=known["public_id"],
            remedy=f"Take it back: fairframe royalties correct {known['agreement']} --ref REF --reason WHY; then book"
            " the right content under a reference of its own",
        )
    taxed = Money(tax, gross.currency)
    return Booked(
        known["public_id"], deal["public_id"], known["reference"], gross, taxed, gross - taxed,
        pools.posted_micro(tx, known), when, False,
        known["subject"], about.kind, about.quantity, "" if other is None else str(other["public_id"]),
    )  # fmt: skip
