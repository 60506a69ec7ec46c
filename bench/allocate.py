"""A pool of 20,000.00 USD over millions of assets, fifty a contributor, with asset lines: DuckDB beside plain SQL.

    python bench/allocate.py [ASSETS]          default 10,000,000 of 200,000 contributors

The snapshot (claims and names as Parquet: weights given) is made before the clock starts. What is timed is what
allocation does with it: reading it, the split among contributors, then among each one's assets, the check of both
sums, and the root that commits to all weights. Beside it stands the same Hamilton split as plain SQL in SQLite (window
functions, 64-bit integers, which just hold these products), and up to a million assets the plain Python reference. All
must agree on every line to the unit. `value` and `against` are CPU seconds of DuckDB and of SQLite, each in a child
process of its own; SQLite needs ten times as long, so ten million assets take several minutes.
Claimed: twice as fast as plain SQL, and for ten million assets at most 12 seconds
of two cores, which are 24 CPU seconds, and 1 GB. The posting measures the ledger's transaction (one leg per
contributor and the pool's) in a fresh SQLite workspace, with 3 seconds for 200,001 legs as its bar.
"""

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _line import claim

POOL = 2_000_000 * 1_000_000  # 20,000.00 USD in micro units
SALT = bytes(range(16))
BAR = 2.0
MOST_CPU_S, MOST_MB = 24.0, 1000.0
"""For ten million assets: 12 seconds of two cores."""
POST_CPU_S = 3.0
"""For 200,001 legs."""
REFERENCE_MAX = 1_000_000
EACH = 50
COLUMNS = "contributor, contributor_key, asset, asset_key, weight"
CLAIMS = """
copy (
  select (hash(n) % {contributors})::bigint as contributor,
    'psn_' || lpad((hash(n) % {contributors})::varchar, 26, '0') as contributor_key, n::bigint as asset,
    'psn_' || lpad(n::varchar, 26, '0') as asset_key, (1000 + hash(n + 7) % 30000)::bigint as weight
  from range({assets}) t(n)
) to '{path}' (format parquet)
"""
PLAIN_SQL = (
    "create table total as select sum(weight) as weight from claim",
    """create table line as
    with quota as (
      select contributor, contributor_key, sum(weight) as weight,
        :pool * sum(weight) / (select weight from total) as part,
        :pool * sum(weight) % (select weight from total) as rest
      from claim group by contributor, contributor_key
    )
    select contributor, weight, part + (row_number() over (order by rest desc, tie_key(contributor_key))
      <= :pool - (select sum(part) from quota)) as amount
    from quota""",
    "create unique index line_contributor on line (contributor)",
    """create table line_asset as
    with quota as (
      select c.contributor, c.asset, l.amount as total, l.amount * c.weight / l.weight as part,
        l.amount * c.weight % l.weight as rest, c.asset_key
      from claim c join line l on l.contributor = c.contributor
    )
    select contributor, asset, part + (row_number() over (
      partition by contributor order by rest desc, tie_key(asset_key)
    ) <= total - sum(part) over (partition by contributor)) as amount
    from quota""",
)


def measured(begin: float, wall: float) -> dict[str, float]:
    return {"cpu": time.process_time() - begin, "wall": time.perf_counter() - wall}


