"""A pool of 20,000.00 USD over a million assets of 20,000 contributors: DuckDB beside the plain Python reference.

    python bench/allocate.py [ASSETS]

Both split the same claims (weights given, as after the snapshot), contributor first, then assets, and must agree on
every line to the unit. `value` and `against` are CPU seconds of DuckDB and of the reference in the same run, each in a
child process of its own. The posting measures the ledger's transaction (one leg per contributor and the pool's) in a
fresh SQLite workspace.
"""

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
CLAIMS = """
create table claim as
select (hash(n) % {contributors})::bigint as contributor, 'psn_' || (hash(n) % {contributors}) as contributor_key,
  n::bigint as asset, 'psa_' || n as asset_key, (1000 + hash(n + 7) % 30000)::bigint as weight
from range({assets}) t(n)
"""


def claims(con: Any, assets: int) -> None:
    con.execute(CLAIMS.format(assets=assets, contributors=max(1, assets // 50)))


def duckdb_child(assets: int) -> dict[str, Any]:
    from fairframe.royalties import allocate, bulk

    with bulk.connection() as con:
        claims(con, assets)
        begin, wall = time.process_time(), time.perf_counter()
        bulk.split(con, POOL, SALT)
        allocate.check_sums(con, POOL)
        cpu, wall = time.process_time() - begin, time.perf_counter() - wall
        return {"cpu": cpu, "wall": wall} | fingerprint(con)


def fingerprint(con: Any) -> dict[str, Any]:
    """Hashes over all lines, in an order-free way, to compare the two paths."""
    lines = con.execute("select count(*), sum(hash(contributor, amount)::hugeint)::varchar from line").fetchone()
    assets = con.execute("select count(*), sum(hash(contributor, asset, amount)::hugeint)::varchar from line_asset")
    return {"lines": list(lines), "assets": list(assets.fetchone())}


def reference_child(assets: int) -> dict[str, Any]:
    import pyarrow as pa

    from fairframe.royalties import bulk
    from fairframe.royalties.split import Claim, split

    with bulk.connection() as con:
        claims(con, assets)
        rows = [Claim(*row) for row in con.execute("select * from claim").fetchall()]
        begin, wall = time.process_time(), time.perf_counter()
        lines, asset_lines = split(POOL, rows, SALT)
        cpu, wall = time.process_time() - begin, time.perf_counter() - wall
        line = pa.table({"contributor": [x.contributor for x in lines], "amount": [x.amount for x in lines]})
        line_asset = pa.table({k: [getattr(x, k) for x in asset_lines] for k in ("contributor", "asset", "amount")})
        con.register("l", line)
        con.register("a", line_asset)
        con.execute("create table line as from l")
        con.execute("create table line_asset as from a")
        return {"cpu": cpu, "wall": wall} | fingerprint(con)


def post_child(assets: int) -> dict[str, Any]:
    from fairframe.core.ids import encode_id
    from fairframe.platform.workspace import create_workspace
    from fairframe.royalties import ledger
    from fairframe.royalties.ledger import Leg

    count = max(1, assets // 50)
    accounts = [ledger.accrued(encode_id("ctr", n.to_bytes(16, "big"))) for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        ws = create_workspace(Path(folder) / "library", "library", "Bench")
        legs = [Leg("cash", "USD", count), *(Leg(account, "USD", -1) for account in accounts)]
        begin, wall = time.process_time(), time.perf_counter()
        with ws.write() as tx:
            ledger.post(tx, "bench", "", legs)
        found = {"cpu": time.process_time() - begin, "wall": time.perf_counter() - wall, "legs": len(legs)}
        ws.close()
    return found


def child(name: str, assets: int) -> dict[str, Any]:
    command = [sys.executable, __file__, str(assets), name]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def main(assets: int) -> None:
    fast, plain, posted = (child(name, assets) for name in ("duckdb", "reference", "post"))
    same = fast["lines"] == plain["lines"] and fast["assets"] == plain["assets"]
    print(f"{assets:,} assets, {assets // 50:,} contributors      CPU s   wall s   peak MB", file=sys.stderr)
    for name, one in (("DuckDB", fast), ("plain Python", plain), (f"posting {posted['legs']:,} legs", posted)):
        print(f"{name:<42}{one['cpu']:7.2f}{one['wall']:9.2f}{one['peak_mb']:10.0f}", file=sys.stderr)
    ratio = plain["cpu"] / fast["cpu"]
    unit, ok = f"CPU s for {assets} assets", same and ratio >= BAR
    claim("allocate", round(fast["cpu"], 2), unit, round(plain["cpu"], 2), round(ratio, 2), BAR, ok)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        run = {"duckdb": duckdb_child, "reference": reference_child, "post": post_child}[sys.argv[2]]
        result = run(size)
        print(json.dumps(result | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    else:
        main(size)
