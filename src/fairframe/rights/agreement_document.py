"""The body of an agreement's bundle: written by the library, read strictly by both sides."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.money import MAX_MINOR, Currency, Money
from fairframe.core.time import DAY_MS, to_rfc3339
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
        fields = Fields(bundle.body, "agreement")
        terms = Terms.from_json(fields.object("terms"))
        document = cls(
            offer=fields.text("offer", max_chars=40),
            offer_version=fields.integer("offer_version", least=1),
            terms=terms,
            library=fields.id("library", "pty"),
            lab=fields.id("lab", "pty"),
            fee=Money(fields.integer("fee_minor"), _currency(fields)),
            upgrade_of=None if fields.value("upgrade_of") is None else fields.id("upgrade_of", "agr"),
            family=fields.id("family", "agr"),
            starts_ms=fields.time_ms("starts_at"),
            ends_ms=fields.time_ms("ends_at"),
        )
        purpose = fields.text("purpose")
        fields.close()
        checks = {
            "its id is not an agreement's": bundle.id.startswith("agr_"),
            "it is issued under another agreement": bundle.agreement is not None and bundle.agreement.id == bundle.id,
            "its parties are not sender and recipient": (document.library, document.lab)
            == (bundle.sender, bundle.recipient),
            "its purpose is not that of its terms": purpose == terms.purpose,
            "its term is not that of its terms": document.ends_ms == document.starts_ms + terms.term_days * DAY_MS,
            "it upgrades itself": document.upgrade_of != bundle.id,
            "its family does not fit": (document.upgrade_of is None) == (document.family == bundle.id),
            "its fee is more than can be kept": document.fee.minor <= MAX_MINOR,
            "its fee is not its price": terms.price is None or document.fee.minor == terms.price.fee_minor,
            "it names no collection": terms.scope == "library" or bool(terms.collections),
        }
        for wrong, holds in checks.items():
            if not holds:
                raise BadDocument(f"The agreement contradicts itself: {wrong}", code="agreement.bad", where=bundle.id)
        return document


def _currency(fields: Fields) -> Currency:
    try:
        return Currency(fields.text("currency", max_chars=3))
    except InputError as error:
        raise BadDocument(error.message, code="document.field", where="agreement.currency") from error
