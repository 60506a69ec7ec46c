"""Runs the `fairframe` command in this process, on real workspaces."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fairframe.cli.main import main


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Fairframe = Callable[..., Result]


@pytest.fixture
def fairframe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fairframe:
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["fairframe", *(str(a) for a in arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        shown = capsys.readouterr()
        return Result(int(stop.value.code or 0), shown.out, shown.err)

    return call
