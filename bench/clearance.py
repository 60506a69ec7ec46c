"""Clearance of a whole library, the snapshot given, with as-of consent, releases, territories and terms.

    python bench/clearance.py [ASSETS] [SMALLER]        (10,000,000 and 1,000,000)

The snapshots are made up: 50 assets to a contributor, three or four facts each, co-owners, releases (of a part of the
world, with an end, of minors, revoked), signals, consents on all three levels, holds, rulings, one time in 32 ahead of
the moment that is asked for (the as-of filters have work). Each is decided in a process of its own, whose peak memory
is told. Three lines: the seconds that the larger one takes when DuckDB's threads have a core each (CPU seconds over
threads; the wall clock, which other work on the machine lengthens, is in the table), beside the plain Python reference
on the same rules; its peak memory beside the bound; and how the CPU time grew from the smaller one, beside linear.

Measured with `python bench/clearance.py` on a busy machine (two cores, load 6): 7.9 s for 10 M assets, 15.9 CPU s,
24 s on the wall clock, 535 MB; 1.7 CPU s for 1 M, so CPU time grew 9.4-fold and the wall clock 7.1-fold.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from _line import claim

from fairframe.rights import clearing, offers
from fairframe.rights.clearance import clear
from fairframe.rights.consent import Event, ToldTerms
from fairframe.rights.facts import AssetView, OwnerView
from fairframe.rights.papers import ReleaseView
from fairframe.rights.snapshot import Snapshot

LIMIT_S, LIMIT_BYTES = 15.0, 2_000_000_000
AT = 1_780_000_000_000
REFERENCE = 20_000

# {n}: assets, {c}: contributors. hash(i, salt) % m draws.
TABLES = {
    "asset": """select i as id, i // 50 as contributor_id, 'video' as kind,
        case when hash(i, 1) % 20 = 0 then 240 else 3840 end as width, 2160 as height, {at} as recorded_at_ms
        from range({n}) t(i)""",
    "asset_fact": """select row_number() over () as id, i as asset_id,
        (case when hash(i, 2, f) % 12 = 0 then other when f = 0 and hash(i, 3) % 5 = 0 then 0
          else usual end)::smallint as fact, {when_i} - 1000 * k as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i), (values (0, 1, 2), (1, 5, 6), (2, 8, 9)) w(f, usual, other), range(2) s(k)
        where k = 0 or hash(i, 18, f) % 50 = 0""",
    "ownership": """select row_number() over () as id, i as asset_id, (i // 50 + k) % {c} as contributor_id,
        {at} as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i), range(2) s(k) where k = 0 or hash(i, 4) % 100 = 0""",
    "signal": """select row_number() over () as id, i as asset_id, 'c2pa' as kind,
        case when hash(i, 5) % 2 = 0 then 'notAllowed' else 'allowed' end as value,
        case when hash(i, 6) % 3 = 0 then 'untrusted' else 'trusted' end as trust,
        {at} as valid_from_ms, {at} as recorded_at_ms from range({n}) t(i) where hash(i, 7) % 30 = 0""",
    "document_release": """select i + 1 as id, i as asset_id,
        case when hash(i, 19) % 10 = 0 then 'property' else 'model' end as kind,
        (hash(i, 8) % 4 > 0)::int as ai_training, 0 as revokes_id,
        case hash(i, 20) % 8 when 0 then 'CA,US' when 1 then 'AT,CH,DE' else 'world' end as territory,
        case when hash(i, 21) % 8 = 0 then {at} + 86400000::bigint * (hash(i, 22) % 2000)::bigint
          else 4611686018427387904 end as until_ms,
        (hash(i, 23) % 20 = 0)::int as minor, (hash(i, 24) % 3 > 0)::int as guardian,
        {when_i} as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i) where hash(i, 3) % 5 = 0
        union all
        select {n} + i + 1, i, 'model', 1, i + 1, 'world', 4611686018427387904, 0, 0, {at}, {at}
        from range({n}) t(i) where hash(i, 3) % 5 = 0 and hash(i, 25) % 50 = 0""",
    "collection": "select i as id, 'col_' || i as public_id from range({c}) t(i)",
    "collection_asset": """select i // 50 as collection_id, i as asset_id, {at} as recorded_at_ms
        from range({n}) t(i) where i % 5 = 0""",
    "contributor_terms": """select i as id, case when i = 0 then 'opt-in' else 'opt-out' end as regime,
        30 as notice_days, {at} - 86400000::bigint * 40 as effective_ms, '["research"]' as names from range(3) t(i)""",
    "terms_acceptance": """select i as id, i as contributor_id, i % 3 as contributor_terms_id,
        {at} - 86400000::bigint * 80 as noticed_ms, {at} - 86400000::bigint * 40 as valid_from_ms,
        {at} as recorded_at_ms from range({c}) t(i)""",
    "consent_event": """select row_number() over () as id, * from (
        select 'contributor' as scope, i as contributor_id, case when hash(i, 9) % 50 = 0 then '*' else 'research' end
          as purpose, '*' as action, case when hash(i, 9, k) % 50 = 0 then 'deny' else 'allow' end as effect,
          {when_i} as valid_from_ms, {at} as recorded_at_ms, 0 as subject from range({c}) t(i), range(3) s(k)
        union all
        select 'asset', i // 50, 'research', case when hash(i, 10) % 2 = 0 then '*' else 'train' end,
          case when hash(i, 11) % 2 = 0 then 'deny' else 'allow' end, {when_i}, {at}, i
          from range({n}) t(i) where hash(i, 12) % 25 = 0
        union all
        select 'collection', i, 'research', '*', 'deny', {when_i}, {at}, i
          from range({c}) t(i) where hash(i, 13) % 20 = 0)""",
    "hold": """select i as id, i as asset_id, {at} as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i) where hash(i, 14) % 1000 = 0""",
    "hold_lift": """select i as id, i as hold_id, {at} as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i) where hash(i, 14) % 4000 = 0""",
    "ruling": """select i as id, i as asset_id, 'people_unknown' as finding, 'allow' as decision,
        {at} + 1 as expires_ms, {at} as valid_from_ms, {at} as recorded_at_ms
        from range({n}) t(i) where hash(i, 15) % 100 = 0""",
}


def make(folder: Path, assets: int) -> Snapshot:
    """A made-up snapshot of that many assets."""
    when = f"case when hash(i, 16) % 16 > 0 then {AT} else {AT} + 1000 * (hash(i, 17) % 2)::bigint end"
    with duckdb.connect() as db:
        for name, query in TABLES.items():
            filled = query.format(n=assets, c=max(1, assets // 50), at=AT, when_i=when)
            db.execute(f"copy ({filled}) to '{folder / name}.parquet' (format parquet, compression zstd)")
    return Snapshot(folder, 0, "", AT)


def child(folder: Path) -> None:
    """Decide the snapshot in `folder`; print seconds and peak bytes."""
    begin, cpu = time.perf_counter(), time.process_time()
    cleared = clearing.decide(
        Snapshot(folder, 0, "", AT), offers.load("research").terms, "research", folder / "out.parquet"
    )
    took = {"wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    threads = duckdb.sql("select current_setting('threads')").fetchall()[0][0]
    told = {"peak_bytes": peak, "threads": threads, "counts": cleared.counts, "findings": cleared.findings}
    print(json.dumps({**took, **told}))


def reference_per_s() -> float:
    """Assets per CPU second of the Python reference, its views given."""
    terms = offers.load("research").terms
    told = ToldTerms("", "opt-out", ("research",), 30, AT - 10**10, 0, 0, 0, 1)
    events = tuple(Event("contributor", 0, "research", "*", "allow", AT - n, AT, n) for n in range(3))
    paper = ReleaseView("", "model", True, (AT, AT, 1))
    view = AssetView("video", 3840, 2160, (OwnerView("", events, (told,)),), "yes", "not needed", "no", (paper,))
    begin = time.process_time()
    for _ in range(REFERENCE):
        clear(view, terms, "research", AT)
    return REFERENCE / (time.process_time() - begin)


def measure(assets: int) -> dict[str, Any]:
    """Make a snapshot of that many assets and decide it in a child process."""
    with tempfile.TemporaryDirectory() as place:
        make(Path(place), assets)
        answer = subprocess.run(
            [sys.executable, __file__, "--child", place], check=True, stdout=subprocess.PIPE, text=True
        )
    took = json.loads(answer.stdout)
    print(
        f"{assets:>12,} {took['wall_s']:>8.2f} {took['cpu_s']:>8.2f} {took['peak_bytes'] / 1e6:>8.0f}"
        f" {assets / took['cpu_s']:>10,.0f}",
        file=sys.stderr,
    )
    return took


def main(assets: int, smaller: int) -> None:
    print(f"{'assets':>12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'per CPU s':>10}", file=sys.stderr)
    small, large = measure(smaller), measure(assets)
    for name, count in {**large["counts"], **large["findings"]}.items():
        print(f"{name:>28} {count:>12,}", file=sys.stderr)
    took, plain = large["cpu_s"] / large["threads"], assets / reference_per_s() / large["threads"]
    linear = small["cpu_s"] * assets / smaller
    ok = [
        claim(
            "clearance",
            round(took, 1),
            f"s for {assets} assets, CPU over {large['threads']} threads",
            round(plain),
            round(plain / took, 1),
            5.0,
            took <= LIMIT_S and plain / took >= 5.0,
        ),
        claim(
            "clearance.memory",
            large["peak_bytes"] // 10**6,
            "MB",
            LIMIT_BYTES // 10**6,
            round(LIMIT_BYTES / large["peak_bytes"], 2),
            1.0,
            large["peak_bytes"] <= LIMIT_BYTES,
        ),
        claim(
            "clearance.growth",
            round(large["cpu_s"], 1),
            f"CPU s for {assets} assets, beside {assets / smaller:g} times those for {smaller}",
            round(linear, 1),
            round(linear / large["cpu_s"], 2),
            1.0,
            large["cpu_s"] <= linear,
        ),
    ]
    sys.exit(0 if all(ok) else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]))
    else:
        asked = [int(one) for one in sys.argv[1:3]]
        main(*asked, *(10_000_000, 1_000_000)[len(asked) :])
