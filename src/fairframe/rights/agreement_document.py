"""The body of an agreement's bundle: written by the library, read strictly by both sides."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.agreement_body import AgreementBody
from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument
from fairframe.core.money import MAX_MINOR, Currency, Money
from fairframe.core.time import to_rfc3339
from fairframe.rights.exclusivity import Scope
from fairframe.rights.offers import Terms


@dataclass(frozen=True)
class Document:
    """What the library signs and the lab countersigns."""

    offer: str
    offer_version: int
    terms: Terms
    library: str
    lab: str
    fee: Money
    upgrade_of: str | None
    family: str
    starts_ms: int
    ends_ms: int

    def scope(self, agreement: str) -> Scope:
        """What exclusivity asks about it, under an id."""
        return Scope(agreement, self.lab, self.terms, self.starts_ms, self.ends_ms)

    def to_body(self) -> dict[str, Any]:
        return {
            "offer": self.offer,
            "offer_version": self.offer_version,
            "purpose": self.terms.purpose,
            "terms": self.terms.to_json(),
            "library": self.library,
            "lab": self.lab,
            "fee_minor": self.fee.minor,
            "currency": self.fee.currency.code,
            "upgrade_of": self.upgrade_of,
            "family": self.family,
            "starts_at": to_rfc3339(self.starts_ms),
            "ends_at": to_rfc3339(self.ends_ms),
        }

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> "Document":
        """Read and check an agreement's bundle; BadDocument where it is not one, or contradicts itself."""
        body = AgreementBody.from_bundle(bundle)
        terms = Terms.from_json(body.terms)
        document = cls(
            offer=body.offer,
            offer_version=body.offer_version,
            terms=terms,
            library=body.library,
            lab=body.lab,
            fee=Money(body.fee_minor, Currency(body.currency)),
            upgrade_of=body.upgrade_of,
            family=body.family,
            starts_ms=body.starts_ms,
            ends_ms=body.ends_ms,
        )
        checks = {
            "its fee is more than can be kept": document.fee.minor <= MAX_MINOR,
            "its fee is not its price": terms.price is None or document.fee.minor == terms.price.fee_minor,
            "it names no collection": terms.scope == "library" or bool(terms.collections),
        }
        for wrong, holds in checks.items():
            if not holds:
                raise BadDocument(f"The agreement contradicts itself: {wrong}", code="agreement.bad", where=bundle.id)
        return document
