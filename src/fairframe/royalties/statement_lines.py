"""The allocations in a statement: each deal, the pool, everyone's weights, one's own quota and clips."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core.apportion import tie_key
from fairframe.core.errors import IntegrityFailure
from fairframe.core.limits import LISTED_MAX
from fairframe.core.time import to_rfc3339
from fairframe.library.tables import asset
from fairframe.platform.tables import party
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.royalties.revenue import find_agreement, share_of
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line, ledger_txn, revenue_event


def allocation_lines(
    tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int, txn_of: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The contributor's allocations dated in [from_ms, to_ms), oldest first, as statement_body describes them.

    txn_of: allocation's public id -> the ledger transaction that posted it.
    """
    budget = LISTED_MAX
    allocations: list[dict[str, Any]] = []
    for line in _lines(tx, contributor["id"], currency, from_ms, to_ms):
        allocations.append(_allocation(tx, contributor, line, txn_of.get(line["public_id"], ""), budget))
        budget -= len(allocations[-1]["weights"] or ())
    return allocations


def _lines(tx: Tx, contributor_id: int, currency: str, from_ms: int, to_ms: int) -> Sequence[Row]:
    """A contributor's allocation lines of a period, with allocation and revenue event."""
    event = revenue_event.c
    posted = (ledger_txn.c.subject == allocation.c.public_id) & (ledger_txn.c.kind == "allocation")
    statement = (
        sa.select(
            allocation,
            allocation_line.c.contributor_pseudonym.label("own_key"),
            allocation_line.c.weight.label("own_weight"),
            allocation_line.c.amount_micro.label("own_micro"),
            event.public_id.label("event"),
            event.subject.label("agreement"),
            event.gross_minor,
            event.tax_minor,
            event.net_minor,
            event.effective_ms,
            ledger_txn.c.effective_ms.label("accounted_ms"),
        )
        .join(allocation_line, allocation_line.c.allocation_id == allocation.c.id)
        .join(revenue_event, event.id == allocation.c.revenue_event_id)
        .join(ledger_txn, posted)
        .where(
            allocation_line.c.contributor_id == contributor_id,
            allocation.c.currency == currency,
            ledger_txn.c.effective_ms >= from_ms,
            ledger_txn.c.effective_ms < to_ms,
        )
        .order_by(allocation.c.id)
    )
    return tx.rows(statement)


def _allocation(tx: Tx, contributor: Row, line: Row, txn: str, budget: int) -> dict[str, Any]:
    deal = find_agreement(tx, line["agreement"])
    weights = _weights(tx, line["id"])
    pool, total, salt = line["pool_micro"], line["weight_total"], bytes.fromhex(line["salt"])
    extra_units, cutoff = cut(pool, total, salt, weights)
    floor, remainder = divmod(pool * line["own_weight"], total)
    if line["own_micro"] - floor not in (0, 1):
        raise IntegrityFailure("an allocation line is not its quota", code="statement.quota", where=line["public_id"])
    own = {
        "pseudonym": line["own_key"],
        "weight": str(line["own_weight"]),
        "floor_micro": str(floor),
        "remainder": str(remainder),
        "tie_key": tie_key(salt, line["own_key"]).hex(),
        "extra": line["own_micro"] != floor,
        "amount_micro": str(line["own_micro"]),
    }
    money = {name: str(line[name]) for name in ("gross_minor", "tax_minor", "net_minor")}
    return {
        "allocation": line["public_id"],
        "transaction": txn,
        "booked_at": to_rfc3339(line["accounted_ms"]),
        "agreement": _agreement(tx, deal),
        "revenue": {"event": line["event"], "received_at": to_rfc3339(line["effective_ms"]), **money},
        "pool_micro": str(pool),
        "method": line["method"],
        "unit": line["detail"]["unit"],
        "salt": line["salt"],
        "weight_total": str(total),
        "contributors": len(weights),
        "weights": [[key, str(weight)] for key, weight in weights] if len(weights) <= budget else None,
        "extra_units": str(extra_units),
        "cutoff": cutoff,
        "own": own,
        "assets": _assets(tx, contributor, deal, line["id"]),
    }


def cut(pool: int, total: int, salt: bytes, weights: Sequence[tuple[str, int]]) -> tuple[int, dict[str, str] | None]:
    """How many units are left after all floors, and the remainder and tie key of the last one that gets one."""
    left = pool - sum(pool * weight // total for _, weight in weights)
    if left == 0:
        return 0, None
    order = sorted((-(pool * weight % total), tie_key(salt, key)) for key, weight in weights)
    remainder, key = order[left - 1]
    return left, {"remainder": str(-remainder), "tie_key": key.hex()}


def _agreement(tx: Tx, deal: Row) -> dict[str, Any]:
    licensee = tx.row(sa.select(party.c.name).where(party.c.public_id == deal["lab_party"]))
    return {
        "id": deal["public_id"],
        "version": deal["version"],
        "offer": deal["offer"],
        "purpose": deal["purpose"],
        "licensee": {"id": deal["lab_party"], "name": licensee["name"] if licensee else ""},
        "share": str(share_of(deal)),
        "split_basis": deal["terms"]["split_basis"],
    }


def _weights(tx: Tx, allocation_id: int) -> list[tuple[str, int]]:
    """(pseudonym, weight) of everyone in the pool, by pseudonym in code point order (PostgreSQL may collate)."""
    statement = sa.select(allocation_line.c.contributor_pseudonym, allocation_line.c.weight).where(
        allocation_line.c.allocation_id == allocation_id
    )
    return sorted((row["contributor_pseudonym"], int(row["weight"])) for row in tx.rows(statement))


def _assets(tx: Tx, contributor: Row, deal: Row, allocation_id: int) -> list[dict[str, str]]:
    statement = (
        sa.select(
            asset.c.public_id,
            asset.c.filename,
            asset.c.title,
            allocation_asset.c.weight,
            allocation_asset.c.amount_micro,
        )
        .join(asset, asset.c.id == allocation_asset.c.asset_id)
        .where(
            allocation_asset.c.allocation_id == allocation_id,
            allocation_asset.c.contributor_id == contributor["id"],
        )
    )
    secret = tx.ws.keys.library_secret()
    lines = [
        {
            "asset": row["public_id"],
            "pseudonym": pseudonym(secret, deal["family"], row["public_id"]),
            "filename": row["filename"],
            "title": row["title"],
            "weight": str(row["weight"]),
            "amount_micro": str(row["amount_micro"]),
        }
        for row in tx.rows(statement)
    ]
    return sorted(lines, key=lambda line: line["pseudonym"])
