"""Events that refer to another one: payments of an invoice, refunds and chargebacks. What that one has left for them.

Together they never exceed what they refer to. A tax that is not said is in proportion: of what is left, to what is
left, so that the last one takes all the rest.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import InputError, NotFound, Refused
from fairframe.core.money import MICRO, Currency, Money
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import events, ledger, pools
from fairframe.royalties.about import About
from fairframe.royalties.deal_terms import DealTerms, deal_terms
from fairframe.royalties.events import FEES, INVOICE, TAKEN
from fairframe.royalties.pools import Left
from fairframe.royalties.revenue_checks import clean_reference
from fairframe.royalties.tables import revenue_event


@dataclass(frozen=True)
class Room:
    """What may still be paid of an invoice, or taken from an event: most_minor of what is left of it.

    taxed: False where its tax is booked already.
    """

    of: str
    left: Left
    most_minor: int
    taxed: bool = True

    def tax_for(self, gross: Money, tax_minor: int | None) -> int:
        """The tax in an amount that is within what is left. Raises Refused (revenue.left), InputError (revenue.tax)."""
        most, left = Money(self.most_minor, gross.currency), self.left
        if gross.minor > most.minor:
            raise Refused(f"{gross} is more than is left of it: {most}", code="revenue.left", where=self.of)
        if not self.taxed:
            if tax_minor:
                raise InputError("its tax was booked with the invoice", code="revenue.tax", where=self.of)
            return 0
        if tax_minor is None:
            return left.tax_minor * gross.minor // left.gross_minor
        if tax_minor > left.tax_minor or gross.minor - tax_minor > left.gross_minor - left.tax_minor:
            raise InputError("more tax, or more without it, than is left of it", code="revenue.tax", where=self.of)
        return tax_minor


def find(tx: Tx, deal: Row, about: About) -> Row:
    """The event that `about.of` refers to. Raises NotFound, InputError (ambiguous, or of a kind that does not fit),
    Refused where it was taken back."""
    reference = clean_reference(about.of)
    found = events.find(tx, deal["public_id"], reference, about.model)
    if found is None:
        raise NotFound(
            f"nothing is booked under {deal['public_id']} with the reference {reference[:80]!r}",
            code="revenue.missing",
            remedy="See: fairframe royalties receipts",
        )
    wrong = _misfit(found, about.kind, deal_terms(deal))
    if wrong:
        raise InputError(wrong, code="revenue.of", where=found["public_id"])
    if events.corrected(tx, found["public_id"]) is not None:
        raise Refused(f"the event {reference!r} was taken back", code="revenue.corrected", where=found["public_id"])
    return found


def _misfit(found: Row, kind: str, terms: DealTerms) -> str:
    reference, of_fee = found["reference"], found["subject_kind"] == "agreement"
    if kind not in TAKEN:
        if found["kind"] != INVOICE:
            return f"{reference!r} is no invoice that could be paid"
        if of_fee != (kind in FEES):
            return f"{reference!r} invoices {'a fee for data' if of_fee else 'revenue of a model'}, not {kind}"
        return ""
    if found["kind"] in TAKEN:
        return f"{reference!r} is itself a {found['kind']}: take that back with royalties correct"
    if found["of_id"] is not None and terms.by_invoice:
        return f"{reference!r} paid an invoice, and this agreement counts invoices: take it from the invoice"
    if kind == "chargeback" and found["kind"] == INVOICE and not terms.by_invoice:
        return f"{reference!r} is an invoice: a chargeback takes from what was received"
    return ""


def room(tx: Tx, terms: DealTerms, kind: str, other: Row) -> Room:
    """What is left of `other` for an event of a kind."""
    open_minor = outstanding(tx, other)
    if kind in TAKEN and (other["kind"] != INVOICE or terms.by_invoice):
        left = pools.left_of(tx, other)
        # what was not received cannot be charged back
        return Room(other["public_id"], left, left.gross_minor - (open_minor if kind == "chargeback" else 0))
    c = revenue_event.c
    used = tx.scalar(sa.select(sa.func.sum(c.tax_minor)).where(c.of_id == other["id"], ~events.taken_back()))
    left = Left(open_minor, other["tax_minor"] - int(used or 0))
    return Room(other["public_id"], left, open_minor, taxed=not terms.by_invoice)


def outstanding(tx: Tx, event: Row) -> int:
    """Minor units of an invoice that are neither paid nor lowered; 0 for other events."""
    if event["kind"] != INVOICE:
        return 0
    return ledger.balance_of(tx, ledger.receivable(event["public_id"]), event["currency"]) // MICRO


def unpaid_part(tx: Tx, kind: str, other: Row, gross_minor: int) -> int:
    """How much of a refund lowers a recognized invoice instead of going back in cash: what is not paid, first."""
    return min(gross_minor, outstanding(tx, other)) if kind == "refund" else 0


def pool_micro(tx: Tx, terms: DealTerms, kind: str, other: Row, gross_minor: int, tax_minor: int) -> int:
    """The pool of an event that refers to another; below zero where it takes from it."""
    if not pools.counts(kind, other["kind"], terms):
        return 0
    if kind not in TAKEN:
        return terms.pool_micro(gross_minor, tax_minor)
    return -pools.taken_micro(terms, pools.left_of(tx, other), gross_minor, tax_minor)


def rest_of(tx: Tx, deal: Row, about: About) -> Money:
    """All that is left for a payment, refund or chargeback. Raises what find raises."""
    other = find(tx, deal, about)
    return Money(room(tx, deal_terms(deal), about.kind, other).most_minor, Currency(other["currency"]))
