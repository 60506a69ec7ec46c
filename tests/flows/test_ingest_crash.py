"""An ingest that is killed at any moment and run again ends as if nothing had happened."""

import os
import random
import signal as signals
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from fairframe.library.tables import asset, asset_fact, contributor, ownership, signal
from fairframe.platform.audit_check import check_audit
from fairframe.platform.tables import audit_entry
from fairframe.rights import holds

FILMS = 12
# one line per step of progress, and no further without a line back: the kill falls while there is work, on any machine
CHILD = """
import sys
from pathlib import Path
from fairframe.flows.ingest import ingest
from fairframe.platform.workspace import open_workspace
ws = open_workspace(Path(sys.argv[1]))
def show(done, total, note):
    print(done, flush=True)
    sys.stdin.readline()
print(ingest(ws, Path(sys.argv[2]), metadata=Path(sys.argv[3]), show=show).refused, flush=True)
"""


def start(ws, folder: Path, csv: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ}
    if ws.engine.dialect.name == "postgresql":
        environment["FAIRFRAME_DATABASE_URL"] = ws.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, str(ws.root), str(folder), str(csv)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1)


def kill_after(child: "subprocess.Popen[str]", lines: int, seconds: float) -> bool:
    """SIGKILL some time after the child was let on from its n-th line; False if it had ended before."""
    assert child.stdout is not None and child.stdin is not None
    for _ in range(lines):
        if child.stdout.readline():
            child.stdin.write("on\n")
    time.sleep(seconds)
    alive = child.poll() is None
    child.send_signal(signals.SIGKILL)
    child.communicate()
    return alive


@pytest.mark.crash
def test_a_killed_ingest_resumes_with_nothing_lost_or_doubled(library, tmp_path, film, metadata_csv):
    folder = tmp_path / "footage"
    for n in range(FILMS):
        film(folder / f"{n:02}.mp4", seed=n)
    (folder / "theirs.mp4").write_bytes((folder / "00.mp4").read_bytes())
    rows = [{"filename": f"{n:02}.mp4", "contributor": f"c{n % 3}"} for n in range(FILMS)]
    csv = metadata_csv(tmp_path / "m.csv", *rows, {"filename": "theirs.mp4", "contributor": "c9"})
    chance = random.Random(7)
    killed = 0
    for _ in range(4):
        killed += kill_after(start(library, folder, csv), chance.randint(1, 3), chance.uniform(0, 0.6))
    assert killed >= 2
    last = start(library, folder, csv)
    out, _ = last.communicate(timeout=300)
    assert last.returncode == 0 and out.splitlines()[-1] == "[]"

    with library.read() as tx:

        def count(table: sa.Table, *distinct: str) -> int:
            columns = [table.c[name] for name in distinct] or [table.c.id]
            return tx.scalar(sa.select(sa.func.count()).select_from(sa.select(*columns).distinct().subquery()))

        rows = FILMS + 1
        assert count(asset) == count(asset, "contributor_id", "content_hash") == rows
        assert count(ownership) == count(ownership, "asset_id") == rows
        assert count(asset_fact) == count(asset_fact, "asset_id", "name") == 4 * rows
        assert count(signal) == 0
        assert count(contributor) == 4
        assert len(holds.listing(tx)) == 2
        added = audit_entry.select().where(audit_entry.c.kind == "asset.added")
        assert len(tx.rows(added)) == rows
        assert [check for check in check_audit(tx) if check.ok is False] == []
        for row in tx.rows(asset.select()):
            assert library.objects.verify(row["content_hash"]) and library.objects.verify(row["poster_key"])
