"""The migrations make exactly the schema that the code declares, and the database guards it."""

import importlib
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from fairframe.core.errors import InputError
from fairframe.platform.database import APPEND_ONLY, make_engine, metadata, sqlite_url
from fairframe.platform.migrate import HEAD, configuration, upgrade
from fairframe.platform.workspace import Workspace

STAGES = ["platform", "library", "rights", "curation", "dataset", "training", "generation", "royalties"]


def test_migrations_and_tables_agree(library: Workspace) -> None:
    for stage in STAGES:
        importlib.import_module(f"fairframe.{stage}.tables")
    with library.engine.connect() as conn:
        differences = compare_metadata(MigrationContext.configure(conn), metadata)
    assert differences == []


def test_the_head_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


def test_every_append_only_table_has_its_triggers(library: Workspace) -> None:
    for stage in STAGES:
        importlib.import_module(f"fairframe.{stage}.tables")
    if library.engine.dialect.name == "sqlite":
        query = "select tbl_name, count(*) from sqlite_master where type = 'trigger' and name like '%\\_no\\_%' " + (
            "escape '\\' group by 1"
        )
        wanted = 3
    else:
        query = "select c.relname, count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid " + (
            "where not t.tgisinternal and (t.tgname like '%append_only' or t.tgname like '%no_truncate') group by 1"
        )
        wanted = 2
    with library.engine.connect() as conn:
        guarded = dict(tuple(row) for row in conn.execute(sa.text(query)).all())
    assert {name: guarded.get(name) for name in APPEND_ONLY} == dict.fromkeys(APPEND_ONLY, wanted)


def test_upgrading_twice_changes_nothing_and_a_newer_schema_is_refused(library: Workspace) -> None:
    upgrade(library.engine)
    with library.engine.begin() as conn:
        conn.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(InputError, match="9999"):
        upgrade(library.engine)


def test_an_older_database_keeps_its_signals(tmp_path: Path) -> None:
    """The table is written anew on SQLite, which changes no constraint in place: rows, keys and guards stay."""
    from alembic import command

    engine = make_engine(sqlite_url(tmp_path / "old.db"))
    config = configuration()
    with engine.connect() as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        asset = {"title": "", "kind": "video", "unit": "ms", "probe": "{}", "keywords": "[]", "extra": "{}"}
        columns = [one for one in sa.inspect(conn).get_columns("asset") if one["name"] not in asset]
        asset |= {one["name"]: 1 if "INT" in str(one["type"]) else "x" for one in columns}  # type: ignore[dict-item]
        conn.execute(sa.text("insert into contributor values (1, 'ctr_x', 'Ana', 1)"))
        names = ", ".join(asset)
        conn.execute(sa.text(f"insert into asset ({names}) values ({', '.join(':' + name for name in asset)})"), asset)
        row = "7, 'sig_x', 1, 'c2pa', 'k', 'allowed', 'trusted', '{\"b\":  1}', null, 5, 6"
        conn.execute(sa.text(f"insert into signal values ({row})"))
        before = conn.execute(sa.text("select * from signal")).all()
    upgrade(engine)
    with engine.connect() as conn, conn.begin():
        assert conn.execute(sa.text("select * from signal")).all() == before
        conn.execute(sa.text(f"insert into signal values ({row.replace('7', '8').replace('sig_x', 'sig_y')})"))
    for broken in (
        "update signal set value = 'x'",
        "delete from signal",
        f"insert or replace into signal values ({row})",
        f"insert into signal values ({row.replace('7', '9').replace('sig_x', 'sig_z').replace('c2pa', 'word')})",
        f"insert into signal values ({row.replace('7', '9').replace('sig_x', 'sig_z').replace('1, ', '3, ')})",
    ):
        with pytest.raises(sa.exc.IntegrityError), engine.connect() as conn, conn.begin():
            conn.execute(sa.text(broken))
    engine.dispose()


def test_an_older_database_keeps_its_obligations(tmp_path: Path) -> None:
    """SQLite writes them anew without one of their keys, and their events: rows, ids, the reference and guards stay."""
    from alembic import command

    engine = make_engine(sqlite_url(tmp_path / "old.db"))
    config = configuration()
    with engine.connect() as conn, conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, "0009")
        conn.execute(sa.text("insert into obligation values (7, 'obl_x', 'out', 'pty', 'dlv', 'itm', 'delete', 5, 6)"))
        conn.execute(sa.text("insert into obligation_event values (3, 7, 'attested', 'att_x', 8)"))
        before = [conn.execute(sa.text(f"select * from {name}")).all() for name in ("obligation", "obligation_event")]
    upgrade(engine)
    with engine.connect() as conn, conn.begin():
        assert [
            conn.execute(sa.text(f"select * from {name}")).all() for name in ("obligation", "obligation_event")
        ] == before
        conn.execute(sa.text("insert into obligation values (8, 'obl_y', 'out', 'pty', 'dlv', 'it2', 'delete', 5, 6)"))
        conn.execute(sa.text("insert into obligation_event values (4, 8, 'attested', 'att_x', 8)"))
    for broken in (
        "update obligation set due_ms = 9",
        "delete from obligation",
        "insert or replace into obligation values (9, 'obl_x', 'out', 'pty', 'dlv', 'it3', 'delete', 5, 6)",
        "insert into obligation values (9, 'obl_z', 'off', 'pty', 'dlv', 'it3', 'delete', 5, 6)",
        "delete from obligation_event",
        "insert into obligation_event values (5, 99, 'attested', 'att_x', 8)",
        "insert into obligation_event values (5, 8, 'word', 'att_x', 8)",
    ):
        with pytest.raises(sa.exc.IntegrityError), engine.connect() as conn, conn.begin():
            conn.execute(sa.text(broken))
    engine.dispose()
