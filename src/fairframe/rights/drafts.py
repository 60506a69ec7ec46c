"""What an offer comes to for one licensee: terms and fee, before anybody signs. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairframe.core.errors import InputError
from fairframe.core.money import Money
from fairframe.library import collections
from fairframe.platform.tx import Tx
from fairframe.rights import offers
from fairframe.rights.offers import Offer, Terms, Title
from fairframe.rights.pricing import price


@dataclass(frozen=True)
class Ask:
    """What a licensee asks for. rate: agreed instead of the list price, for one unit of the offer's price_per; it knows
    no sizes. quantity: clips or hours, where the offer is paid by those. collections: col_ ids or names."""

    rate: Money | None = None
    size: str | None = None
    quantity: int | None = None
    collections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    offer: Offer
    terms: Terms
    fee: Money


def draft(tx: Tx, offer_name: str, ask: Ask | None = None) -> Draft:
    """An offer's terms and fee for what is asked.

    Raises NotFound (offer, collection), InputError (input.bad_size, input.bad_quantity, input.bad_collections,
    input.bad_money, and what the offer's file is wrong in).
    """
    ask = ask or Ask()
    offer = offers.load(offer_name, tx.ws)
    if ask.rate is not None and ask.size is not None:
        raise InputError(
            "a fee that was agreed has no size",
            code="input.bad_size",
            where=offer_name,
            remedy="Give the fee or the size, not both",
        )
    if ask.rate is not None and ask.rate.minor < 0:
        raise InputError("a fee is zero or more", code="input.bad_money")
    rate = offer.fee if ask.rate is None else ask.rate
    agreed = price(offer.price_per, rate, offer.tiers, ask.size, ask.quantity)
    terms = offer.terms_for(agreed, titles(tx, ask.collections))
    return Draft(offer, terms, Money(agreed.fee_minor, rate.currency))


def titles(tx: Tx, named: Sequence[str]) -> tuple[Title, ...]:
    """Collections by id or name, as an agreement names them: all of one rights holder.

    Raises NotFound, Conflict (ambiguous), InputError (input.bad_collections).
    """
    rows = [collections.find(tx, one) for one in named]
    if len({row["contributor_id"] for row in rows}) > 1:
        raise InputError(
            "these collections belong to several rights holders",
            code="input.bad_collections",
            remedy="Make an agreement for each of them",
        )
    if len({row["id"] for row in rows}) != len(rows):
        raise InputError("a collection is named twice", code="input.bad_collections")
    return tuple(Title(id=row["public_id"], title=row["name"][:200]) for row in rows)
