"""An offer as an RSL 1.0 document: what a crawler or a buyer's program may read on a library's site.

Source: Really Simple Licensing (RSL) 1.0, Recommendation of November 2025, section 3 (elements: rsl, content, license,
permits, prohibits, payment, terms, legal) and section 3.4.1 (usage and user words). RSL knows training as one usage
(ai-train) and says neither "fine-tune" nor "tenant only", so `terms` points at the offer itself: what RSL cannot say
stands there, and what both signed is what holds.
"""

from xml.etree import ElementTree as ET

from fairframe.core.errors import InputError
from fairframe.core.territory import Territory
from fairframe.rights.offers import Offer

NAMESPACE = "https://rslstandard.org/rsl"
USAGE = ("all", "ai-all", "ai-train", "ai-input", "ai-index", "search")
USERS = {"evaluate": "non-commercial", "research": "non-commercial", "commercial": "commercial"}
TRAINING = frozenset({"train", "fine_tune", "distill"})


def of_offer(offer: Offer, content: str, terms_url: str, server: str = "") -> bytes:
    """The document, UTF-8. content: the URL (RFC 9309 patterns allowed) of the footage; terms_url: where the offer's
    words stand; server: an RSL license server, left out where empty.

    Raises InputError (input.bad_url) where one of them is no http(s) URL or path.
    """
    for url in (content, terms_url, *([server] if server else [])):
        _check(url)
    root = ET.Element("rsl", {"xmlns": NAMESPACE})
    asset = ET.SubElement(root, "content", {"url": content} | ({"server": server} if server else {}))
    license = ET.SubElement(asset, "license")
    granted = "ai-train" if TRAINING & set(offer.terms.actions) else ""
    if granted:
        ET.SubElement(license, "permits", {"type": "usage"}).text = granted
        ET.SubElement(license, "permits", {"type": "user"}).text = USERS[offer.terms.purpose]
    codes = Territory.parse(offer.terms.territory).codes
    if granted and codes is not None:
        ET.SubElement(license, "permits", {"type": "geo"}).text = ",".join(sorted(codes))
    refused = ["ai-input", "ai-index", "search"] + ([] if granted else ["ai-train"])
    ET.SubElement(license, "prohibits", {"type": "usage"}).text = ",".join(refused)
    payment = ET.SubElement(license, "payment", {"type": "purchase" if offer.price_per == "agreement" else "training"})
    ET.SubElement(payment, "custom").text = terms_url
    ET.SubElement(payment, "amount", {"currency": offer.list_currency}).text = offer.list_fee
    ET.SubElement(asset, "terms").text = terms_url
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _check(url: str) -> None:
    plain = url.isprintable() and not set(url) & set(' <>"')
    if not plain or not url.startswith(("https://", "http://", "/")) or len(url) > 2_000:
        raise InputError(
            f"{url[:60]!r} is no URL", code="input.bad_url", remedy="Give https://... or a path that begins with /"
        )
