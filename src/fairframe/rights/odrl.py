"""An agreement, or an offer, as an ODRL 2.2 policy in JSON-LD.

Sources: W3C, ODRL Information Model 2.2 (Recommendation, 15 February 2018), sections 2.1 (Policy), 2.4 (Action), 2.5
(Constraint), 2.6 (Rule); ODRL Vocabulary & Expression 2.2. ODRL has no words for training models: those, and what
Fairframe adds, stand under Fairframe's own namespace as a profile. Every action that is not granted stands as a
prohibition, so that nothing hangs on how a reader takes silence.

What is a thing and not a text (a purpose, a place, a currency) is written as {"@id": ...}: W3C's context would read a
plain string there as text. It is a description for other programs: the signed agreement is what holds.
"""

from typing import Any

from fairframe.core.territory import Territory
from fairframe.core.time import to_rfc3339
from fairframe.rights.agreement_document import Document
from fairframe.rights.offers import Offer, Terms
from fairframe.rights.vocabulary import ACTIONS

CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
NAMESPACE = "urn:fairframe:odrl:"
PROFILE = "urn:fairframe:odrl"
ACTION_WORDS = {action: f"ff:{action}" for action in ACTIONS}


def of_agreement(public_id: str, version: int, document: Document) -> dict[str, Any]:
    """A signed or offered agreement: an Agreement has an assigner and an assignee (section 2.1)."""
    term = {
        "leftOperand": "dateTime",
        "operator": "lt",
        "rightOperand": {"@value": to_rfc3339(document.ends_ms), "@type": "xsd:dateTime"},
    }
    start = term | {
        "operator": "gteq",
        "rightOperand": {"@value": to_rfc3339(document.starts_ms), "@type": "xsd:dateTime"},
    }
    parties = {"assigner": _urn(document.library), "assignee": _urn(document.lab)}
    fee = f"{document.fee}".split()[0]
    policy = _policy("Agreement", f"{public_id}:{version}", document.terms, [start, term], parties)
    return policy | {"obligation": [_pay(fee, document.fee.currency.code, parties)]}


def of_offer(offer: Offer, library: str) -> dict[str, Any]:
    """An offer that a library makes: an Offer has an assigner (section 2.1)."""
    parties = {"assigner": _urn(library)}
    policy = _policy("Offer", f"offer:{offer.name}:{offer.version}", offer.terms, [], parties)
    return policy | {"obligation": [_pay(offer.list_fee, offer.list_currency, parties)]}


def _policy(kind: str, name: str, terms: Terms, dates: list[dict[str, Any]], parties: dict[str, str]) -> dict[str, Any]:
    target = [_urn(one.id) for one in terms.collections] or [_urn("library")]
    constraints = [*dates, *_constraints(terms)]
    rule = {"target": target, **parties}
    permitted = [{**rule, "action": ACTION_WORDS[a], "constraint": constraints} for a in terms.actions]
    refused = [{**rule, "action": ACTION_WORDS[a]} for a in ACTIONS if a not in terms.actions]
    context = [CONTEXT, {"ff": NAMESPACE, "xsd": "http://www.w3.org/2001/XMLSchema#"}]
    policy: dict[str, Any] = {"@context": context, "@type": kind, "uid": f"urn:fairframe:{name}", "profile": PROFILE}
    return policy | {"permission": permitted} | ({"prohibition": refused} if refused else {})


def _constraints(terms: Terms) -> list[dict[str, Any]]:
    found = [
        _constraint("purpose", "eq", {"@id": f"ff:{terms.purpose}"}),
        _constraint("ff:modelScope", "eq", {"@id": f"ff:{terms.model_scope}"}),
        _constraint("ff:commercialOutput", "eq", {"@value": terms.commercial_output, "@type": "xsd:boolean"}),
    ]
    codes = Territory.parse(terms.territory).codes
    if codes is not None:
        places = [{"@id": f"https://www.iso.org/obp/ui/#iso:code:3166:{code}"} for code in sorted(codes)]
        found.append(_constraint("spatial", "isAnyOf", places))
    if terms.caps == "agreement" and terms.clip_cap is not None:
        found.append(_constraint("count", "lteq", {"@value": terms.clip_cap, "@type": "xsd:integer"}))
    return found


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _pay(amount: str, currency: str, parties: dict[str, str]) -> dict[str, Any]:
    """The duty to compensate (Vocabulary: compensate, payAmount)."""
    price = _constraint("payAmount", "eq", {"@value": amount, "@type": "xsd:decimal"})
    action = {
        "rdf:value": {"@id": "odrl:compensate"},
        "refinement": [price | {"unit": {"@id": f"urn:iso:4217:{currency}"}}],
    }
    owed = {"assigner": parties["assigner"]} | ({"assignee": parties["assignee"]} if "assignee" in parties else {})
    return {**owed, "action": [action]}


def _urn(name: str) -> str:
    return f"urn:fairframe:{name}"
