"""Clearing: what an agreement may do with every asset, decided at once over a snapshot.

explain() gives the same decision for one asset in plain Python, with its reasons in words.
"""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import NotFound
from fairframe.core.ruling_body import RULABLE
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing_sql, facts, moment, snapshot
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import CODES, SEVERITY, Decision, clear, ends_ms
from fairframe.rights.consent import FOREVER_MS
from fairframe.rights.moment import Moment
from fairframe.rights.offers import Terms
from fairframe.rights.snapshot import Snapshot

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "2GB"
AT_ONCE = 1_000_000
"""Asset ids that are decided together."""


@dataclass(frozen=True)
class Cleared:
    """The decisions about all assets: asset_id, outcome, findings (codes, gravest first), waits (those that wait for a
    person's ruling).

    Few different decisions occur, so each is written once: `path` is a Parquet file of asset_id and the number of its
    pattern, `patterns` one of what each number stands for; `batches` and `table` put them together. `counts`: outcome
    -> assets; `findings`: code -> assets. The files lie in the folder that the caller gave, or in a temporary one that
    goes with this object. `decisions` is for results that fit in memory.
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

    @property
    def patterns(self) -> Path:
        return _patterns(self.path)

    @property
    def table(self) -> str:
        """The decisions as a table of DuckDB's SQL, in no order."""
        files = (f"read_parquet({_literal(path)})" for path in (self.path, self.patterns))
        return f"({clearing_sql.TABLE.format(*files)})"

    def batches(self, columns: Sequence[str] = ("asset_id", "outcome", "findings", "waits")) -> Iterator[Any]:
        """The decisions in Arrow record batches, for results of any size, ascending by asset_id."""
        import pyarrow.parquet as pq

        patterns = pq.read_table(self.patterns).sort_by("pattern").combine_chunks()
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches():
                chosen = patterns.take(batch["pattern"]).append_column("asset_id", batch["asset_id"])
                yield from chosen.select(list(columns)).to_batches()


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
            taken,
            agreement.terms,
            purpose or agreement.purpose,
            place / "decisions.parquet",
            at_ms,
            known_at_ms,
            until_ms=agreement.ends_ms,
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
    *,
    until_ms: int | None = None,
) -> Cleared:
    """Decide a snapshot with DuckDB and write the decisions to `path`. Set operations only; it spills to disk.

    until_ms: when the agreement ends; where None, one that begins at `at_ms`.
    """
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
            "until_ms": ends_ms(terms, at) if until_ms is None else until_ms,
            "worldwide": terms.territory == "world",
            "territory": terms.territory.split(","),
            "purpose": purpose,
            "granted": terms.purpose,
            "actions": sorted(set(terms.actions)),
            "kinds": list(terms.kinds),
            "short_side": terms.min_short_side,
            "most_side": 2**31 if terms.max_short_side is None else terms.max_short_side,
            "scoped": terms.scope == "collections",
            "collections": [one.id for one in terms.collections] or [""],
        }
        db.execute("set parquet_metadata_cache = true")
        _prepare(db, taken.folder, asked)
        for step in clearing_sql.ONCE:
            db.execute(step)
        for first in _parts(db, taken.folder):
            db.execute("set variable first = ?", [first])
            db.execute("set variable beyond = ?", [first + AT_ONCE])
            for step in clearing_sql.PART:
                db.execute(step)
        db.execute(clearing_sql.PATTERN)
        for query, file in ((clearing_sql.RESULT, path), (clearing_sql.PATTERNS, _patterns(path))):
            db.execute(f"copy ({query}) to {_literal(file)} (format parquet, compression zstd)")
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
    asked, terms, until_ms = purpose or agreement.purpose, agreement.terms, agreement.ends_ms
    return {
        key: clear(view, terms, asked, when.at_ms, when.known_at_ms, until_ms=until_ms) for key, view in views.items()
    }


def _prepare(db: "duckdb.DuckDBPyConnection", folder: Path, asked: dict[str, Any]) -> None:
    """Set the variables, the macro and the views that clearing_sql names."""
    names = [*CODES, *clearing_sql.RAW]

    def bits(wanted: Callable[[str], bool]) -> int:
        return sum(1 << place for place, name in enumerate(names) if wanted(name))

    named: dict[str, Any] = {
        "names": names,
        "codes": list(CODES),
        "denies": bits(lambda name: CODES.get(name) == "DENY"),
        "reviews": bits(lambda name: CODES.get(name) == "REVIEW"),
        "notes": bits(lambda name: CODES.get(name) == "ALLOW"),
        "found": bits(lambda name: name in CODES),
        "rulable": bits(lambda name: name in RULABLE),
        "model_releases": bits(lambda name: name.startswith("model_release_")),
        "property_releases": bits(lambda name: name.startswith("property_release_") and name in CODES),
        "people": bits(lambda name: name.startswith("people_") and name in clearing_sql.RAW),
        "property": bits(lambda name: name.startswith("property_release_") and name in clearing_sql.RAW),
        "editorial": bits(lambda name: name.startswith("editorial_") and name in clearing_sql.RAW),
    }
    for name, value in {**asked, **named, "first": 0, "beyond": 0}.items():
        db.execute(f"set variable {name} = ?", [value])
    for macro in clearing_sql.MACROS:
        db.execute(f"create temp macro {macro}")
    for name, view in clearing_sql.VIEWS.items():
        source = f"read_parquet({_literal(folder / f'{name}.parquet')})"
        db.execute(f"create temp view {name} as {view.format(source)}")


def _parts(db: "duckdb.DuckDBPyConnection", folder: Path) -> range:
    """The first id of each part."""
    source = clearing_sql.RANGE.format(_literal(folder / "asset.parquet"))
    least, most = db.execute(source).fetchone() or (0, -1)
    return range(least, most + 1, AT_ONCE)


def _patterns(path: Path) -> Path:
    return path.with_name(f"{path.stem}-patterns.parquet")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
