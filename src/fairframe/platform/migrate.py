"""Brings a database to the current schema through Alembic; migrations only add."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from fairframe.core.errors import InputError

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x6D696772


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


def upgrade(engine: sa.Engine) -> None:
    """Upgrade to the newest revision in one transaction; a database newer than this program is refused."""
    config = configuration()
    scripts = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(read_only=True) as conn:
        current = MigrationContext.configure(conn).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
        raise InputError(
            f"the database is at schema {current}, which this version does not know",
            code="workspace.newer_schema",
            remedy="Install the version of fairframe that made it, or a newer one.",
        )
    with engine.connect() as conn, conn.begin():
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
