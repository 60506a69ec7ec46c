"""An inclusion proof from an audit tree of a million entries in SQLite, beside recomputing the tree without it.

    python bench/proof.py [ENTRIES]

`value` is the slowest of 200 proofs (read from the database, and verified), in ms of CPU time; `against` is what it
takes to hash all leaves up to the root, as whoever has no proof would. Both in the same run. Heads with consistency
proofs are measured beside it.

Measured with `python bench/proof.py` on a busy machine (two cores, load 10): 3.1 ms for the slowest of the proofs from
1,000,000 entries (median 0.8 ms), 1,008 times quicker than hashing all leaves.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from _line import claim

from fairframe.core import merkle
from fairframe.platform import audit
from fairframe.platform.tables import audit_node
from fairframe.platform.workspace import create_workspace

PROOFS = 200
LIMIT_MS = 10.0
PAGE = 50_000


def leaf(number: int) -> bytes:
    return merkle.leaf_hash(b"%d" % number)


def nodes(entries: int) -> Iterator[tuple[int, int, str]]:
    """All complete subtrees of a tree, as the workspace stores them, in memory that grows with the logarithm."""
    edge: dict[tuple[int, int], bytes] = {}
    for number in range(entries):
        for level, index, value in merkle.append(number, leaf(number), lambda level, index: edge[level, index]):
            edge[level, index] = value
            if index & 1:
                # its parent follows, and nobody asks for either of the two again
                del edge[level, index - 1], edge[level, index]
            yield level, index, value.hex()


def fill(conn: sa.Connection, entries: int) -> None:
    made = nodes(entries)
    while page := list(islice(made, PAGE)):
        conn.exec_driver_sql("insert into audit_node (level, idx, hash) values (?, ?, ?)", page)


def slowest(prove: Callable[[int], None], numbers: list[int]) -> tuple[float, float]:
    """(median, slowest) in ms."""
    taken: list[float] = []
    for number in numbers:
        begin = time.process_time()
        prove(number)
        taken.append((time.process_time() - begin) * 1000)
    return sorted(taken)[len(taken) // 2], max(taken)


def main(entries: int) -> None:
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        ws = create_workspace(Path(folder) / "library", "library", "Bench")
        with ws.engine.begin() as conn:
            for (name,) in conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).all():
                conn.execute(sa.text(f"drop trigger {name}"))
            conn.execute(audit_node.delete())
            fill(conn, entries)
        with ws.engine.connect() as conn:
            root = bytes.fromhex(audit.head_at(conn, entries).root)

            def include(number: int) -> None:
                path = audit.inclusion_proof(conn, number, entries)
                assert merkle.verify_inclusion(number, entries, leaf(number), path, root)

            def extend(size: int) -> None:
                old = bytes.fromhex(audit.head_at(conn, size).root)
                path = audit.consistency_proof(conn, size, entries)
                assert merkle.verify_consistency(size, entries, old, root, path)

            include(0)
            included = slowest(include, [rng.randrange(entries) for _ in range(PROOFS)])
            extended = slowest(extend, [rng.randrange(1, entries) for _ in range(PROOFS)])
        ws.close()
    begin = time.process_time()
    whole = merkle.root_of(leaf(number) for number in range(entries))
    against = (time.process_time() - begin) * 1000
    print(f"{entries:,} entries                 median ms  slowest ms", file=sys.stderr)
    for name, (median, most) in (("inclusion", included), ("head and consistency", extended)):
        print(f"{name:<30}{median:10.2f}{most:12.2f}", file=sys.stderr)
    ok = whole == root and included[1] <= LIMIT_MS
    value = round(included[1], 2)
    unit, bar = f"CPU ms for a proof of {entries} entries, {LIMIT_MS:g} at most", round(against / LIMIT_MS, 1)
    claim("proof", value, unit, round(against, 1), round(against / included[1], 1), bar, ok)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
