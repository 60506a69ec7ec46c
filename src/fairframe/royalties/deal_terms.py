"""What an agreement's terms say about money: the contributors' share, what it is a share of, and from when it counts.

An agreement that was signed before base and recognized were terms means net receipts, recognized when received.
"""

from dataclasses import dataclass
from typing import Any, get_args

from fairframe.core.errors import IntegrityFailure, NotFound
from fairframe.core.money import MICRO
from fairframe.core.rational import Share
from fairframe.platform.tx import Row, Tx
from fairframe.rights.offers import Base, Recognized
from fairframe.rights.tables import agreement

BASES, RECOGNIZED = get_args(Base), get_args(Recognized)


@dataclass(frozen=True)
class DealTerms:
    """share of base (one of BASES), counted when money is received or when it is invoiced (one of RECOGNIZED)."""

    share: Share
    base: str = "net_receipts"
    recognized: str = "received"

    @property
    def by_invoice(self) -> bool:
        return self.recognized == "invoiced"

    def pool_micro(self, gross_minor: int, tax_minor: int) -> int:
        """The contributors' part of an amount, rounded down to micro units; the rest stays with the library."""
        base = gross_minor if self.base == "gross_receipts" else gross_minor - tax_minor
        return self.share.of(base * MICRO)


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
    return deal_terms(deal).share


def deal_terms(deal: Row) -> DealTerms:
    """Raises IntegrityFailure where the terms set no share, or a base or a time that this version does not know."""
    terms: dict[str, Any] = deal["terms"]
    share, base, recognized = terms.get("share"), terms.get("base", BASES[0]), terms.get("recognized", RECOGNIZED[0])
    if not isinstance(share, str):
        raise IntegrityFailure(f"the terms of {deal['public_id']} set no share", code="agreement.no_share")
    if base not in BASES or recognized not in RECOGNIZED:
        raise IntegrityFailure(
            f"the terms of {deal['public_id']} share {base!r} as {recognized!r}, which is unknown here",
            code="agreement.unknown_base",
            remedy="Upgrade fairframe",
        )
    return DealTerms(Share.parse(share), base, recognized)
