"""The object store: whole files or none, and what a process that died left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fairframe.platform import runs
from fairframe.platform.objects import Objects, write_atomic
from fairframe.platform.workspace import Workspace

# the process dies where the object would get its name
CHILD = """
import os, signal, sys
from pathlib import Path
from fairframe.platform.objects import Objects
objects = Objects(Path(sys.argv[1]))
sys.addaudithook(lambda event, _: os.kill(os.getpid(), signal.SIGKILL) if event == "os.rename" else None)
objects.put_bytes(b"data") if sys.argv[2] == "bytes" else objects.put_file(Path(sys.argv[2]))
"""


def unfinished(root: Path) -> list[Path]:
    return sorted(root.rglob(".put-*"))


def test_an_object_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    (tmp_path / "file").write_bytes(b"data")
    key = objects.put_bytes(b"data")
    assert objects.put_file(tmp_path / "file") == key
    assert objects.read(key) == b"data" and objects.verify(key)
    assert [path for path in objects.root.rglob("*") if path.is_file()] == [objects.path(key)]
    write_atomic(tmp_path / "new" / "page.html", b"page")
    assert unfinished(tmp_path) == []


def test_a_run_sweeps_what_died_a_day_ago(library: Workspace, tmp_path: Path) -> None:
    objects = library.objects
    (tmp_path / "file").write_bytes(b"other data")
    kept = objects.put_bytes(b"kept")
    for what in ("bytes", str(tmp_path / "file")):
        child = subprocess.run([sys.executable, "-c", CHILD, str(objects.root), what])
        assert child.returncode == -signal.SIGKILL
    old, fresh = unfinished(objects.root)
    day_ago = time.time() - 25 * 3600
    os.utime(old, (day_ago, day_ago))
    with runs.running(library, "test", {}):
        assert unfinished(objects.root) == [fresh], "another process may still be writing it"
    assert objects.verify(kept)
    os.utime(fresh, (day_ago, day_ago))
    assert objects.sweep() == 1
    assert unfinished(objects.root) == []
