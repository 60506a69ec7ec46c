"""What tests begin with: a library, a lab, what passed between them. The real steps make it once in each process.

A step is made by real acts on what the step before it left, at the moment at which the test's clock stands, before
the test has done anything. What it left is kept as folders and databases, and every test that asks for the fixture of
that name gets copies of all of it, which are its own to change. A test for which something is set otherwise (a
setting, the umask) takes the real steps itself.
"""

import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from fairframe.platform.settings import Settings
from fairframe.platform.workspace import Workspace

if TYPE_CHECKING:
    from .conftest import Maker


@dataclass(frozen=True)
class Step:
    make: "Callable[[Place], Any]"
    after: str


STEPS: dict[str, Step] = {}
"""By the name of the fixture that stands for a step."""

SETTINGS = {f"FAIRFRAME_{name.upper()}" for name in Settings.model_fields if name != "workers"}
"""Variables by which steps leave something else; other FAIRFRAME_ variables only say what tests are run on."""


def _umask() -> int:
    os.umask(held := os.umask(0))
    return held


_UMASK = _umask()


def step(name: str, after: str = "") -> "Callable[[Callable[[Place], Any]], Callable[[Place], Any]]":
    """A step under the name of its fixture, taken after another one; what the function returns is kept."""

    def add(make: "Callable[[Place], Any]") -> "Callable[[Place], Any]":
        assert name not in STEPS, f"there is a step {name} already"
        STEPS[name] = Step(make, after)
        return make

    return add


def furthest(fixtures: Collection[str]) -> str:
    """The step with the most before it among a test's fixtures; empty where it asks for none."""
    return max((name for name in STEPS if name in fixtures), key=lambda name: len(_way(name)), default="")


def _way(name: str) -> list[str]:
    """The steps up to one."""
    return [*_way(STEPS[name].after), name] if name else []


def usual() -> bool:
    """Whether nothing is set that could make the steps leave something else."""
    return _umask() == _UMASK and not SETTINGS & os.environ.keys()


@dataclass
class Place:
    """A folder with the workspaces that were made or opened in it, and what the steps so far left."""

    maker: "Maker"
    request: pytest.FixtureRequest
    spaces: dict[str, Workspace] = field(default_factory=dict[str, Workspace])
    left: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def folder(self) -> Path:
        return self.maker.tmp_path

    def make(self, role: str, name: str) -> Workspace:
        self.spaces[role] = self.maker(role, name)
        return self.spaces[role]

    def reach(self, name: str) -> Any:
        """Take the real steps up to `name`, but for those that were taken; gives what that one left."""
        for one in _way(name):
            if one not in self.left:
                self.left[one] = STEPS[one].make(self)
        return self.left[name]


@dataclass(frozen=True)
class State:
    """What a step left: a folder whose workspaces are closed, their databases on PostgreSQL, and its values."""

    folder: Path
    databases: dict[str, str]
    left: dict[str, Any]


class Kept:
    """The states of this process by database, moment and step, each made when a test first needs it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders
        self.states: dict[tuple[str, int, str], State] = {}

    def copy(self, name: str, place: Place) -> None:
        """Begin an empty place with a copy of what the step left."""
        key = (place.maker.kind, place.maker.clock(), name)
        if key not in self.states:
            self.states[key] = self._made(name, place)
        state = self.states[key]
        shutil.copytree(state.folder, place.folder, dirs_exist_ok=True)
        for role, database in state.databases.items():
            place.spaces[role] = place.maker.opened(role, database)
            _moved(place.spaces[role], state.folder, place.folder)
        for one, value in state.left.items():
            place.left[one] = _there(value, place)

    def _made(self, name: str, asked: Place) -> State:
        maker = asked.maker.elsewhere(self.folders.mktemp(f"begun-{name}"))
        place = Place(maker, asked.request)
        if before := STEPS[name].after:
            self.copy(before, place)
        moment = maker.clock()
        place.reach(name)
        assert maker.clock() == moment, "a test's clock would stand at another moment than its state"
        maker.close()
        databases = {role: ws.engine.url.database or "" for role, ws in place.spaces.items()}
        return State(place.folder, databases, place.left)


def _there(value: Any, place: Place) -> Any:
    """What a step left, as it stands in a copy."""
    if isinstance(value, Workspace):
        return place.spaces[value.role]
    return value.moved(place) if hasattr(value, "moved") else value


def _moved(ws: Workspace, before: Path, after: Path) -> None:
    """The rows of runs name the folders that they were given."""
    with ws.engine.begin() as conn:
        kind = "json" if conn.dialect.name == "postgresql" else "text"
        said = f"cast(replace(cast(arguments as text), :before, :after) as {kind})"
        if conn.execute(sa.text("select count(*) from run")).scalar():
            conn.execute(sa.text(f"update run set arguments = {said}"), {"before": str(before), "after": str(after)})
