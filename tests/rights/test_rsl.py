"""An offer as an RSL 1.0 document, held against the specification's table of elements.

Neither the standard (https://rslstandard.org/rsl, its GitHub repository) nor the package registries for Python and
JavaScript offer an XML schema or a parser of it, so the document is read by a plain XML parser, and each rule cites the
section that it comes from.
"""

from xml.etree import ElementTree as ET

import pytest

from fairframe.core.errors import InputError
from fairframe.rights import offers, rsl

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
