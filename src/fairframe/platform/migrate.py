"""Brings a database to the current schema through Alembic; migrations only add."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fairframe.core.errors import InputError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0016"
"""The newest revision in migrations/versions; a database that is there needs no Alembic, which is slow to import."""

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x6D696772


def configuration() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


def upgrade(engine: sa.Engine) -> None:
    """Upgrade to the newest revision in one transaction. Raises InputError (workspace.newer_schema) on a database
    that a newer version made."""
    held = current(engine)
    if held == HEAD:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if held is not None and held not in known:
        raise InputError(
            f"the database is at schema {held}, which this version does not know",
            code="workspace.newer_schema",
            remedy="Install the version of fairframe that made it, or a newer one.",
        )
    with engine.connect() as conn, conn.begin():
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def current(engine: sa.Engine) -> str | None:
    """The revision that a database is at; None in an empty one."""
    with engine.connect().execution_options(read_only=True) as conn:
        if not sa.inspect(conn).has_table("alembic_version"):
            return None
        return conn.execute(sa.text("select version_num from alembic_version")).scalar()
