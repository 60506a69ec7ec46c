"""Splitting a pool as a set, in DuckDB: the same result as split.py, for millions of assets in bounded memory.

Pool times weight needs up to 126 bits: HUGEINT has 128 (SQLite would silently turn REAL). DuckDB's sha256 of bytes
is the tie key of core.apportion.
"""

import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from fairframe.core.cutoff import Cutoff, Place
from fairframe.core.errors import Refused

if TYPE_CHECKING:
    import duckdb

MAX_WEIGHT = 2**63 - 1
"""What all weights of a pool may sum to: a row of `allocation` holds it."""
TOO_LARGE = "allocate.weight"
"""The code of the refusal where they sum to more."""
MEMORY_MB = 800
BATCH = 50_000
COLUMNS = {
    "delivered": {
        "item": "string",
        "asset": "int64",
        "contributor": "int64",
        "asset_key": "string",
        "start_at": "int64",
        "end_at": "int64",
        "duration_ms": "int64",
        "since_ms": "int64",
    },
    "used": {"item": "string", "frames": "int64", "run": "int64"},
    "run": {"run": "int64", "part": "int64", "frames": "int64"},
    "score": {"asset": "int64", "score": "int64"},
    "owned": {
        "asset": "int64",
        "contributor": "int64",
        "num": "int64",
        "den": "int64",
        "valid_from_ms": "int64",
        "recorded_at_ms": "int64",
    },
    "claim": {"contributor": "int64", "asset": "int64", "weight": "int64"},
    "name": {"contributor": "int64", "contributor_key": "string"},
    "key": {"asset": "int64", "asset_key": "string"},
}
"""Tables that are filled from the database: column -> type."""

# claim(contributor, asset, weight), one row per contributor and asset; name(contributor, contributor_key);
# key(asset, asset_key), an asset as often as one likes -> line, line_asset
_LINES = """
create or replace table line as
with by_contributor as (
  select contributor, sum(weight)::hugeint as weight from claim group by contributor
), quota as (
  select contributor, contributor_key, weight, ($pool::hugeint * weight) // $total::hugeint as part,
    ($pool::hugeint * weight) % $total::hugeint as rest,
    sha256(unhex($salt) || '\\x00'::blob || contributor_key::blob) as tie_key
  from by_contributor join name using (contributor)
)
select contributor, contributor_key, weight::bigint as weight, rest, tie_key,
  (part + (case when row_number() over (order by rest desc, tie_key, contributor)
    <= $pool::hugeint - (select sum(part) from quota) then 1 else 0 end))::bigint as amount, part as floor
from quota
"""
# tied: the last extra unit of this contributor went to one of several equal remainders
_ASSETS = """
create or replace table line_asset as
with quota as (
  select c.contributor, c.asset, c.weight, l.amount as total, (l.amount::{type} * c.weight) // l.whole as part,
    (l.amount::{type} * c.weight) % l.whole as rest
  from claim c join (select contributor, amount, greatest(weight, 1) as whole from line) l using (contributor)
), placed as (
  select contributor, asset, weight, part, rest, row_number() over by_rest as place, lead(rest) over by_rest as after,
    total - sum(part) over (partition by contributor) as missing
  from quota window by_rest as (partition by contributor order by rest desc)
)
select contributor, asset, weight, (part + (case when place <= missing then 1 else 0 end))::bigint as amount,
  place = missing and rest is not distinct from after as tied
from placed
"""
# hashing every asset's pseudonym costs more than all else, so only where it decides
_TIED = """
insert into line_asset
with few as materialized (
  select * from claim where contributor in (select contributor from tie)
), keys as (
  select distinct asset, asset_key from key where asset in (select asset from few)
), quota as (
  select c.contributor, c.asset, c.weight, l.amount as total, k.asset_key,
    (l.amount::hugeint * c.weight) // l.weight as part, (l.amount::hugeint * c.weight) % l.weight as rest
  from few c join line l using (contributor) join keys k using (asset)
), placed as (
  select *, row_number() over (
    partition by contributor order by rest desc, sha256(unhex($salt) || '\\x00'::blob || asset_key::blob), asset
  ) as place, total - sum(part) over (partition by contributor) as missing
  from quota
)
select contributor, asset, weight, (part + (case when place <= missing then 1 else 0 end))::bigint, false from placed
"""
_WIDEST = "select (select max(amount) from line)::hugeint * (select max(weight) from claim)"


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


