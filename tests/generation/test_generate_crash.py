"""A film whose making is killed: no signed paper stands under its name that the workspace has no row of."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from fairframe.core.canonical import parse
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import Conflict
from fairframe.generation import outputs
from fairframe.platform.audit_check import check_audit

# the interpreter reports each rename before it happens: the process dies where the film would get its name
CHILD = """
import os, signal, sys
from pathlib import Path
from fairframe.generation.generate import generate
from fairframe.platform.workspace import open_workspace
root, out, now = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
def die(event, arguments):
    if event == "os.rename" and str(arguments[1]) == str(out):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
generate(open_workspace(root, lambda: now), "a square", model="harbor", out=out, seconds="0.5", size=32)
"""


@pytest.mark.torch
@pytest.mark.crash
def test_a_film_that_is_killed_before_it_stands_has_its_row(studio: Any, clock: Any) -> None:
    out = studio.loop.tmp / "film.mp4"
    command = [sys.executable, "-c", CHILD, str(studio.lab.root), str(out), str(clock.now)]
    child = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert child.returncode == -signal.SIGKILL, child.stderr
    # its name was taken, so that no other process could; nothing that anybody could check stands under it
    assert out.read_bytes() == b""
    body = parse(read_envelope(out.with_name("film.mp4.fairframe.json").read_bytes()).payload)
    assert isinstance(body, dict) and isinstance(body["body"], dict)
    with studio.lab.read() as tx:
        (row,) = outputs.listing(tx)
        assert [check for check in check_audit(tx) if check.ok is False] == []
    assert (row["public_id"], row["bytes_hash"]) == (body["body"]["output"], body["body"]["bytes_hash"])
    # whoever runs it again is told of what stands there, and then gets a film with its papers
    with pytest.raises(Conflict, match=r"film\.mp4 exists already"):
        studio.film()
    made = studio.film(overwrite=True)
    with studio.lab.read() as tx:
        assert [one["public_id"] for one in outputs.listing(tx)] == [row["public_id"], made.output]
