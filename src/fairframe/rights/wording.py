"""An agreement in plain words: every term that is signed, as a person reads it before signing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairframe.core.errors import FairframeError, InputError
from fairframe.core.money import format_money
from fairframe.core.split_basis import SplitBasis
from fairframe.core.time import to_rfc3339
from fairframe.rights import offers
from fairframe.rights.agreement_document import Document
from fairframe.rights.offers import Terms

REMEDIES = {
    "grandfather": "what was consumed stays; new trainings do without the clips",
    "stop_at_next_epoch": "a training drops the clips at its next epoch; finished models stay",
    "withdraw": "a training stops at once; models that consumed the clips are deleted",
}
SPLITS = {
    "clips": "by clips delivered",
    "delivered_ms": "by milliseconds delivered",
    "scores": "by scores that the library takes in from outside",
    "usage": "by frames that training consumed",
}
UPGRADES = {
    "none": "they stay under the older agreement",
    "grant_if_all_consent": "covered if every asset that they consumed clears",
    "grant_if_none_refuses": "covered unless someone said no to an asset that they consumed",
}
SCOPES = {
    "licensee": "models that the lab itself trains and keeps",
    "tenant": "models for the rights holder alone: kept apart, never handed on or served to others",
    "any": "also models handed on to others",
}
CAPS = {"release": "in each release", "agreement": "in all releases together"}
AFFILIATES = {"none": "the lab alone", "controlled": "the lab, and companies that it controls by more than half"}
EXCLUSIVE = {
    "none": "no: the library may license the same to others",
    "purpose": "yes: to nobody else for this purpose, within these kinds, places and collections",
    "any_use": "yes: to nobody else for any purpose, within these kinds, places and collections",
}
RENEWALS = {
    "none": "none: it ends with its term",
    "on_request": "on request before it ends: both sign an upgrade to the same license, and deliveries stay",
}
BASES = {"net_receipts": "net receipts", "gross_receipts": "gross receipts (tax included)"}
RECOGNIZED = {"received": "when it is received", "invoiced": "when it is invoiced, paid or not"}


@dataclass(frozen=True)
class Line:
    """One thing that is agreed. usual: what the shipped offer of that name says, where it says something else."""

    label: str
    words: str
    usual: str = ""


WORDS: Mapping[str, tuple[str, Callable[[Terms], str]]] = {
    "purpose": ("purpose", lambda t: t.purpose),
    "actions": ("what may be done with a clip", lambda t: ", ".join(one.replace("_", " ") for one in t.actions)),
    "kinds": ("kinds of assets", lambda t: ", ".join(t.kinds)),
    "affiliates": ("who may use it", lambda t: AFFILIATES[t.affiliates]),
    "scope": ("which assets", lambda t: "the whole library" if t.scope == "library" else "named collections alone"),
    "collections": ("collections", lambda t: "; ".join(f"{one.title} ({one.id})" for one in t.collections) or "-"),
    "exclusive": ("exclusive", lambda t: EXCLUSIVE[t.exclusive]),
    "model_scope": ("which models", lambda t: SCOPES[t.model_scope]),
    "weights_release": ("weights may leave the lab", lambda t: _yes(t.weights_release)),
    "commercial_output": ("films may be sold", lambda t: _yes(t.commercial_output)),
    "term_days": ("term", lambda t: _days(t.term_days)),
    "renewal": ("renewal", lambda t: RENEWALS[t.renewal]),
    "territory": ("where", lambda t: t.territory),
    "min_short_side": ("smallest picture", lambda t: f"{t.min_short_side} pixels on the shorter side"),
    "max_short_side": (
        "largest picture",
        lambda t: "no bound" if t.max_short_side is None else f"{t.max_short_side} pixels on the shorter side",
    ),
    "hour_cap": ("most hours", lambda t: "no cap" if t.hour_cap is None else f"{t.hour_cap} hours {CAPS[t.caps]}"),
    "clip_cap": ("most clips", lambda t: "no cap" if t.clip_cap is None else f"{t.clip_cap} clips {CAPS[t.caps]}"),
    "caps": ("what the caps bound", lambda t: CAPS[t.caps]),
    "retention_days": ("a delivery may be kept", lambda t: f"{_days(t.retention_days)} from its date"),
    "deletion_days": ("what is taken back is deleted", lambda t: f"and attested within {_days(t.deletion_days)}"),
    "opt_out_remedy": ("when a contributor opts out", lambda t: REMEDIES[t.opt_out_remedy]),
    "lease_days": ("a lease lasts", lambda t: f"{_days(t.lease_days)}, renewed with the feed"),
    "feed_age_days": ("the feed may be", lambda t: f"{_days(t.feed_age_days)} old"),
    "open_days": ("the offer can be signed", lambda t: f"within {_days(t.open_days)}"),
    "price": ("price", lambda t: _price(t)),
    "share": ("contributors receive", lambda t: f"{t.share} of {BASES[t.base]}"),
    "base": ("their part is taken of", lambda t: f"{BASES[t.base]}, less refunds"),
    "recognized": ("money counts", lambda t: RECOGNIZED[t.recognized]),
    "licensee_named": ("statements may name the lab", lambda t: _yes(t.licensee_named)),
    "split_basis": ("split among contributors", lambda t: _split(t.split_basis)),
    "upgrade_effect": ("if it upgrades: older models", lambda t: UPGRADES[t.upgrade_effect]),
}
"""Field of Terms -> its label, and its value in words."""


def lines(document: Document, library: str, lab: str) -> list[Line]:
    """All that an agreement says; `library` and `lab` are the parties' names. A term that is not that of the shipped
    offer of the same name and version carries what that one says."""
    usual = _shipped(document)
    said = [
        Line("license", f"{document.offer}, version {document.offer_version}"),
        Line("from", library),
        Line("to", lab),
        Line("fee", format_money(document.fee)),
        Line("in force", f"{to_rfc3339(document.starts_ms)[:16]} until {to_rfc3339(document.ends_ms)[:16]} (UTC)"),
    ]
    if document.upgrade_of is not None:
        said.append(Line("upgrades", document.upgrade_of))
    for label, words in WORDS.values():
        here, there = words(document.terms), "" if usual is None else words(usual)
        said.append(Line(label, here, there if there != here else ""))
    return said


def changes(older: Terms, newer: Terms) -> list[Line]:
    """The terms that an amendment changes; `usual` holds what the version before says."""
    said = [(label, words(newer), words(older)) for label, words in WORDS.values()]
    return [Line(label, here, there) for label, here, there in said if here != there]


def to_json(document: Document) -> dict[str, Any]:
    """The signed body, and the terms that differ from the shipped offer (field -> what that one says)."""
    here, usual = document.terms.to_json(), _shipped(document)
    there = here if usual is None else usual.to_json()
    return {**document.to_body(), "unusual": {key: there[key] for key in here if here[key] != there[key]}}


def _shipped(document: Document) -> Terms | None:
    """The terms of the offer by that name and version that this program ships; None where it ships none."""
    try:
        found = offers.load(document.offer)
    except FairframeError:
        return None
    if found.version != document.offer_version:
        return None
    try:
        return found.terms_for(document.terms.price, document.terms.collections)
    except InputError:
        return found.terms


def _price(terms: Terms) -> str:
    """Without the currency, which the fee's line names."""
    price = terms.price
    if price is None:
        return "as agreed"
    many = f"{price.quantity} {price.per}s at {price.rate_minor} minor units each"
    rate = "flat" if price.per == "agreement" else many
    return f"{rate}, for the size {price.size}: {price.means}" if price.size else rate


def _split(basis: str) -> str:
    """A split basis in words; of a blend each part."""
    parts = SplitBasis.parse(basis).parts
    if len(parts) == 1:
        return SPLITS[basis]
    return " and ".join(f"{share} {SPLITS[name]}" for share, name in parts)


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
