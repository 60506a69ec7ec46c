"""What a countersigned agreement says about money, to compare a statement with: read from files that a person gives."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from fairframe.core.agreement_body import AgreementBody
from fairframe.core.bundle import Bundle
from fairframe.core.errors import BadDocument
from fairframe.core.rational import Share
from fairframe.verify.documents import open_checked
from fairframe.verify.kind import Finding
from fairframe.verify.trust import Trust

BASES = ("net_receipts", "gross_receipts")
RECOGNIZED = ("received", "invoiced")
"""What the share can be of, and when it counts; the first is meant by an agreement that says nothing of it."""


@dataclass(frozen=True)
class Terms:
    """What both a signed agreement and a statement say of a deal. The names are those of the findings.

    licensee: "" where the agreement does not let statements name it.
    """

    id: str
    version: int
    offer: str
    purpose: str
    library: str
    licensee: str
    share: Share
    base: str
    recognized: str
    split_basis: str
    currency: str

    def differing(self, said: "Terms") -> list[str]:
        """What is said otherwise than these terms have it."""
        pairs = ((one.name.replace("_", " "), getattr(self, one.name), getattr(said, one.name)) for one in fields(self))
        return [
            f"its {name} is {saying or 'not named'}, but signed is {own or 'not named'}"
            for name, own, saying in pairs
            if own != saying
        ]


def read_agreements(given: Sequence[bytes], trust: Trust, now_ms: int) -> tuple[dict[str, Terms], list[Finding]]:
    """The terms of all agreements that hold, by id, and the findings on the given documents.

    An agreement needs both parties' signatures, so both have to be among the trusted ones.
    """
    held: dict[str, Terms] = {}
    found: list[Finding] = []
    for place, data in enumerate(given, 1):
        where = f"agreement {place}"
        bundle, findings = open_checked(data, trust, now_ms, where)
        found += findings
        if bundle is None or any(one.ok is False for one in findings):
            continue
        try:
            terms = _read(bundle)
        except BadDocument as error:
            found.append(Finding(False, error.code, f"{where}: {error}"))
            continue
        if held.setdefault(terms.id, terms) != terms:
            text = f"{where}: another agreement with the id {terms.id} was given, with other terms"
            found.append(Finding(False, "statement.agreement", text))
    return held, found


def _read(bundle: Bundle) -> Terms:
    if bundle.type != "agreement" or bundle.agreement is None:
        raise BadDocument(f"it holds a {bundle.type}, not an agreement", code="statement.agreement", where=bundle.id)
    body = AgreementBody.from_bundle(bundle)
    return Terms(
        id=bundle.id,
        version=bundle.agreement.version,
        offer=body.offer,
        purpose=body.purpose,
        library=body.library,
        licensee=body.lab if body.terms.get("licensee_named", True) else "",
        share=body.share,
        base=str(body.terms.get("base", BASES[0])),
        recognized=str(body.terms.get("recognized", RECOGNIZED[0])),
        split_basis=body.split_basis,
        currency=body.currency,
    )
