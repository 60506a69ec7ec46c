"""The allocations in a statement: each deal or model, its pool, the own quota, the proof of one's weight, clips."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from fairframe.royalties.statement_model import model_of, names_licensee
from fairframe.royalties.statement_revenue import revenue_of
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line, ledger_txn


@dataclass(frozen=True)
class _Told:
    """What all statements say of an allocation, and the family under which its pseudonyms are."""

    values: dict[str, Any]
    family: str
    denominator: Denominator


class Shared:
    """What the statements of a batch have in common: each allocation is looked up once, not once for each of them."""

    def __init__(self) -> None:
        self._denominators = Denominators()
        self._told: dict[int, tuple[dict[str, Any], str]] = {}

    def of(self, tx: Tx, row: Row) -> _Told:
        """Of an allocation's row. Raises IntegrityFailure where its lines are not those that it was made with."""
        found = self._denominators.of(tx, row)
        if row["id"] not in self._told:
            event = events.of_row(tx, row["revenue_event_id"])
            deal = find_agreement(tx, event["agreement"])
            self._told[row["id"]] = _values(tx, row, event, deal, found), str(deal["family"])
        return _Told(*self._told[row["id"]], found)


def allocation_lines(
    tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int, shared: Shared
) -> list[dict[str, Any]]:
    """The contributor's allocations with an accounting date in [from_ms, to_ms), oldest first, as statement_body
    describes them."""
    made: list[dict[str, Any]] = []
    for line in _lines(tx, contributor["id"], currency, from_ms, to_ms):
        told = shared.of(tx, line)
        dated = {"transaction": line["txn"], "booked_at": to_rfc3339(line["accounted_ms"])}
        own = {"own": _own(line, told.denominator), "assets": _assets(tx, contributor, told.family, line["id"])}
        made.append({"allocation": line["public_id"], **dated, **told.values, **own})
    return made


def _lines(tx: Tx, contributor_id: int, currency: str, from_ms: int, to_ms: int) -> Sequence[Row]:
    """A contributor's allocation lines of a period, with allocation, transaction and revenue event."""
    posted = (ledger_txn.c.subject == allocation.c.public_id) & (ledger_txn.c.kind == "allocation")
    statement = (
        sa.select(
            allocation,
            allocation_line.c.contributor_pseudonym.label("own_key"),
            allocation_line.c.weight.label("own_weight"),
            allocation_line.c.amount_micro.label("own_micro"),
            ledger_txn.c.effective_ms.label("accounted_ms"),
            ledger_txn.c.public_id.label("txn"),
        )
        .join(allocation_line, allocation_line.c.allocation_id == allocation.c.id)
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


def _values(tx: Tx, row: Row, event: Row, deal: Row, shared: Denominator) -> dict[str, Any]:
    named = names_licensee(deal["terms"])
    detail: dict[str, Any] = row["detail"]
    cutoff = shared.cutoff
    return {
        "agreement": _agreement(tx, deal, named),
        "model": model_of(tx, event, detail, named),
        "revenue": revenue_of(tx, event),
        "pool_micro": str(row["pool_micro"]),
        "method": row["method"],
        "unit": detail["unit"],
        "scores": detail.get("scores"),
        "weights_of": detail.get("weights_of"),
        "salt": row["salt"],
        "weight_total": str(row["weight_total"]),
        "contributors": len(shared.tree),
        "weights_root": shared.tree.root.hex(),
        "extra_units": str(shared.extra_units),
        "cutoff": None if cutoff is None else cutoff.to_json(),
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


def _assets(tx: Tx, contributor: Row, family: str, allocation_id: int) -> list[dict[str, str]]:
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
            "pseudonym": pseudonym(secret, family, row["public_id"]),
            "filename": row["filename"],
            "title": row["title"],
            "weight": str(row["weight"]),
            "amount_micro": str(row["amount_micro"]),
        }
        for row in tx.rows(statement)
    ]
    return sorted(lines, key=lambda line: line["pseudonym"])
