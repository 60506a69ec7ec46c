"""The pages of the docs that walk through commands show what the commands print."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.torch
@pytest.mark.parametrize("page", ["deal", "model-release", "quarter"])
def test_a_page_shows_what_is_printed(page: str) -> None:
    command = [sys.executable, "scripts/walkthrough.py", f"docs/{page}.md"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
