"""A workspace: one party's database, objects, keys and clock. No use case is a method of it."""

import shutil
import tomllib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound
from fairframe.core.ids import check_id, new_id
from fairframe.core.party import check_name
from fairframe.core.time import Clock, now_ms
from fairframe.platform import migrate, passphrases, trust
from fairframe.platform.database import make_engine, sqlite_url
from fairframe.platform.identity import create_identity
from fairframe.platform.keyring import Ask, Keys, tidy
from fairframe.platform.objects import PRIVATE, PRIVATE_FOLDER, Objects, write_atomic
from fairframe.platform.sealing import check_passphrase
from fairframe.platform.settings import Settings
from fairframe.platform.tables import party as party_table
from fairframe.platform.tx import Tx, WriteTx, reading, writing

Role = Literal["library", "lab"]
CONFIG, DATABASE, KEYS, PARTY = "fairframe.toml", "fairframe.db", "keys", "party.json"
BEGUN = ".fairframe-init"
"""Stands in the folder while a workspace is being made there."""


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
        """A write transaction. Commands, flows and jobs open one; a decision takes it and never commits."""
        return writing(self)

    def read(self) -> AbstractContextManager[Tx]:
        """A read transaction over one snapshot."""
        return reading(self)

    def close(self) -> None:
        self.engine.dispose()


def create_workspace(
    root: Path, role: str, name: str, clock: Clock = now_ms, *, passphrase: str | None = None
) -> Workspace:
    """Make a workspace: folder, schema, keys, public party document (DIR/party.json).

    Whatever the umask, the folder is for its owner alone (one that was there keeps its mode), and so are the SQLite
    database, the keys and the objects in it.

    passphrase: what the private keys are encrypted under; else that of the settings, else they are not.
    Called again after a crash it begins anew; on PostgreSQL it may then need another empty database. Raises Conflict
    where DIR or the database already holds one, InputError on a bad role, name or passphrase.
    """
    if role not in ("library", "lab"):
        raise InputError(f"role {role!r} is unknown", remedy="Say --role library or --role lab.")
    check_name(name)
    if (root / CONFIG).exists():
        raise Conflict(f"{root} already holds a workspace", remedy="Choose another folder.")
    settings = Settings()
    secret = passphrase or passphrases.given(settings)
    if secret is not None:
        check_passphrase(secret)
    _begin(root)
    party = new_id("pty")
    keys = Keys(root / KEYS, lambda: secret)
    engine = make_engine(_url(root, settings))
    if settings.database_url is None:
        # SQLite would let the umask decide; the files beside it get the mode that it has
        (root / DATABASE).touch(mode=PRIVATE)
    migrate.upgrade(engine)
    ws = Workspace(root, role, party, name, engine, Objects(root / "objects"), keys, clock, settings)
    keys.create(name, clock(), secret)
    with ws.write() as tx:
        document = create_identity(tx)
    write_atomic(root / PARTY, document)
    write_atomic(root / BEGUN, f'role = "{role}"\nparty = "{party}"\nname = {_toml_string(name)}\n'.encode())
    # the last step: a folder without this file is no workspace, and one with it was never half-made
    (root / BEGUN).replace(root / CONFIG)
    return ws


def _begin(root: Path) -> None:
    """Mark the folder as one where a workspace is being made, and drop what a crash left of an earlier attempt.

    Without that mark nothing is dropped: keys or a database alone may be all that is left of a lost workspace.
    """
    root.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if (root / BEGUN).exists():
        shutil.rmtree(root / KEYS, ignore_errors=True)
        for file in root.glob(f"{DATABASE}*"):
            file.unlink()
    elif (root / KEYS).exists() or (root / DATABASE).exists():
        raise Conflict(
            f"{root} holds keys or a database, but no {CONFIG}",
            code="workspace.in_the_way",
            remedy=f"Restore {CONFIG} from a backup, or choose another folder.",
        )
    (root / BEGUN).touch()


def open_workspace(root: Path, clock: Clock = now_ms, ask: Ask | None = None) -> Workspace:
    """Open an existing workspace; its schema is brought up to date, and so is DIR/party.json.

    ask: where the passphrase of encrypted keys comes from, once they are needed, if the settings give none.

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
        config = tomllib.loads(path.read_text("utf-8"))
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
    keys = Keys(root / KEYS, lambda: passphrases.given(settings) or (ask() if ask is not None else None))
    tidy(keys.folder)
    ws = Workspace(root, role, party, name, engine, Objects(root / "objects"), keys, clock, settings)
    publish(ws)
    return ws


def publish(ws: Workspace) -> None:
    """Write this workspace's newest party document to DIR/party.json, where another, or none, lies there."""
    path = ws.root / PARTY
    with ws.read() as tx:
        document = trust.envelopes(tx, ws.party_id)[ws.party_id]
    if not path.is_file() or path.read_bytes() != document:
        write_atomic(path, document)


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
    return sqlite_url(root / DATABASE)


def _toml_string(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
