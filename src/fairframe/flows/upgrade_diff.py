"""Before an upgrade is signed: which assets and checkpoints it adds, loses and blocks, by reason, and what it costs.

Both licenses are decided over one snapshot, so that nothing moves between the two. Writes nothing.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from fairframe.core.money import Money
from fairframe.flows import upgrade
from fairframe.flows.upgrade import Weighed
from fairframe.library.tables import asset
from fairframe.platform.database import among
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, clearing, snapshot
from fairframe.rights.agreement import Agreement
from fairframe.rights.drafts import Ask, Draft, draft

Change = Literal["adds", "loses"]
EXAMPLES = 5
CHUNK = 500
NEW_REASON = "agreement"
"""Why a checkpoint is blocked where no asset is to blame."""

# reason: of what is added, why the agreement does not cover it; of what is lost, why the upgrade does not
_CHANGED = """
select d.asset_id, case when n.outcome = 'ALLOW' then 'adds' else 'loses' end as change,
  case when n.outcome = 'ALLOW' then d.findings[1] else n.findings[1] end as reason
from {old} d join {new} n using (asset_id)
where (d.outcome = 'ALLOW') <> (n.outcome = 'ALLOW') order by d.asset_id
"""
_KEPT = """
select count(*) from {old} d join {new} n using (asset_id)
where d.outcome = 'ALLOW' and n.outcome = 'ALLOW'
"""


@dataclass(frozen=True)
class Changed:
    """Assets that an upgrade adds or loses for one reason (a finding's code); `examples` are some of their ids."""

    change: Change
    reason: str
    assets: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Diff:
    """An upgrade before it is signed. kept: assets that clear under both. fee: of the upgrade; paid: what was agreed
    before, which no rule sets off against it.

    Of the checkpoints those that are not granted are blocked: they follow the agreement that they were trained under.
    """

    agreement: Agreement
    draft: Draft
    kept: int
    changed: tuple[Changed, ...]
    checkpoints: tuple[Weighed, ...]

    @property
    def fee(self) -> Money:
        return self.draft.fee

    @property
    def paid(self) -> Money:
        return self.agreement.fee

    def count(self, change: Change) -> int:
        return sum(one.assets for one in self.changed if one.change == change)

    def blocked(self) -> dict[str, int]:
        """Finding code -> checkpoints that it blocks."""
        found = Counter[str]()
        for one in self.checkpoints:
            found.update(() if one.granted else set(blocking(one)))
        return dict(found)

    def to_json(self) -> dict[str, Any]:
        return {
            "agreement": self.agreement.public_id,
            "to": self.draft.offer.name,
            "offer_version": self.draft.offer.version,
            "fee_minor": self.fee.minor,
            "currency": self.fee.currency.code,
            "agreed_before_minor": self.paid.minor,
            "agreed_before_currency": self.paid.currency.code,
            "assets": {
                "kept": self.kept,
                "adds": self.count("adds"),
                "loses": self.count("loses"),
                "by_reason": [vars(one) for one in self.changed],
            },
            "checkpoints": [
                {
                    "checkpoint": one.checkpoint,
                    "name": one.name,
                    "assets": one.assets,
                    "granted": one.granted,
                    "blocked_by": list(blocking(one)),
                    "reasons": list(one.reasons),
                }
                for one in self.checkpoints
            ],
        }


def blocking(one: Weighed) -> list[str]:
    """Codes of the findings that block a checkpoint; "unknown" and "agreement" where no asset is to blame."""
    if one.decided is None:
        return ["unknown"]
    codes = sorted({finding.code for asset in one.decided.blocked for finding in asset.findings})
    return codes or ([] if one.granted else [NEW_REASON])


def diff(
    ws: Workspace,
    agreement_id: str,
    offer_name: str,
    ask: Ask | None = None,
    write: Callable[[Iterable[tuple[str, str, str]]], None] | None = None,
) -> Diff:
    """Compare an agreement with an offer that would upgrade it.

    write: gets every asset that changes as (asset id, "adds" or "loses", reason), in any number.
    Raises NotFound, and what drafts.draft raises.
    """
    import duckdb

    with ws.read() as tx:
        agreement = agreements.find(tx, agreement_id)
        drafted = draft(tx, offer_name, ask)
    with tempfile.TemporaryDirectory(prefix="fairframe-diff-") as folder, duckdb.connect(":memory:") as db:
        place = Path(folder)
        taken = snapshot.extract(ws, place / "snapshot")
        tables: dict[str, str] = {}
        for name, terms, until_ms in (("old", agreement.terms, agreement.ends_ms), ("new", drafted.terms, None)):
            out = place / f"{name}.parquet"
            tables[name] = clearing.decide(taken, terms, terms.purpose, out, until_ms=until_ms).table
        changed_sql = _CHANGED.format(**tables)
        row = db.execute(_KEPT.format(**tables)).fetchone()
        kept = int(row[0]) if row else 0
        counts, some = Counter[tuple[Change, str]](), dict[tuple[Change, str], list[int]]()
        for batch in _batches(db.execute(changed_sql)):
            for asset_id, change, reason in batch:
                counts[change, reason] += 1
                examples = some.setdefault((change, reason), [])
                examples += [asset_id] if len(examples) < EXAMPLES else []
        with ws.read() as tx:
            if write is not None:
                write(_named(tx, _batches(db.execute(changed_sql))))
            names = _names(tx, sorted({key for keys in some.values() for key in keys}))
            checkpoints = tuple(upgrade.preview(tx, agreement, drafted.terms))
    changed = [
        Changed(change, reason, count, tuple(names[key] for key in some[change, reason]))
        for (change, reason), count in counts.items()
    ]
    changed.sort(key=lambda one: (one.change, -one.assets, one.reason))
    return Diff(agreement, drafted, kept, tuple(changed), checkpoints)


def _batches(cursor: Any) -> Iterator[list[tuple[int, Change, str]]]:
    while batch := cursor.fetchmany(CHUNK):
        yield batch


def _named(tx: Tx, batches: Iterator[list[tuple[int, Change, str]]]) -> Iterator[tuple[str, str, str]]:
    for batch in batches:
        names = _names(tx, [key for key, _, _ in batch])
        yield from ((names[key], change, reason) for key, change, reason in batch)


def _names(tx: Tx, ids: Sequence[int]) -> dict[int, str]:
    """asset id -> public id."""
    where = among(tx.conn, asset.c.id, ids)
    return {row["id"]: row["public_id"] for row in tx.rows(sa.select(asset.c.id, asset.c.public_id).where(where))}
