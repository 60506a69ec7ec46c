"""The two public forms of a license, held against the specifications' own rules.

Neither has a schema or a parser that could be taken along here, so these are strict structural checks; each cites the
section that it asks for. ODRL 2.2: IM = Information Model, V = Vocabulary & Expression. RSL = RSL 1.0.
"""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from fairframe.core.errors import InputError
from fairframe.core.ids import encode_id
from fairframe.core.money import parse_money
from fairframe.core.time import DAY_MS
from fairframe.rights import odrl, offers, rsl
from fairframe.rights.agreement_document import Document
from fairframe.rights.offers import Terms, Title
from fairframe.rights.vocabulary import ACTIONS

# The JSON-LD context: the keys of a policy, a rule and a constraint as the context names them
POLICY = {"@context", "@type", "uid", "profile", "permission", "prohibition", "obligation"}
RULE = {"target", "assigner", "assignee", "action", "constraint"}
CONSTRAINT = {"leftOperand", "operator", "rightOperand", "unit"}
OPERATORS = {"eq", "gt", "gteq", "lt", "lteq", "neq", "isA", "hasPart", "isPartOf", "isAllOf", "isAnyOf", "isNoneOf"}
LEFT = {"dateTime", "purpose", "spatial", "count", "payAmount"}  # V, left operands: those that are used here


def check_constraint(one: dict[str, Any]) -> None:
    assert set(one) <= CONSTRAINT and {"leftOperand", "operator", "rightOperand"} <= set(one), "IM 2.5"
    assert one["operator"] in OPERATORS, "V, operators"
    assert one["leftOperand"] in LEFT or one["leftOperand"].startswith("ff:"), "V, left operands, or the profile's own"


def check_policy(policy: dict[str, Any], kind: str) -> None:
    assert policy["@context"][0] == "http://www.w3.org/ns/odrl.jsonld", "V: the JSON-LD context"
    assert policy["@type"] == kind and set(policy) <= POLICY
    assert ":" in policy["uid"] and ":" in policy["profile"], "IM 2.1: uid and profile are IRIs"
    assert policy["permission"], "IM 2.1: at least one permission, prohibition or obligation"
    parties = {"assigner"} | ({"assignee"} if kind == "Agreement" else set())
    for rule in [*policy["permission"], *policy.get("prohibition", [])]:
        assert set(rule) <= RULE and isinstance(rule["action"], str), "IM 2.6: a rule has one action"
        assert rule["target"] and parties <= set(rule), "IM 2.6: a target; 2.1: the parties"
        for one in rule.get("constraint", []):
            check_constraint(one)
    for duty in policy["obligation"]:
        assert "target" not in duty and duty["action"][0]["rdf:value"] == {"@id": "odrl:compensate"}, (
            "V, actions for duties"
        )
        for one in duty["action"][0]["refinement"]:
            check_constraint(one)
    said = json.dumps(policy)
    words = {rule["action"] for key in ("permission", "prohibition") for rule in policy.get(key, [])}
    assert words == {f"ff:{action}" for action in ACTIONS}, "what is not granted stands as a prohibition"
    assert "ff" in policy["@context"][1] and json.loads(said) == policy


@pytest.mark.parametrize("name", offers.names())
def test_an_offer_in_odrl(name: str) -> None:
    offer = offers.load(name)
    policy = odrl.of_offer(offer, encode_id("pty", bytes(16)))
    check_policy(policy, "Offer")
    assert {rule["action"] for rule in policy["permission"]} == {f"ff:{a}" for a in offer.terms.actions}


