"""Offers and agreements as ODRL 2.2, read by a public parser and held against the information model.

rdflib reads the JSON-LD with W3C's own context into a graph; its ODRL2 namespace, made from W3C's ODRL22.ttl, knows
every term of the vocabulary. Each rule on the graph cites its section: IM = ODRL Information Model 2.2, V = ODRL
Vocabulary & Expression 2.2.
"""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, XSD, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import ODRL2
from rdflib.term import Node

from fairframe.core.ids import encode_id
from fairframe.core.money import parse_money
from fairframe.core.time import DAY_MS
from fairframe.rights import odrl, offers
from fairframe.rights.agreement_document import Document
from fairframe.rights.offers import Terms, Title
from fairframe.rights.vocabulary import ACTIONS

# of rdflib's own reader, about its own classes
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")
FILE = Path(__file__).parent / "data" / "odrl.jsonld"
FF = Namespace(odrl.NAMESPACE)
# V 3.14: the operators; the last three compare with a set
OPERATORS = {"eq", "gt", "gteq", "lt", "lteq", "neq", "isA", "hasPart", "isPartOf", "isAllOf", "isAnyOf", "isNoneOf"}
SETS = {"isAllOf", "isAnyOf", "isNoneOf"}
# V 3.13: the left operands that are used, and what each is compared with (V, their definitions)
LEFT: dict[str, Callable[[Any], bool]] = {
    "dateTime": lambda one: one.datatype == XSD.dateTime,
    "purpose": lambda one: isinstance(one, URIRef),
    "spatial": lambda one: isinstance(one, URIRef),
    "count": lambda one: one.datatype == XSD.integer and int(one) > 0,
    "payAmount": lambda one: one.datatype == XSD.decimal and one.toPython() >= 0,
}


def test_the_context_is_the_one_that_was_taken() -> None:
    digest = "a83cb98005bce546531131d4042318d8267aff71b1451f53cc926587fcef42c6"
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == digest
    assert digest in (FILE.parent / "README.md").read_text()


def read(policy: dict[str, Any]) -> Graph:
    """The graph that anybody gets who reads the policy, with the context from our disk instead of the network."""
    url, own = policy["@context"]
    assert url == "http://www.w3.org/ns/odrl.jsonld"
    local = {**policy, "@context": [json.loads(FILE.read_bytes())["@context"], own]}
    graph = Graph().parse(data=json.dumps(local), format="json-ld")
    again = Graph().parse(data=graph.serialize(format="turtle"), format="turtle")
    assert isomorphic(graph, again), "another syntax says the same"
    return graph


def one(graph: Graph, subject: Node, predicate: URIRef, why: str) -> Any:
    found = list(graph.objects(subject, predicate))
    assert len(found) == 1, f"{why}: {len(found)} of {predicate}"
    return found[0]


def check_policy(policy: dict[str, Any], kind: str) -> Graph:
    """Raises AssertionError with the section of the rule that is broken."""
    graph = read(policy)
    check_terms(policy, graph)
    (uid,) = graph.subjects(RDF.type, ODRL2[kind])
    assert isinstance(uid, URIRef), "IM 2.1: a policy has a uid, an IRI"
    assert isinstance(one(graph, uid, ODRL2.profile, "IM 4.2: words of its own need a profile"), URIRef)
    rules = {word: list(graph.objects(uid, ODRL2[word])) for word in ("permission", "prohibition", "obligation")}
    assert any(rules.values()), "IM 2.1: at least one rule"
    parties = [ODRL2.assigner, *([ODRL2.assignee] if kind == "Agreement" else [])]
    for word, found in rules.items():
        for rule in found:
            for party in parties:
                assert isinstance(one(graph, rule, party, f"IM 2.1: parties of an {kind}"), URIRef)
            action = one(graph, rule, ODRL2.action, "IM 2.6: a rule has one action")
            if word == "obligation":
                check_duty(graph, action)
            else:
                assert action in FF, "IM 2.4"
                targets = list(graph.objects(rule, ODRL2.target))
                assert targets and all(isinstance(one, URIRef) for one in targets), "IM 2.6: a target"
            for constraint in graph.objects(rule, ODRL2.constraint):
                check_constraint(graph, constraint)
    return graph


