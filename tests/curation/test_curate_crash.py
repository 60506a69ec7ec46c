"""A curation that is killed at any moment and run again ends as if nothing had happened."""

import os
import random
import signal as signals
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fairframe.core.timecode import Rate
from fairframe.curation.curate import curate
from fairframe.curation.tables import duplicate, measure_ref, shot
from fairframe.flows.ingest import ingest
from fairframe.media.encode import write_mp4
from fairframe.platform.audit_check import check_audit
from fairframe.platform.tables import audit_entry

FILMS = 8
CHILD = """
import sys
from pathlib import Path
from fairframe.curation.curate import curate
from fairframe.platform.workspace import open_workspace
print(curate(open_workspace(Path(sys.argv[1])), lambda done, total, note: print(done, flush=True)), flush=True)
"""


def _kill_after(ws: Any, lines: int, seconds: float) -> None:
    environment = {**os.environ}
    if ws.engine.dialect.name == "postgresql":
        environment["FAIRFRAME_DATABASE_URL"] = ws.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, str(ws.root)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(lines):
        child.stdout.readline()
    time.sleep(seconds)
    child.send_signal(signals.SIGKILL)
    child.communicate()


@pytest.mark.crash
def test_a_killed_curation_resumes_with_nothing_lost_or_doubled(library: Any, tmp_path: Path, scene: Any) -> None:
    folder = tmp_path / "footage"
    folder.mkdir()
    for n in range(FILMS):
        write_mp4(folder / f"{n}.mp4", scene(n % 6, 24, size=(192, 128) if n < 6 else (144, 96)), Rate(24))
    assert ingest(library, folder, contributor="Ana Rivera").accepted == FILMS
    chance = random.Random(5)
    for number in range(4):
        _kill_after(library, number, chance.uniform(0, 0.4))
    report = curate(library)
    assert (report.refused, report.groups, report.grouped) == ([], 2, 4)
    with library.read() as tx:
        for table, want in ((measure_ref, FILMS), (shot, FILMS), (duplicate, 4)):
            assert tx.scalar(sa.select(sa.func.count()).select_from(table)) == want
        kinds = [row["kind"] for row in tx.rows(audit_entry.select())]
        refs = tx.rows(measure_ref.select())
        assert [check for check in check_audit(tx) if check.ok is False] == []
    assert kinds.count("asset.curated") == FILMS
    assert kinds.count("duplicates.grouped") == 1
    assert all(library.objects.verify(ref["object_key"]) for ref in refs)
