"""`rights what-if opt-out` with millions of delivered items in the tables: what it says, and in how many seconds.

    python bench/what_if.py [ITEMS] [sqlite | postgresql]

The workspace is that of bench/fanout.py: releases of 100,000 items under four agreements, 4,000 clips of each
contributor, each in three deliveries. `value` is the whole preview in seconds on the wall, the worst of three
contributors, `against` the same with a tenth of the items; the bar is the limit of five seconds. The part of it that
their share of the agreements' pools takes is printed beside it, with how far the sum of a pool is from the true one.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from _line import claim
from fanout import CLIPS, FAMILIES, RELEASE, RUNS, TIMES, agree, fill, on_postgresql

from fairframe.flows.impact import Impact, impact
from fairframe.library import contributors
from fairframe.platform.workspace import Workspace, create_workspace

LIMIT_S = 5.0
SPAN_MS = 2_000
"""The length of each item that fanout.fill makes."""


def look(ws: Workspace, first: int) -> tuple[float, Impact]:
    """Seconds of the slowest of three previews, and the last one."""
    slowest, seen = 0.0, None
    for person in range(first, first + RUNS):
        begin = time.perf_counter()
        with ws.read() as tx:
            seen = impact(tx, contributors.find(tx, f"Person {person}"))
        slowest = max(slowest, time.perf_counter() - begin)
    assert seen is not None
    return slowest, seen


def error(ws: Workspace, seen: Impact) -> float:
    """How far the sum over a pool is from the true one, at most, as a part of it."""
    spans = 'select count(*) from (select distinct asset_id, start, "end" from item where dataset_release_id % {} = {})'
    worst = 0.0
    with ws.read() as tx:
        for place in range(FAMILIES):
            true = SPAN_MS * int(tx.scalar(sa.text(spans.format(FAMILIES, place) + " x")))
            worst = max(worst, min(abs(pool.of_all - true) / true for pool in seen.pools))
    return worst


def bench(kind: str, items: int, folder: Path) -> bool:
    people = max(2 * RUNS + 1, items // (CLIPS * TIMES))
    library = create_workspace(folder / "library", "library", "Bench")
    os.environ.pop("FAIRFRAME_DATABASE_URL", None)
    lab = create_workspace(folder / "lab", "lab", "Lab")
    agree(library, lab)
    few = max(RELEASE, items // 10 // RELEASE * RELEASE)
    fill(library, lab.party_id, 0, few, people)
    small, _ = look(library, 1)
    fill(library, lab.party_id, few, items, people)
    large, seen = look(library, 1)
    off = error(library, seen)
    print(f"{kind}: among {few:,}: {small:.2f} s; among {items:,}: {large:.2f} s", file=sys.stderr)
    print(f"{len(seen.pools)} pools, {seen.items:,} items; a pool's sum is off by {100 * off:.2f} %", file=sys.stderr)
    library.close()
    lab.close()
    unit = f"s for a preview of {seen.items} copies among {items} on {kind}, {LIMIT_S:g} at most"
    ok = large <= LIMIT_S and off < 0.03
    return claim("what_if", round(large, 2), unit, round(small, 2), round(small / large, 3), LIMIT_S, ok)


def main(items: int, kinds: list[str]) -> None:
    ok = True
    for kind in kinds:
        folder = Path(tempfile.mkdtemp(prefix="what-if-"))
        try:
            if kind == "sqlite":
                ok &= bench(kind, items, folder)
            else:
                ok &= on_postgresql(lambda: bench("postgresql", items, folder), folder)  # noqa: B023
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    given = sys.argv[1:]
    count = next((int(one) for one in given if one.isdigit()), 20_000_000)
    main(count // RELEASE * RELEASE, [one for one in given if not one.isdigit()] or ["sqlite", "postgresql"])
