"""What decides how the pool of one revenue event is divided: the claims on it, in DuckDB, and what is recorded of them.

A fee is split by its agreement's split basis over what was delivered under it; revenue of a model by the model's
lineage. A refund or chargeback takes from whom the allocation of the event that it takes from gave to, by the same
weights and with the same salt, so that a refund in full leaves nobody a unit more or less than nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import Refused
from fairframe.core.split_basis import LINEAGE
from fairframe.library.tables import asset
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.royalties import bulk, events, facts, model_facts
from fairframe.royalties.methods import METHODS, method, why_empty
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line

if TYPE_CHECKING:
    import duckdb


_KEPT = ("scores", "facts", "runs", "not_paid", "whole")
"""What of an allocation's record holds for the refunds that follow it, too."""


class Waiting(Refused):
    """The pool cannot be divided yet; the message says why."""

    code = "allocate.waiting"


@dataclass(frozen=True)
class Basis:
    """By what a pool is divided. said: what else decided, for the allocation's record."""

    method: str
    unit: str
    salt: bytes
    agreements: Sequence[str]
    releases: Sequence[str]
    total: bulk.Total
    said: dict[str, Any] = field(default_factory=dict[str, Any])


def divide(con: "duckdb.DuckDBPyConnection", tx: Tx, event: Row, deal: Row, pool: int) -> Basis:
    """Split `pool` (zero or more) of an event into the tables of bulk.py. deal: the agreement that governs it.

    Raises Waiting where nobody has a weight yet, Refused (shares, weights, lineage) and IntegrityFailure.
    """
    if event["kind"] in events.TAKEN:
        return _as_before(con, tx, event, deal, pool)
    read_up_to = audit.tree_size(tx.conn)
    if event["subject_kind"] == "checkpoint":
        chosen, found = METHODS[LINEAGE], model_facts.load(con, tx, deal, model_facts.find_model(tx, event["subject"]))
    else:
        chosen, found = method(deal["terms"].get("split_basis")), facts.load(con, tx, deal, event["effective_ms"])
        if found.items == 0:
            raise Waiting("nothing was delivered under the agreement yet")
    facts.claim(con, tx, str(deal["family"]), chosen, event["effective_ms"])
    salt = derive_salt(tx, event["public_id"])
    try:
        total = bulk.split(con, pool, salt)
    except ValueError as error:
        raise Waiting(why_empty(con, chosen)) from error
    said = {key: value for key, value in found.said.items() if key != "scores" or "scores" in chosen.names}
    said["facts"] = {"audit_size": read_up_to, "releases": list(found.releases)}
    return Basis(chosen.name, chosen.unit, salt, found.agreements, found.releases, total, said)


def derive_salt(tx: Tx, event_id: str) -> bytes:
    """16 bytes from the event and the audit head: nobody picks it freely, and it is recorded with the allocation."""
    head = audit.head(tx.conn)
    return hashlib.sha256(f"fairframe allocation {event_id} {head.size} {head.root}".encode()).digest()[:16]


def _as_before(con: "duckdb.DuckDBPyConnection", tx: Tx, event: Row, deal: Row, pool: int) -> Basis:
    """Split by the weights and the salt of the allocation of the event that this one takes from."""
    made = tx.row(allocation.select().where(allocation.c.revenue_event_id == event["of_id"]))
    if made is None:
        raise Waiting(f"{events.of_row(tx, event['of_id'])['public_id']}, which it takes from, is not allocated yet")
    _claims(con, tx, made["id"], str(deal["family"]))
    salt = bytes.fromhex(made["salt"])
    releases = [one for one in str(made["release"]).split(",") if one]
    kept = {key: value for key, value in made["detail"].items() if key in _KEPT}
    total = bulk.split(con, pool, salt)
    agreements = made["detail"]["agreements"]
    said = {**kept, "weights_of": made["public_id"]}
    return Basis(made["method"], made["detail"]["unit"], salt, agreements, releases, total, said)


def _claims(con: "duckdb.DuckDBPyConnection", tx: Tx, allocation_id: int, family: str) -> None:
    """The tables claim, name and key that an allocation was made of."""
    one, line = allocation_asset.c, allocation_line.c
    claims = sa.select(one.contributor_id, one.asset_id, one.weight).where(one.allocation_id == allocation_id)
    bulk.fill(con, "claim", facts.stream(tx, claims))
    names = sa.select(line.contributor_id, line.contributor_pseudonym).where(line.allocation_id == allocation_id)
    bulk.fill(con, "name", facts.stream(tx, names))
    held = sa.select(asset.c.id, asset.c.public_id).where(
        asset.c.id.in_(sa.select(one.asset_id).where(one.allocation_id == allocation_id))
    )
    secret = tx.ws.keys.library_secret()
    bulk.fill(con, "key", ((row[0], pseudonym(secret, family, row[1])) for row in facts.stream(tx, held)))
