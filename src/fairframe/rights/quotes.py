"""Quotes that are kept: what an offer came to for one licensee on a day, and the agreement that was offered by it.

A quote binds nobody; it is open as long as an offer would be. Who signs by it signs exactly its terms and fee, or is
told that the offer has changed since. What it would clear and pay are figures of its day, not promises.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import Conflict, NotFound, Refused
from fairframe.core.ids import new_id
from fairframe.core.money import Currency, Money
from fairframe.core.time import DAY_MS
from fairframe.platform import audit, bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements
from fairframe.rights.drafts import Ask, Draft, draft
from fairframe.rights.tables import quote, quote_agreement


def keep(tx: WriteTx, lab_party: str, ask: Ask, drafted: Draft, figures: Mapping[str, Any]) -> str:
    """Keep a quote to a pinned lab; returns its id. `figures`: JSON without floats and without names of people.

    Raises NotFound where the lab is not pinned.
    """
    lab = bundles.pinned(tx, lab_party)
    public_id = new_id("quo")
    tx.insert(
        quote,
        public_id=public_id,
        offer=drafted.offer.name,
        lab_party=lab.id,
        ask=_ask_json(ask),
        terms=drafted.terms.to_json(),
        fee_minor=drafted.fee.minor,
        currency=drafted.fee.currency.code,
        figures=dict(figures),
        open_until_ms=tx.now_ms + drafted.terms.open_days * DAY_MS,
    )
    body = {"offer": drafted.offer.name, "lab": lab.id, "fee_minor": drafted.fee.minor}
    tx.record("quote.kept", public_id, body)
    return public_id


def agree(tx: WriteTx, quote_public_id: str, *, upgrade_of: str | None = None) -> bytes:
    """Sign the offer that a quote was about, with its terms and fee; returns the envelope.

    Raises NotFound, Conflict (quote.agreed), Refused: quote.lapsed; quote.changed where the offer's file, a price or a
    collection would now give other terms or another fee; and what agreements.offer raises.
    """
    audit.lock(tx.conn)
    row = find(tx, quote_public_id)
    if row["state"] == "agreed":
        raise Conflict("it was offered already", code="quote.agreed", where=row["agreement"])
    again = "Quote anew: fairframe rights quote --keep"
    if row["state"] == "lapsed":
        raise Refused("the quote is no longer open", code="quote.lapsed", where=quote_public_id, remedy=again)
    ask = _ask(row["ask"])
    drafted = draft(tx, row["offer"], ask)
    same = (drafted.terms.to_json(), drafted.fee.minor) == (row["terms"], row["fee_minor"])
    if not same or drafted.fee.currency.code != row["currency"]:
        raise Refused(
            "the offer has other terms or another fee than it was quoted with",
            code="quote.changed",
            where=quote_public_id,
            remedy=again,
        )
    envelope = agreements.offer(tx, row["offer"], lab_party=row["lab_party"], ask=ask, upgrade_of=upgrade_of)
    offered = agreements.listing(tx)[-1].public_id
    tx.insert(quote_agreement, quote_id=row["id"], agreement=offered)
    tx.record("quote.agreed", quote_public_id, {"agreement": offered})
    return envelope


def find(tx: Tx, quote_public_id: str) -> Row:
    """A quote with `state` (quoted, lapsed, agreed) and `agreement`. Raises NotFound."""
    row = tx.row(_quotes(tx).where(quote.c.public_id == quote_public_id))
    if row is None:
        what = f"no quote {quote_public_id[:60]!r}"
        raise NotFound(what, code="quote.missing", remedy="See: fairframe rights list")
    return row


def listing(tx: Tx) -> Sequence[Row]:
    """All quotes that were kept, oldest first, as `find` gives them."""
    return tx.rows(_quotes(tx).order_by(quote.c.id))


def _quotes(tx: Tx) -> "sa.Select[*tuple[Any, ...]]":
    now = bundles.trusted_now_ms(tx)
    state = sa.case(
        (quote_agreement.c.id.is_not(None), "agreed"), (quote.c.open_until_ms <= now, "lapsed"), else_="quoted"
    )
    joined = quote.outerjoin(quote_agreement, quote_agreement.c.quote_id == quote.c.id)
    return sa.select(*quote.c, quote_agreement.c.agreement, state.label("state")).select_from(joined)


def _ask_json(ask: Ask) -> dict[str, Any]:
    rate = None if ask.rate is None else {"minor": ask.rate.minor, "currency": ask.rate.currency.code}
    return {"rate": rate, "size": ask.size, "quantity": ask.quantity, "collections": list(ask.collections)}


def _ask(value: Mapping[str, Any]) -> Ask:
    rate = value["rate"]
    agreed = None if rate is None else Money(rate["minor"], Currency(rate["currency"]))
    return Ask(agreed, value["size"], value["quantity"], tuple(value["collections"]))
