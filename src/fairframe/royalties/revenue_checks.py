"""What a revenue event may say at all: its reference, amounts and time."""

import unicodedata

from fairframe.core.errors import InputError
from fairframe.core.money import Money
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.platform.tx import Row
from fairframe.royalties import ledger

MAX_REFERENCE = 200


def clean_reference(reference: str) -> str:
    """A reference as it is kept: in NFC (Unicode, UAX #15), with single spaces. Raises InputError."""
    text = " ".join(unicodedata.normalize("NFC", reference).split())
    if not text or len(text) > MAX_REFERENCE or not text.isprintable():
        raise InputError(
            "the reference is empty, too long or not printable",
            code="revenue.reference",
            remedy=f"Give the invoice or transfer number, 1-{MAX_REFERENCE} characters",
        )
    return text


def check_time(deal: Row, effective_ms: int, now_ms: int, other: Row | None = None) -> None:
    """An event may precede the agreement's start, but not the agreement, nor the event that it refers to (`other`).

    Clocks may differ by a day. Raises InputError.
    """
    since = min(int(deal["starts_ms"]), int(deal["recorded_at_ms"]))
    wrong = "before the agreement was made"
    if other is not None and other["effective_ms"] > since:
        since, wrong = int(other["effective_ms"]), f"before {other['reference']!r}, which it refers to"
    if not since - DAY_MS <= effective_ms <= now_ms + DAY_MS:
        raise InputError(
            f"{to_rfc3339(effective_ms)[:10]} is {wrong if effective_ms < since else 'in the future'}",
            code="revenue.time",
            where=deal["public_id"],
            remedy="Say when it happened, such as 2026-01-31",
        )


def check_amounts(deal: Row, gross: Money, tax_minor: int | None) -> None:
    """One currency per agreement, an amount that the ledger holds, a tax within it. Raises InputError."""
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
    if tax_minor is not None and not 0 <= tax_minor <= gross.minor:
        raise InputError("the tax is below zero or above the gross amount", code="revenue.tax")
