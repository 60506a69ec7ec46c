"""Clearing: what an agreement may do with every asset, decided at once over a snapshot.

explain() gives the same decision for one asset in plain Python, with its reasons in words.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import NotFound
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing_sql, facts, moment, snapshot
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import CODES, RULABLE, SEVERITY, Decision, clear
from fairframe.rights.consent import FOREVER_MS
from fairframe.rights.moment import Moment
from fairframe.rights.offers import Terms
from fairframe.rights.snapshot import Snapshot

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "2GB"


@dataclass(frozen=True)
class Cleared:
    """The decisions about all assets, as a Parquet file.

    Columns: asset_id, outcome, findings (codes, gravest first), waits (those that wait for a person's ruling).
    `counts`: outcome -> assets; `findings`: code -> assets. The file lies in the folder that the caller gave, or in a
    temporary one that goes with this object. `decisions` is for results that fit in memory.
    """

    path: Path
    at_ms: int
    audit_size: int
    audit_root: str
    counts: dict[str, int]
    findings: dict[str, int]

    @cached_property
    def decisions(self) -> dict[int, tuple[str, tuple[str, ...]]]:
        """asset id -> (outcome, finding codes, gravest first)"""
        rows = (batch.to_pydict() for batch in self.batches(["asset_id", "outcome", "findings"]))
        return {
            key: (outcome, tuple(codes))
            for part in rows
            for key, outcome, codes in zip(part["asset_id"], part["outcome"], part["findings"], strict=True)
        }

    def batches(self, columns: list[str] | None = None) -> Iterator[Any]:
        """The decisions in batches, for results of any size, ascending by asset_id."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(columns=columns)


def clear_agreement(
    ws: Workspace,
    agreement: Agreement,
    *,
    folder: Path | None = None,
    purpose: str | None = None,
    at_ms: int | None = None,
    known_at_ms: int = FOREVER_MS,
) -> Cleared:
    """Decide every asset under an agreement, whatever its state (so that an offer can be weighed before signing).

    at_ms: as of when (now where None); known_at_ms: with what was recorded by then. purpose: what is asked for, the
    agreement's own where None. The snapshot and the result stay in `folder` where one is given.
    """
    mine = folder is None
    place = Path(tempfile.mkdtemp(prefix="fairframe-clearing-")) if folder is None else folder
    try:
        taken = snapshot.extract(ws, place / "snapshot")
        cleared = decide(
            taken, agreement.terms, purpose or agreement.purpose, place / "decisions.parquet", at_ms, known_at_ms
        )
    except BaseException:
        if mine:
            shutil.rmtree(place, ignore_errors=True)
        raise
    if mine:
        shutil.rmtree(taken.folder, ignore_errors=True)
        weakref.finalize(cleared, shutil.rmtree, place, ignore_errors=True)
    return cleared


def decide(
    taken: Snapshot,
    terms: Terms,
    purpose: str,
    path: Path,
    at_ms: int | None = None,
    known_at_ms: int = FOREVER_MS,
) -> Cleared:
    """Decide a snapshot with DuckDB and write the decisions to `path`. Set operations only; it spills to disk."""
    import duckdb

    at = taken.latest_ms if at_ms is None else at_ms
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(path.parent / "spill"),
    }
    with duckdb.connect(":memory:", config=config) as db:
        asked = {
            "at_ms": at,
            "known_ms": known_at_ms,
            "purpose": purpose,
            "granted": terms.purpose,
            "actions": list(terms.actions),
            "kinds": list(terms.kinds),
            "short_side": terms.min_short_side,
            "most_side": 2**31 if terms.max_short_side is None else terms.max_short_side,
            "scoped": terms.scope == "collections",
            "collections": [one.id for one in terms.collections] or [""],
        }
        _prepare(db, taken.folder, asked)
        for step in clearing_sql.STEPS:
            db.execute(step)
        db.execute(f"copy ({clearing_sql.RESULT}) to {_literal(path)} (format parquet, compression zstd)")
        counts = dict(db.execute(clearing_sql.COUNTS).fetchall())
        found = dict(db.execute(clearing_sql.FOUND).fetchall())
    return Cleared(
        path=path,
        at_ms=at,
        audit_size=taken.audit_size,
        audit_root=taken.audit_root,
        counts={outcome: counts.get(outcome, 0) for outcome in SEVERITY},
        findings={code: found[code] for code in CODES if code in found},
    )


def explain(tx: Tx, agreement: Agreement, asset: Row, at: Moment | None = None, purpose: str | None = None) -> Decision:
    """The decision about one asset with its reasons in words (the Python reference of the table).

    Raises NotFound (asset.not_yet) for an asset of which nothing was recorded by then.
    """
    found = decide_some(tx, agreement, [asset["id"]], at, purpose)
    if asset["id"] not in found:
        raise NotFound(
            "the asset was not taken in by then",
            code="asset.not_yet",
            where=asset["public_id"],
            remedy="Ask with a later --known-at",
        )
    return found[asset["id"]]


def decide_some(
    tx: Tx, agreement: Agreement, asset_ids: Iterable[int], at: Moment | None = None, purpose: str | None = None
) -> dict[int, Decision]:
    """Decide a few assets by the reference, a few queries for each 400. Ids that were not there then are left out."""
    when = at or moment.present(tx)
    views = facts.load(tx, asset_ids, when)
    asked = purpose or agreement.purpose
    return {key: clear(view, agreement.terms, asked, when.at_ms, when.known_at_ms) for key, view in views.items()}


def _prepare(db: "duckdb.DuckDBPyConnection", folder: Path, asked: dict[str, Any]) -> None:
    """Set the variables, the macro and the views that clearing_sql names."""
    bits = {outcome: sum(1 << n for n, code in enumerate(CODES) if CODES[code] == outcome) for outcome in SEVERITY}
    named = {"denies": bits["DENY"], "reviews": bits["REVIEW"], "notes": bits["ALLOW"], "codes": list(CODES)}
    named["rulable"] = sum(1 << n for n, code in enumerate(CODES) if code in RULABLE)
    for name, value in {**asked, **named}.items():
        db.execute(f"set variable {name} = ?", [value])
    db.execute("create temp macro flag(code) as 1::bigint << (list_position(getvariable('codes'), code) - 1)")
    for name, view in clearing_sql.VIEWS.items():
        source = f"read_parquet({_literal(folder / f'{name}.parquet')})"
        db.execute(f"create temp view {name} as {view.format(source)}")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