def snapshot_child(assets: int, path: str) -> dict[str, Any]:
    from fairframe.royalties import bulk

    with bulk.connection() as con:
        con.execute(CLAIMS.format(assets=assets, contributors=max(1, assets // EACH), path=path))
        names = f"select distinct contributor, contributor_key from '{path}'"
        con.execute(f"copy ({names}) to '{path}.names' (format parquet)")
    return {}


def duckdb_child(assets: int, path: str) -> dict[str, Any]:
    from fairframe.royalties import allocation_rows, bulk

    begin, wall = time.process_time(), time.perf_counter()
    with bulk.connection() as con:
        con.execute(f"create table claim as select contributor, asset, weight from '{path}'")
        con.execute(f"create table name as select contributor, contributor_key from read_parquet('{path}.names')")
        con.execute(f"create view key as select asset, asset_key from '{path}'")
        bulk.split(con, POOL, SALT)
        allocation_rows.check_sums(con, POOL)
        root = allocation_rows.weights_tree(con).root.hex()
        found = measured(begin, wall)
        return found | {"root": root, "peak_mb": peak_mb()} | fingerprint(con)


def fingerprint(con: Any) -> dict[str, Any]:
    """Hashes over all lines, in an order-free way, to compare the paths."""
    lines = con.execute("select count(*), sum(hash(contributor, amount)::hugeint)::varchar from line").fetchone()
    assets = con.execute("select count(*), sum(hash(contributor, asset, amount)::hugeint)::varchar from line_asset")
    return {"lines": list(lines), "assets": list(assets.fetchone())}


def sqlite_child(assets: int, path: str) -> dict[str, Any]:
    import sqlite3

    import duckdb

    def tie_key(key: str) -> bytes:
        return hashlib.sha256(SALT + b"\x00" + key.encode()).digest()

    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(str(Path(folder) / "bench.sqlite"))
        db.create_function("tie_key", 1, tie_key, deterministic=True)
        db.execute("pragma synchronous = off")
        db.execute("pragma journal_mode = off")
        db.execute(f"create table claim ({COLUMNS})")
        source = duckdb.connect().execute(f"select {COLUMNS} from '{path}'")
        while rows := source.fetchmany(100_000):
            db.executemany("insert into claim values (?, ?, ?, ?, ?)", rows)
        begin, wall = time.process_time(), time.perf_counter()
        for sql in PLAIN_SQL:
            db.execute(sql, {"pool": POOL})
        found = measured(begin, wall) | {"peak_mb": peak_mb()}
        con = duckdb.connect()
        copy(con, "line", ("contributor", "amount"), db.execute("select contributor, amount from line"))
        all_of = db.execute("select contributor, asset, amount from line_asset")
        copy(con, "line_asset", ("contributor", "asset", "amount"), all_of)
        return found | fingerprint(con)


def copy(con: Any, table: str, names: tuple[str, ...], cursor: Any) -> None:
    import pyarrow as pa

    con.execute(f"create table {table} ({', '.join(f'{name} bigint' for name in names)})")
    while rows := cursor.fetchmany(200_000):
        columns = [pa.array(column, pa.int64()) for column in zip(*rows, strict=True)]
        con.register("batch", pa.table(columns, names=list(names)))
        con.execute(f"insert into {table} from batch")
        con.unregister("batch")


def reference_child(assets: int, path: str) -> dict[str, Any]:
    import duckdb

    from fairframe.royalties.split import Claim, split

    con = duckdb.connect()
    rows = [Claim(*row) for row in con.execute(f"select {COLUMNS} from '{path}'").fetchall()]
    begin, wall = time.process_time(), time.perf_counter()
    lines, asset_lines = split(POOL, rows, SALT)
    found = measured(begin, wall) | {"peak_mb": peak_mb()}
    copy(con, "line", ("contributor", "amount"), Rows((x.contributor, x.amount) for x in lines))
    all_of = Rows((x.contributor, x.asset, x.amount) for x in asset_lines)
    copy(con, "line_asset", ("contributor", "asset", "amount"), all_of)
    return found | fingerprint(con)


class Rows:
    """Rows as a cursor hands them out."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def fetchmany(self, count: int) -> list[Any]:
        return [row for row, _ in zip(self.rows, range(count), strict=False)]


def post_child(assets: int, path: str) -> dict[str, Any]:
    from fairframe.core.ids import encode_id
    from fairframe.platform.workspace import create_workspace
    from fairframe.royalties import ledger
    from fairframe.royalties.ledger import Leg

    count = max(1, assets // EACH)
    accounts = [ledger.accrued(encode_id("ctr", n.to_bytes(16, "big"))) for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        ws = create_workspace(Path(folder) / "library", "library", "Bench")
        legs = [Leg("cash", "USD", count), *(Leg(account, "USD", -1) for account in accounts)]
        begin, wall = time.process_time(), time.perf_counter()
        with ws.write() as tx:
            ledger.post(tx, "bench", "", legs)
        found = measured(begin, wall) | {"legs": len(legs), "peak_mb": peak_mb()}
        ws.close()
    return found


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


CHILDREN = {
    "snapshot": snapshot_child,
    "duckdb": duckdb_child,
    "sqlite": sqlite_child,
    "reference": reference_child,
    "post": post_child,
}


def child(name: str, assets: int, path: str) -> dict[str, Any]:
    command = [sys.executable, __file__, str(assets), name, path]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def main(assets: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "claims.parquet")
        child("snapshot", assets, path)
        found = {name: child(name, assets, path) for name in ("duckdb", "post", "sqlite")}
        if assets <= REFERENCE_MAX:
            found["reference"] = child("reference", assets, path)
    fast, plain = found["duckdb"], found["sqlite"]
    print(f"{assets:,} assets, {assets // EACH:,} contributors     CPU s   wall s   peak MB", file=sys.stderr)
    words = {"duckdb": "DuckDB", "sqlite": "plain SQL (SQLite)", "reference": "plain Python"}
    words["post"] = f"posting {found['post']['legs']:,} legs"
    for name, one in found.items():
        print(f"{words[name]:<42}{one['cpu']:7.2f}{one['wall']:9.2f}{one['peak_mb']:10.0f}", file=sys.stderr)
    split = [one for name, one in found.items() if name != "post"]
    same = all((one["lines"], one["assets"]) == (fast["lines"], fast["assets"]) for one in split)
    part = max(1.0, assets / 10_000_000)
    ratio = plain["cpu"] / fast["cpu"]
    ok = same and ratio >= BAR and fast["cpu"] <= MOST_CPU_S * part and fast["peak_mb"] <= MOST_MB * part
    unit = f"CPU s for {assets} assets"
    claim("allocate", round(fast["cpu"], 2), unit, round(plain["cpu"], 2), round(ratio, 2), BAR, ok)
    post = found["post"]
    posted = post["cpu"] <= POST_CPU_S * max(1.0, post["legs"] / 200_001)
    unit = f"CPU s for {post['legs']} legs"
    claim("post", round(post["cpu"], 2), unit, POST_CPU_S, round(POST_CPU_S / post["cpu"], 2), 1.0, posted)
    sys.exit(0 if ok and posted else 1)


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    if len(sys.argv) > 2:
        print(json.dumps(CHILDREN[sys.argv[2]](size, sys.argv[3])))
    else:
        main(size)
