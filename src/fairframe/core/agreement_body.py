"""The body of an agreement's bundle, as far as everybody reads it: the library, the lab and any verifier.

The terms are an object of their own, which rights/offers.py reads in full; here are those that other documents repeat.
"""

from dataclasses import dataclass
from typing import Any

from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.money import Currency
from fairframe.core.rational import Share
from fairframe.core.split_basis import MOST_CHARS
from fairframe.core.time import DAY_MS


@dataclass(frozen=True)
class AgreementBody:
    """What the library signs and the lab countersigns.

    fee_minor: in minor units of `currency`. upgrade_of: the agreement that this one replaces, None for the first of its
    family. share: the contributors' part of net receipts.
    """

    offer: str
    offer_version: int
    purpose: str
    terms: dict[str, Any]
    library: str
    lab: str
    fee_minor: int
    currency: str
    upgrade_of: str | None
    family: str
    starts_ms: int
    ends_ms: int
    share: Share
    split_basis: str
    commercial_output: bool

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> "AgreementBody":
        """Read an agreement strictly; BadDocument where a field is wrong (document.field) or it contradicts itself
        or its bundle (agreement.bad)."""
        fields = Fields(bundle.body, "agreement")
        terms = fields.fields("terms")
        body = cls(
            offer=fields.text("offer", max_chars=40),
            offer_version=fields.integer("offer_version", least=1),
            purpose=fields.text("purpose", max_chars=40),
            terms=fields.object("terms"),
            library=fields.id("library", "pty"),
            lab=fields.id("lab", "pty"),
            fee_minor=fields.integer("fee_minor"),
            currency=_currency(fields),
            upgrade_of=None if fields.value("upgrade_of") is None else fields.id("upgrade_of", "agr"),
            family=fields.id("family", "agr"),
            starts_ms=fields.time_ms("starts_at"),
            ends_ms=fields.time_ms("ends_at"),
            share=_share(terms),
            split_basis=terms.text("split_basis", max_chars=MOST_CHARS),
            commercial_output=terms.boolean("commercial_output"),
        )
        purpose, term_days = terms.text("purpose", max_chars=40), terms.integer("term_days", least=1)
        fields.close()
        checks = {
            "its id is not an agreement's": bundle.id.startswith("agr_"),
            "it is issued under another agreement": bundle.agreement is not None and bundle.agreement.id == bundle.id,
            "its parties are not sender and recipient": (body.library, body.lab) == (bundle.sender, bundle.recipient),
            "its purpose is not that of its terms": purpose == body.purpose,
            "its term is not that of its terms": body.ends_ms == body.starts_ms + term_days * DAY_MS,
            "it upgrades itself": body.upgrade_of != bundle.id,
            "its family does not fit": (body.upgrade_of is None) == (body.family == bundle.id),
        }
        for wrong, holds in checks.items():
            if not holds:
                raise BadDocument(f"The agreement contradicts itself: {wrong}", code="agreement.bad", where=bundle.id)
        return body


def _currency(fields: Fields) -> str:
    try:
        return Currency(fields.text("currency", max_chars=3)).code
    except InputError as error:
        raise BadDocument(error.message, code="document.field", where="agreement.currency") from error


def _share(terms: Fields) -> Share:
    try:
        return Share.parse(terms.text("share", max_chars=40))
    except InputError as error:
        raise BadDocument(error.message, code="document.field", where="agreement.terms.share") from error
