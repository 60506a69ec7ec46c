"""The allocations in a statement: each deal or model, its pool, one's own quota, the proof of one's weight, the clips."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from fairframe.core.apportion import tie_key
from fairframe.core.errors import IntegrityFailure
from fairframe.core.merkle_sum import proof_json
from fairframe.core.time import to_rfc3339
from fairframe.library.tables import asset
from fairframe.platform.tables import party
from fairframe.platform.tx import Row, Tx
from fairframe.rights.pseudonyms import pseudonym
from fairframe.royalties import events
from fairframe.royalties.deal_terms import deal_terms, find_agreement
from fairframe.royalties.denominators import Denominator, Denominators
from fairframe.royalties.statement_model import model_of
from fairframe.royalties.statement_revenue import revenue_of
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line, ledger_txn, revenue_event


def allocation_lines(
    tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int, shared: Denominators
) -> list[dict[str, Any]]:
    """The contributor's allocations with an accounting date in [from_ms, to_ms), oldest first, as statement_body
    describes them."""
    lines = _lines(tx, contributor["id"], currency, from_ms, to_ms)
    return [_allocation(tx, contributor, line, shared.of(tx, line)) for line in lines]


def _lines(tx: Tx, contributor_id: int, currency: str, from_ms: int, to_ms: int) -> Sequence[Row]:
    """A contributor's allocation lines of a period, with allocation, transaction and revenue event."""
    posted = (ledger_txn.c.subject == allocation.c.public_id) & (ledger_txn.c.kind == "allocation")
    statement = (
        sa.select(
            allocation,
            allocation_line.c.contributor_pseudonym.label("own_key"),
            allocation_line.c.weight.label("own_weight"),
            allocation_line.c.amount_micro.label("own_micro"),
            events.AGREEMENT.label("agreement"),
            ledger_txn.c.effective_ms.label("accounted_ms"),
            ledger_txn.c.public_id.label("txn"),
        )
        .join(allocation_line, allocation_line.c.allocation_id == allocation.c.id)
        .join(revenue_event, revenue_event.c.id == allocation.c.revenue_event_id)
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


def _allocation(tx: Tx, contributor: Row, line: Row, shared: Denominator) -> dict[str, Any]:
    deal = find_agreement(tx, line["agreement"])
    named = bool(deal["terms"].get("licensee_named", True))
    event = events.of_row(tx, line["revenue_event_id"])
    detail: dict[str, Any] = line["detail"]
    cutoff = shared.cutoff
    return {
        "allocation": line["public_id"],
        "transaction": line["txn"],
        "booked_at": to_rfc3339(line["accounted_ms"]),
        "agreement": _agreement(tx, deal, named),
        "model": model_of(tx, event, detail, named),
        "revenue": revenue_of(tx, event),
        "pool_micro": str(line["pool_micro"]),
        "method": line["method"],
        "unit": detail["unit"],
        "scores": detail.get("scores"),
        "weights_of": detail.get("weights_of"),
        "salt": line["salt"],
        "weight_total": str(line["weight_total"]),
        "contributors": len(shared.tree),
        "weights_root": shared.tree.root.hex(),
        "extra_units": str(shared.extra_units),
        "cutoff": None if cutoff is None else {"remainder": str(cutoff[0]), "tie_key": cutoff[1]},
        "own": _own(line, shared),
        "assets": _assets(tx, contributor, deal, line["id"]),
    }


def _own(line: Row, shared: Denominator) -> dict[str, Any]:
    floor, remainder = divmod(abs(line["pool_micro"]) * line["own_weight"], line["weight_total"])
    extra = abs(line["own_micro"]) - floor
    if extra not in (0, 1) or line["own_micro"] * line["pool_micro"] < 0:
        raise IntegrityFailure("an allocation line is not its quota", code="statement.quota", where=line["public_id"])
    return {
        "pseudonym": line["own_key"],
        "weight": str(line["own_weight"]),
        "proof": proof_json(shared.tree.proof(line["own_key"])),
        "floor_micro": str(floor),
        "remainder": str(remainder),
        "tie_key": tie_key(bytes.fromhex(line["salt"]), line["own_key"]).hex(),
        "extra": extra == 1,
        "amount_micro": str(line["own_micro"]),
    }


def _agreement(tx: Tx, deal: Row, named: bool) -> dict[str, Any]:
    licensee = tx.scalar(sa.select(party.c.name).where(party.c.public_id == deal["lab_party"])) if named else None
    terms = deal_terms(deal)
    return {
        "id": deal["public_id"],
        "version": deal["version"],
        "offer": deal["offer"],
        "purpose": deal["purpose"],
        "licensee": {"id": deal["lab_party"], "name": str(licensee or "")} if named else None,
        "share": deal["terms"]["share"],
        "base": terms.base,
        "recognized": terms.recognized,
        "split_basis": deal["terms"]["split_basis"],
    }


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