def test_an_agreement_in_odrl() -> None:
    named = Title(id="col_" + "0" * 26, title="The Harbor (2019)")
    studio = offers.load("studio-private")
    terms = Terms.from_json(studio.terms_for(studio.price(None, 2), [named]).to_json() | {"territory": "US,DE"})
    library, lab, agreement = (encode_id(prefix, bytes(16)) for prefix in ("pty", "pty", "agr"))
    document = Document(
        "studio-private", 1, terms, library, lab, parse_money("300.00", "USD"), None, agreement, 0, 730 * DAY_MS
    )
    policy = odrl.of_agreement(agreement, 1, document)
    check_policy(policy, "Agreement")
    rule = policy["permission"][0]
    assert rule["target"] == [f"urn:fairframe:{named.id}"]
    held = {one["leftOperand"]: one for one in rule["constraint"]}
    assert [code[-2:] for code in held["spatial"]["rightOperand"]] == ["DE", "US"]
    assert held["dateTime"]["rightOperand"]["@type"] == "xsd:dateTime"
    price = policy["obligation"][0]["action"][0]["refinement"][0]
    assert price["rightOperand"]["@value"] == "300.00" and price["unit"].endswith("USD")


# RSL 3: each element, which may stand in it, and its attributes
CHILDREN = {
    "rsl": {"content"},
    "content": {"license", "terms"},
    "license": {"permits", "prohibits", "payment", "legal"},
    "payment": {"standard", "custom", "amount"},
}
ATTRIBUTES = {
    "content": {"url", "server", "encrypted", "lastmod"},
    "permits": {"type"},
    "prohibits": {"type"},
    "payment": {"type"},
    "amount": {"currency"},
}
PAYMENTS = {"purchase", "subscription", "training", "crawl", "use", "contribution", "attribution", "free"}
USERS = {"commercial", "non-commercial", "education", "government", "personal"}


def check_rsl(data: bytes) -> ET.Element:
    root = ET.fromstring(data)
    space = "{" + rsl.NAMESPACE + "}"
    assert root.tag == f"{space}rsl", "RSL 3: the root and its namespace"
    for element in root.iter():
        name = element.tag.removeprefix(space)
        assert element.tag.startswith(space) and {c.tag.removeprefix(space) for c in element} <= CHILDREN.get(
            name, set()
        ), name
        assert set(element.attrib) <= ATTRIBUTES.get(name, set()), name
        words = set((element.text or "").strip().split(","))
        if name in ("permits", "prohibits"):
            known = {"usage": set(rsl.USAGE), "user": USERS}.get(element.attrib["type"])
            assert known is None or words <= known, "RSL 3.4.1"
        if name == "payment":
            assert element.attrib["type"] in PAYMENTS
    assert all(element.attrib["url"] for element in root), "content needs its url"
    return root


@pytest.mark.parametrize("name", offers.names())
def test_an_offer_in_rsl(name: str) -> None:
    offer = offers.load(name)
    root = check_rsl(rsl.of_offer(offer, "/footage/*", "https://library.example/offers?a=1&b=2"))
    space = "{" + rsl.NAMESPACE + "}"
    assert root.findtext(f".//{space}permits[@type='usage']") == "ai-train"
    assert root.findtext(f".//{space}prohibits") == "ai-input,ai-index,search"
    assert root.findtext(f".//{space}amount") == offer.list_fee
    assert root.findtext(f"./{space}content/{space}terms") == "https://library.example/offers?a=1&b=2"


def test_rsl_grants_no_training_where_the_offer_does_not() -> None:
    offer = offers.load("research")
    shut = offer.model_copy(update={"terms": offer.terms.model_copy(update={"actions": ("inspect",)})})
    root = check_rsl(rsl.of_offer(shut, "/", "/terms"))
    assert root.find(".//{*}permits") is None
    assert root.findtext(".//{*}prohibits") == "ai-input,ai-index,search,ai-train"


@pytest.mark.parametrize("url", ["", "javascript:x", "https://a b", "/<x>", "/\n", "/" + "x" * 2_000])
def test_rsl_takes_urls_alone(url: str) -> None:
    with pytest.raises(InputError):
        rsl.of_offer(offers.load("research"), url, "/terms")
