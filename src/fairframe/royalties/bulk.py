"""Splitting a pool as a set, in DuckDB: the same result as split.py, for millions of assets in bounded memory.

Pool times weight needs up to 126 bits: HUGEINT has 128 (SQLite would silently turn REAL). DuckDB's sha256 of bytes
is the tie key of core.apportion.
"""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MEMORY_MB = 800
BATCH = 50_000

# claim(contributor, contributor_key, asset, asset_key, weight), one row per contributor and asset -> line, line_asset
_LINES = """
create or replace table line as
with by_contributor as (
  select contributor, any_value(contributor_key) as contributor_key, sum(weight)::hugeint as weight
  from claim group by contributor
), quota as (
  select *, ($pool::hugeint * weight) // $total::hugeint as part, ($pool::hugeint * weight) % $total::hugeint as rest
  from by_contributor
), ranked as (
  select *, row_number() over (
    order by rest desc, sha256(unhex($salt) || '\\x00'::blob || contributor_key::blob), contributor
  ) as place
  from quota
)
select contributor, contributor_key, weight::bigint as weight,
  (part + (case when place <= $pool::hugeint - (select sum(part) from quota) then 1 else 0 end))::bigint as amount
from ranked
"""
_ASSETS = """
create or replace table line_asset as
with quota as (
  select c.contributor, c.asset, c.asset_key, c.weight, l.amount as total,
    case when l.weight = 0 then 0 else (l.amount::hugeint * c.weight) // l.weight end as part,
    case when l.weight = 0 then 0 else (l.amount::hugeint * c.weight) % l.weight end as rest
  from claim c join line l using (contributor)
), short as (
  select contributor, any_value(total) - sum(part) as missing from quota group by contributor having missing > 0
), ranked as (
  select q.contributor, q.asset, row_number() over (
    partition by q.contributor order by rest desc, sha256(unhex($salt) || '\\x00'::blob || asset_key::blob), asset
  ) as place, s.missing
  from quota q join short s using (contributor) where rest > 0
), extra as (
  select contributor, asset from ranked where place <= missing
)
select q.contributor, q.asset, q.asset_key, q.weight,
  (q.part + (case when e.asset is null then 0 else 1 end))::bigint as amount
from quota q left join extra e on e.contributor = q.contributor and e.asset = q.asset
"""


@contextmanager
def connection() -> Generator["duckdb.DuckDBPyConnection"]:
    """An in-memory DuckDB that spills into a folder of its own beyond MEMORY_MB."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="fairframe-duckdb-") as folder:
        config: dict[str, Any] = {"memory_limit": f"{MEMORY_MB}MB", "temp_directory": folder}
        con = duckdb.connect(config=config | {"preserve_insertion_order": False})
        try:
            yield con
        finally:
            con.close()


def split(con: "duckdb.DuckDBPyConnection", pool: int, salt: bytes) -> int:
    """Make tables line(contributor, contributor_key, weight, amount) and line_asset(contributor, asset, asset_key,
    weight, amount) from claim; returns the total weight. ValueError where no weight is above zero."""
    row = con.execute("select coalesce(sum(weight::hugeint), 0) from claim").fetchone()
    total = int(row[0]) if row else 0
    if total == 0:
        raise ValueError("at least one weight is above zero")
    con.execute(_LINES, {"pool": pool, "total": total, "salt": salt.hex()})
    con.execute(_ASSETS, {"salt": salt.hex()})
    return total


def stream(con: "duckdb.DuckDBPyConnection", sql: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query, a batch at a time."""
    cursor = con.cursor()
    cursor.execute(sql)
    while batch := cursor.fetchmany(BATCH):
        yield from batch
    cursor.close()
