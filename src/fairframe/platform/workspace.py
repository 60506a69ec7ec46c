"""A workspace: one party's database, objects, keys and clock. No use case is a method of it."""

import tomllib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound
from fairframe.core.ids import check_id, new_id
from fairframe.core.time import Clock, now_ms
from fairframe.platform import migrate
from fairframe.platform.database import make_engine, sqlite_url
from fairframe.platform.identity import Keys, create_identity
from fairframe.platform.objects import Objects, write_atomic
from fairframe.platform.settings import Settings
from fairframe.platform.tables import party as party_table
from fairframe.platform.tx import Tx, WriteTx, reading, writing

Role = Literal["library", "lab"]
CONFIG = "fairframe.toml"


@dataclass(frozen=True)
class Workspace:
    """Opened by `open_workspace`; close() returns its database connections."""

    root: Path
    role: Role
    party_id: str
    name: str
    engine: sa.Engine
    objects: Objects
    keys: Keys
    clock: Clock
    settings: Settings

    def write(self) -> AbstractContextManager[WriteTx]:
        """A write transaction. Only cli, web, flows, runs and tests call this."""
        return writing(self)

    def read(self) -> AbstractContextManager[Tx]:
        """A read transaction over one snapshot."""
        return reading(self)

    def close(self) -> None:
        self.engine.dispose()


def create_workspace(root: Path, role: str, name: str, clock: Clock = now_ms) -> Workspace:
    """Make a workspace: folder, schema, keys, public party document (DIR/party.json).

    Raises Conflict where DIR already holds one, InputError on a bad role or name.
    """
    if role not in ("library", "lab"):
        raise InputError(f"role {role!r} is unknown", remedy="Say --role library or --role lab.")
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise InputError("the name is empty, too long or not printable", remedy="Give a name of 1-200 characters.")
    if (root / CONFIG).exists():
        raise Conflict(f"{root} already holds a workspace", remedy="Choose another folder.")
    root.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    party = new_id("pty")
    keys = Keys(root / "keys")
    engine = make_engine(_url(root, settings))
    migrate.upgrade(engine)
    ws = Workspace(root, role, party, name, engine, Objects(root / "objects"), keys, clock, settings)
    keys.create(party, name, clock())
    with ws.write() as tx:
        document = create_identity(tx)
    write_atomic(root / "party.json", document)
    # written last: a folder without it is no workspace, so a crash leaves nothing half-made
    write_atomic(root / CONFIG, f'role = "{role}"\nparty = "{party}"\nname = {_toml_string(name)}\n'.encode())
    return ws


def open_workspace(root: Path, clock: Clock = now_ms) -> Workspace:
    """Open an existing workspace; its schema is brought up to date.

    Raises NotFound, InputError, IntegrityFailure where its database is gone, Conflict where it is another workspace's.
    """
    path = root / CONFIG
    if not path.is_file():
        raise NotFound(
            f"{root.resolve()} is not a workspace",
            code="workspace.missing",
            remedy="Make one with: fairframe init DIR --role library|lab --name NAME; or say --workspace DIR.",
        )
    try:
        config = tomllib.loads(path.read_text())
        role, party, name = config["role"], check_id(config["party"], "pty"), str(config["name"])
    except (ValueError, RecursionError, KeyError, TypeError) as error:  # ValueError: no TOML, or an endless number
        raise InputError(f"{path} cannot be read: {error}", code="workspace.bad_config") from error
    if role not in ("library", "lab"):
        raise InputError(f"{path} names the role {role!r}", code="workspace.bad_config")
    settings = Settings()
    engine = make_engine(_url(root, settings))
    try:
        _require_database(engine, root, party)
    except BaseException:
        engine.dispose()
        raise
    return Workspace(
        root,
        role,
        party,
        name,
        engine,
        Objects(root / "objects"),
        Keys(root / "keys"),
        clock,
        settings,
    )


def _require_database(engine: sa.Engine, root: Path, party: str) -> None:
    """The database that this workspace was made with. An empty one would pass for a workspace without acts."""
    gone = IntegrityFailure(
        f"the database of this workspace is gone or empty: {engine.url.render_as_string()}",
        code="workspace.no_database",
        where=str(root),
        remedy="Restore it from a backup, or name the right one in FAIRFRAME_DATABASE_URL.",
    )
    file = engine.url.database
    # connecting would make it
    if engine.dialect.name == "sqlite" and not (file and Path(file).is_file()):
        raise gone
    if migrate.current(engine) is None:
        raise gone
    migrate.upgrade(engine)
    with engine.connect().execution_options(read_only=True) as conn:
        held = conn.execute(sa.select(party_table.c.public_id).where(party_table.c.is_self)).scalars().all()
    if not held:
        raise gone
    if held != [party]:
        raise Conflict(
            f"the database belongs to the party {held[0]}, not to this workspace's {party}",
            code="workspace.other_database",
            where=str(root),
            remedy="FAIRFRAME_DATABASE_URL must name this workspace's own database.",
        )


def _url(root: Path, settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(root / "fairframe.db")


def _toml_string(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