def check_terms(policy: dict[str, Any], graph: Graph) -> None:
    """Nothing is lost: JSON-LD drops a key that no context knows, and says nothing."""
    context = json.loads(FILE.read_bytes())["@context"]

    def keys(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                assert key.startswith("@") or key in context or key.split(":")[0] in {"rdf", "ff"}, f"{key} is no term"
                keys(inner)
        elif isinstance(value, list):
            for inner in value:
                keys(inner)

    keys({key: value for key, value in policy.items() if key != "@context"})
    for _, predicate, value in graph:
        assert predicate in (RDF.type, RDF.value) or predicate in ODRL2, f"V: {predicate} is no property"
        if isinstance(value, URIRef) and value.startswith(str(ODRL2)):
            assert value in ODRL2, f"V: {value} is no word"
        assert not (isinstance(value, Literal) and str(value).startswith(("ff:", "odrl:", "urn:", "https:"))), (
            f"{value} is meant as an IRI, but read as text"
        )


def check_duty(graph: Graph, action: Node) -> None:
    """IM 2.4, 2.6.4: to pay; the action is refined (IM 2.4.2), so it says by rdf:value what it is."""
    assert one(graph, action, RDF.value, "IM 2.4") == ODRL2.compensate
    refinement = one(graph, action, ODRL2.refinement, "IM 2.4.2")
    check_constraint(graph, refinement)
    assert isinstance(one(graph, refinement, ODRL2.unit, "IM 2.5.1: the unit of a value"), URIRef)


def check_constraint(graph: Graph, constraint: Node) -> None:
    """IM 2.5.1."""
    left = one(graph, constraint, ODRL2.leftOperand, "IM 2.5.1: one left operand")
    operator = one(graph, constraint, ODRL2.operator, "IM 2.5.1: one operator")
    right = list(graph.objects(constraint, ODRL2.rightOperand))
    word = str(operator).removeprefix(str(ODRL2))
    assert word in OPERATORS, f"V 3.14: {operator}"
    assert right and (len(right) == 1 or word in SETS), "IM 2.5.1: one right operand, several only of a set"
    name = str(left).removeprefix(str(ODRL2))
    assert left in FF or name in LEFT, f"V 3.13: {left}"
    assert all(LEFT.get(name, lambda _: True)(value) for value in right), f"V 3.13: {name} is not compared with {right}"


def granted(graph: Graph, word: str) -> set[str]:
    rules = graph.objects(None, ODRL2[word])
    return {str(action).removeprefix(odrl.NAMESPACE) for rule in rules for action in graph.objects(rule, ODRL2.action)}


@pytest.mark.parametrize("name", offers.names())
def test_an_offer_in_odrl(name: str) -> None:
    offer = offers.load(name)
    graph = check_policy(odrl.of_offer(offer, encode_id("pty", bytes(16))), "Offer")
    assert granted(graph, "permission") == set(offer.terms.actions)
    assert granted(graph, "prohibition") == set(ACTIONS) - set(offer.terms.actions), "what is not granted is refused"
    (amount,) = (right for one in graph.subjects(ODRL2.unit) for right in graph.objects(one, ODRL2.rightOperand))
    assert amount == Literal(offer.list_fee, datatype=XSD.decimal)


def agreement() -> dict[str, Any]:
    named = Title(id="col_" + "0" * 26, title="The Harbor (2019)")
    studio = offers.load("studio-private")
    terms = Terms.from_json(studio.terms_for(studio.price(None, 2), [named]).to_json() | {"territory": "US,DE"})
    library, lab, public_id = (encode_id(prefix, bytes(16)) for prefix in ("pty", "pty", "agr"))
    fee = parse_money("300.00", "USD")
    document = Document("studio-private", 1, terms, library, lab, fee, None, public_id, 0, 730 * DAY_MS)
    return odrl.of_agreement(public_id, 1, document)


def test_an_agreement_in_odrl() -> None:
    graph = check_policy(agreement(), "Agreement")
    rule = next(iter(graph.objects(None, ODRL2.permission)))
    assert list(graph.objects(rule, ODRL2.target)) == [URIRef("urn:fairframe:col_" + "0" * 26)]
    held: dict[Any, set[Any]] = {}
    for constraint in graph.objects(rule, ODRL2.constraint):
        left = graph.value(constraint, ODRL2.leftOperand)
        held.setdefault(left, set()).update(graph.objects(constraint, ODRL2.rightOperand))
    assert {str(place)[-2:] for place in held[ODRL2.spatial]} == {"DE", "US"}
    assert {moment.toPython().year for moment in held[ODRL2.dateTime]} == {1970, 1972}
    assert held[ODRL2.purpose] == {FF[offers.load("studio-private").terms.purpose]}
    assert {str(unit) for unit in graph.objects(None, ODRL2.unit)} == {"urn:iso:4217:USD"}


def unknown_key(policy: dict[str, Any]) -> None:
    policy["permision"] = policy.pop("permission")


def unknown_word(policy: dict[str, Any]) -> None:
    policy["permission"][0]["constraint"][0]["operator"] = "below"


def text_for_a_thing(policy: dict[str, Any]) -> None:
    for one in policy["permission"][0]["constraint"]:
        if one["leftOperand"] == "purpose":
            one["rightOperand"] = "ff:research"


def two_actions(policy: dict[str, Any]) -> None:
    policy["permission"][0]["action"] = ["ff:train", "ff:serve"]


def no_assignee(policy: dict[str, Any]) -> None:
    del policy["permission"][0]["assignee"]


def no_target(policy: dict[str, Any]) -> None:
    del policy["prohibition"][0]["target"]


def no_profile(policy: dict[str, Any]) -> None:
    del policy["profile"]


def two_ends(policy: dict[str, Any]) -> None:
    constraint = policy["permission"][0]["constraint"][0]
    constraint["rightOperand"] = [
        constraint["rightOperand"],
        {"@value": "2030-01-01T00:00:00Z", "@type": "xsd:dateTime"},
    ]


def money_as_text(policy: dict[str, Any]) -> None:
    policy["obligation"][0]["action"][0]["refinement"][0]["rightOperand"] = "a lot"


@pytest.mark.parametrize(
    ("spoil", "section"),
    [
        (unknown_key, "no term"),
        (unknown_word, "V 3.14"),
        (text_for_a_thing, "read as text"),
        (two_actions, "IM 2.6"),
        (no_assignee, "IM 2.1"),
        (no_target, "IM 2.6"),
        (no_profile, "IM 4.2"),
        (two_ends, "IM 2.5.1"),
        (money_as_text, "V 3.13"),
    ],
)
def test_these_checks_find_what_is_wrong(spoil: Callable[[dict[str, Any]], None], section: str) -> None:
    policy = copy.deepcopy(agreement())
    spoil(policy)
    with pytest.raises(AssertionError, match=section):
        check_policy(policy, "Agreement")
