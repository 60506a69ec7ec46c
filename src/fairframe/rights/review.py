"""The review queue: the assets on which a finding waits for a person, over a library of any size.

What asks for review comes from an asset's own facts, papers and signals, whatever the terms; so without an agreement
the queue is the whole library's. With one it is what stands between the asset and that agreement: outcome REVIEW.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairframe.library import assets
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace
from fairframe.rights import clearing, offers, snapshot
from fairframe.rights.agreement import Agreement
from fairframe.rights.clearance import CODES

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class Filter:
    """Which of the waiting assets; what is None or empty does not narrow. after: the BIGINT id of an asset."""

    agreement: Agreement | None = None
    finding: str = ""
    contributor: Row | None = None
    collection: Row | None = None
    after: int = 0


@dataclass(frozen=True)
class Waiting:
    """An asset's row and the codes of the findings that wait, gravest first."""

    asset: Row
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Queue:
    """A page of the queue in the order of ingest. `counts`: finding -> assets, of all pages from `after` on."""

    rows: Sequence[Waiting]
    total: int
    counts: dict[str, int]


def queue(ws: Workspace, narrow: Filter, limit: int | None = 50) -> Queue:
    """What waits now, at most `limit` assets of it (all where None), decided over a snapshot as `rights clear` does."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="fairframe-review-") as name:
        folder = Path(name)
        taken = snapshot.extract(ws, folder / "snapshot")
        under = narrow.agreement
        terms = offers.load("research").terms if under is None else under.terms
        purpose = terms.purpose if under is None else under.purpose
        until_ms = None if under is None else under.ends_ms
        cleared = clearing.decide(taken, terms, purpose, folder / "decisions.parquet", until_ms=until_ms)
        with duckdb.connect(":memory:", config={"memory_limit": clearing.MEMORY_LIMIT}) as db:
            waiting = _statement(narrow, cleared.table)
            db.execute(f"create temp table waiting as {waiting}", _arguments(narrow, taken.folder))
            page = db.execute("select asset_id, waits from waiting order by asset_id limit ?", [limit]).fetchall()
            each = "select unnest(waits) as code, count(*) from waiting group by code"
            counts: dict[str, int] = dict(db.execute(each).fetchall())
            total = int((db.execute("select count(*) from waiting").fetchone() or (0,))[0])
    with ws.read() as tx:
        rows = {row["id"]: row for row in assets.by_ids(tx, [key for key, _ in page])}
    shown = [Waiting(rows[key], tuple(waits)) for key, waits in page]
    return Queue(shown, total, {code: counts[code] for code in CODES if code in counts})


def _statement(narrow: Filter, decisions: str) -> str:
    parts = ["select asset_id, waits from", decisions, "where len(waits) > 0 and asset_id > $after"]
    if narrow.agreement is not None:
        parts.append("and outcome = 'REVIEW'")
    if narrow.finding:
        parts.append("and list_contains(waits, $finding)")
    if narrow.contributor is not None:
        parts.append("and asset_id in (select id from read_parquet($assets) where contributor_id = $contributor)")
    if narrow.collection is not None:
        parts.append("and asset_id in (select asset_id from read_parquet($members) where collection_id = $collection)")
    return " ".join(parts)


def _arguments(narrow: Filter, folder: Path) -> dict[str, str | int]:
    given: dict[str, str | int] = {"after": narrow.after}
    if narrow.finding:
        given["finding"] = narrow.finding
    if narrow.contributor is not None:
        given |= {"assets": str(folder / "asset.parquet"), "contributor": narrow.contributor["id"]}
    if narrow.collection is not None:
        given |= {"members": str(folder / "collection_asset.parquet"), "collection": narrow.collection["id"]}
    return given