@dataclass(frozen=True)
class Total:
    """weight: of all. extra_units: pool less all floors. cutoff: who got one of them; None where there are none."""

    weight: int
    extra_units: int
    cutoff: Cutoff | None


def split(con: "duckdb.DuckDBPyConnection", pool: int, salt: bytes) -> Total:
    """Make tables line(contributor, contributor_key, weight, amount, ...) and line_asset(contributor, asset, weight,
    amount, ...) from claim, name and key. pool: zero or more.

    Raises ValueError where no weight is above zero, Refused (allocate.weight) where they exceed 64 bits together."""
    with in_64_bits():
        return _split(con, pool, salt)


@contextmanager
def in_64_bits() -> Generator[None]:
    """What DuckDB says of a number that is too large, as Refused (allocate.weight)."""
    import duckdb

    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise _too_large() from error


def _too_large() -> Refused:
    return Refused(
        "the weights of this pool exceed 64 bits",
        code=TOO_LARGE,
        remedy="Scores, shares of co-owners or a blend with smaller denominators make them smaller",
    )


def _split(con: "duckdb.DuckDBPyConnection", pool: int, salt: bytes) -> Total:
    total = _number(con, "select coalesce(sum(weight), 0) from claim")
    if total == 0:
        raise ValueError("at least one weight is above zero")
    if total > MAX_WEIGHT:
        raise _too_large()
    con.execute(_LINES, {"pool": pool, "total": total, "salt": salt.hex()})
    con.execute(_ASSETS.format(type="bigint" if _number(con, _WIDEST) < 2**63 else "hugeint"))
    con.execute("create or replace table tie as select contributor from line_asset where tied")
    if _number(con, "select count(*) from tie"):
        con.execute("delete from line_asset where contributor in (select contributor from tie)")
        con.execute(_TIED, {"salt": salt.hex()})
    extra = _number(con, "select count(*) from line where amount > floor")
    if not extra:
        return Total(total, 0, None)
    winner = _place(con, "select rest, tie_key from line where amount > floor order by rest, tie_key desc limit 1")
    loser = _place(con, "select rest, tie_key from line where amount = floor order by rest desc, tie_key limit 1")
    return Total(total, extra, Cutoff.between(winner, loser))


def _place(con: "duckdb.DuckDBPyConnection", sql: str) -> Place:
    """The one row of a query for a remainder and a tie key. There is a loser wherever there are units to give: they are
    fewer than the remainders above zero."""
    rest, key = con.execute(sql).fetchall()[0]
    return int(rest), str(key)


def _number(con: "duckdb.DuckDBPyConnection", sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])


def fill(con: "duckdb.DuckDBPyConnection", table: str, rows: Iterable[Sequence[Any]]) -> int:
    """Make a table of COLUMNS from rows, a batch at a time; returns how many."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS[table].items()])
    source, count, made = iter(rows), 0, False
    while (batch := list(islice(source, BATCH))) or not made:
        columns = list(zip(*batch, strict=True)) if batch else [()] * len(schema)
        con.register(
            "batch",
            pa.Table.from_arrays([pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema),
        )
        con.execute(f"insert into {table} from batch" if made else f"create or replace table {table} as from batch")
        con.unregister("batch")
        count, made = count + len(batch), True
    return count


def stream(con: "duckdb.DuckDBPyConnection", sql: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query, a batch at a time."""
    cursor = con.cursor()
    cursor.execute(sql)
    while batch := cursor.fetchmany(BATCH):
        yield from batch
    cursor.close()
