"""Extraction of the tables that clearance asks into Parquet, of one moment, beside the database's own cursor.

    python bench/extract.py [ASSETS]        (1,000,000; each brings about six rows)

A workspace on SQLite is filled with made-up assets, facts, owners, collections, releases, consents; then
snapshot.extract writes all of it, in a process of its own. `value` is rows per second when each of its readers has a
core (CPU seconds over readers; the wall clock, which other work on the machine lengthens, is in the table), `against`
those of Python's own cursor that fetches the same columns of the same rows into lists, in the same run.

Measured with `python bench/extract.py` on a busy machine (two cores, load 6): 2.3 M rows/s of 6,260,001 rows, 3.5 times
the cursor, 161 MB.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from _line import claim

from fairframe.platform.workspace import Workspace, create_workspace, open_workspace
from fairframe.rights import snapshot

LEAST_PER_S, BAR = 2_000_000, 2.0
AT = 1_780_000_000_000
NUMBERS = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {n}) "
FILL = (
    "insert into contributor select i, 'ctr_' || i, 'Person ' || i, {at} from n where i <= {n} / 50 + 1",
    "insert into collection select i, 'col_' || i, i, 'set', {at} from n where i <= {n} / 50 + 1",
    """insert into asset (id, public_id, contributor_id, filename, kind, quantity, unit, title, description, keywords,
        source, source_license, extra, content_hash, size_bytes, container, codec, width, height, fps_num, fps_den, vfr,
        frames, duration_ms, bit_depth, audio, probe, recorded_at_ms)
      select i, 'ast_' || i, i / 50 + 1, i || '.mp4', 'video', 9000, 'ms', 'A harbor at dusk, number ' || i, '', '[]',
        '', '', '{{}}', 'hash' || i, 1000000, 'mov', 'h264', 3840, 2160, 25, 1, 0, 225, 9000, 8, 0,
        '{{"format": "mov,mp4,m4a,3gp,3g2,mj2", "rotation": 0}}', {at} from n""",
    """insert into asset_fact (asset_id, name, value, origin, valid_from_ms, recorded_at_ms)
      select i, f.name, case when i % 12 = 0 then 'unknown' when f.name = 'property_release' then 'not needed'
        else 'no' end, 'metadata', {at} - i, {at} from n, (select 'people' as name union all select 'property_release'
        union all select 'model_release' union all select 'editorial') f""",
    """insert into ownership (asset_id, contributor_id, share_num, share_den, valid_from_ms, recorded_at_ms)
      select i, i / 50 + 1, 1, 1, {at}, {at} from n""",
    "insert into collection_asset (collection_id, asset_id, recorded_at_ms) select i / 50 + 1, i, {at} from n",
    """insert into document_release (public_id, asset_id, kind, document_hash, ai_training, valid_from_ms,
        recorded_at_ms, territory, minor, guardian)
      select 'drl_' || i, i, 'model', 'hash', 1, {at}, {at}, 'world', 0, 0 from n where i % 5 = 0""",
    """insert into consent_event (public_id, scope, contributor_id, asset_id, purpose, action, effect, reason,
        valid_from_ms, recorded_at_ms)
      select 'cns_' || i, 'asset', i / 50 + 1, i, 'research', '*', 'allow', '', {at}, {at} from n where i % 25 = 0""",
)


def fill(ws: Workspace, assets: int) -> None:
    """Made-up rows by the database itself. Its guards are off meanwhile: they look at each row."""
    numbers = NUMBERS.format(n=assets)
    with ws.engine.connect() as conn, conn.begin():
        triggers = conn.execute(sa.text("select name from sqlite_master where type = 'trigger'")).scalars().all()
        for name in triggers:
            conn.exec_driver_sql(f'drop trigger "{name}"')
        for statement in FILL:
            conn.exec_driver_sql(statement.format(at=AT, n=assets).replace(" select ", f" {numbers} select ", 1))


def child(folder: Path) -> None:
    """Extract the workspace in `folder`; print seconds, peak bytes and rows."""
    import pyarrow.parquet as pq

    ws = open_workspace(folder / "library")
    begin, cpu = time.perf_counter(), time.process_time()
    taken = snapshot.extract(ws, folder / "snapshot")
    took = {"wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    rows = sum(pq.read_metadata(path).num_rows for path in taken.folder.glob("*.parquet"))
    print(json.dumps({**took, "rows": rows, "peak_bytes": peak}))


def cursor(ws: Workspace) -> tuple[int, float]:
    """Rows and CPU seconds of sqlite3's cursor for the same selections, fetched a batch at a time."""
    path, dialect = str(ws.engine.url.database), ws.engine.dialect
    queries = [
        str(one.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        for one in snapshot.selections().values()
    ]
    rows, begin = 0, time.process_time()
    with sqlite3.connect(path) as connection:
        for query in queries:
            found = connection.execute(query)
            while batch := found.fetchmany(snapshot.BATCH_ROWS):
                rows += len(batch)
    return rows, time.process_time() - begin


def main(assets: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        ws = create_workspace(Path(place) / "library", "library", "Bench")
        fill(ws, assets)
        answer = subprocess.run(
            [sys.executable, __file__, "--child", place], check=True, stdout=subprocess.PIPE, text=True
        )
        rows, plain_s = cursor(ws)
        ws.close()
    took = json.loads(answer.stdout)
    assert took["rows"] == rows
    print(f"{'rows':>12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'cursor CPU s':>13}", file=sys.stderr)
    print(
        f"{rows:>12,} {took['wall_s']:>8.2f} {took['cpu_s']:>8.2f} {took['peak_bytes'] / 1e6:>8.0f} {plain_s:>13.2f}",
        file=sys.stderr,
    )
    rate, plain = rows / took["cpu_s"] * snapshot.READERS, rows / plain_s
    ok = rate >= LEAST_PER_S and rate / plain >= BAR
    claim(
        "extract",
        round(rate),
        f"rows per s, {rows} rows, CPU over {snapshot.READERS} readers",
        round(plain),
        round(rate / plain, 2),
        BAR,
        ok,
    )
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
