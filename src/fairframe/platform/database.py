"""Engines for SQLite and PostgreSQL, the one MetaData, and what the database itself enforces.

Keys are BIGINT inside; prefixed public ids at the edge. Times are integer milliseconds since 1970 in UTC. An
append-only table refuses UPDATE, DELETE, TRUNCATE and (SQLite) INSERT OR REPLACE by triggers.
"""

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError

from fairframe.core.errors import InputError

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only autoincrements INTEGER; it is 64 bits wide there.
BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY: list[str] = []


def key() -> "sa.Column[int]":
    return sa.Column("id", BIGINT, primary_key=True, autoincrement=True)


def public_id() -> "sa.Column[str]":
    return sa.Column("public_id", sa.Text, nullable=False, unique=True)


def ref(target: str, *, name: str | None = None, nullable: bool = False, index: bool = True) -> "sa.Column[int]":
    """A BIGINT foreign key to `target`.id, called target_id unless named."""
    return sa.Column(name or f"{target}_id", BIGINT, sa.ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def text(name: str, *, nullable: bool = False, unique: bool = False, index: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable, unique=unique, index=index)


def number(name: str, *, nullable: bool = False, index: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable, index=index)


def flag(name: str, *, nullable: bool = False) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=nullable)


def json(name: str, *, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.JSON, nullable=nullable)


def one_of(name: str, *values: str, nullable: bool = False) -> tuple["sa.Column[str]", sa.CheckConstraint]:
    allowed = ", ".join(f"'{v}'" for v in values)
    return sa.Column(name, sa.Text, nullable=nullable), sa.CheckConstraint(f"{name} in ({allowed})", name=name)


def table(name: str, *parts: Any, append_only: bool = True) -> sa.Table:
    """A table on the shared MetaData. `one_of` pairs are unpacked. Append-only unless said otherwise."""
    flat: list[Any] = []
    for part in parts:
        flat.extend(part if isinstance(part, tuple) else (part,))
    if append_only:
        APPEND_ONLY.append(name)
    return sa.Table(name, metadata, *flat)


def made_id(conn: sa.Connection, prefix: str) -> "sa.ColumnElement[str]":
    """A fresh public id for each row of a query, made by the database: at least 94 random bits, in digits that
    core.ids reads too (the sixteen of base 16 are among its thirty-two). The first 32 bits are drawn once for the
    query, so that its rows lie side by side in the index: each would else change a page of its own."""
    if conn.dialect.name == "postgresql":
        drawn = sa.func.replace(sa.cast(sa.func.gen_random_uuid(), sa.Text), "-", "")
    else:
        drawn = sa.func.lower(sa.func.hex(sa.func.randomblob(16)))
    return sa.literal(f"{prefix}_0{token_hex(4)}", sa.Text) + sa.func.substr(drawn, 1, 17, type_=sa.Text)


def among(conn: sa.Connection, column: "sa.ColumnElement[int]", keys: Sequence[int]) -> "sa.ColumnElement[bool]":
    """Whether an integer column is one of `keys`, however many: they go as one parameter, not as one each."""
    if conn.dialect.name == "postgresql":
        return column == sa.any_(sa.cast(list(keys), sa.ARRAY(sa.BigInteger)))
    given = sa.func.json_each(dumps(list(keys))).table_valued("value")
    return column.in_(sa.select(sa.cast(given.c.value, sa.Integer)))


def make_engine(url: str) -> sa.Engine:
    """An engine for `url`; SQLite in WAL mode, where every transaction states how it begins.

    Raises InputError on what is no URL of SQLite or PostgreSQL; it never quotes it, for it may hold a password.
    """
    try:
        driver = sa.make_url(url).drivername
    except (ArgumentError, ValueError):
        driver = ""
    if driver not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise InputError(
            "this is no address of a database that can be used",
            code="input.database_url",
            where="FAIRFRAME_DATABASE_URL",
            remedy="Say postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or unset it for SQLite",
        )
    if driver.startswith("sqlite"):
        engine = sa.create_engine(url, connect_args={"timeout": 60, "isolation_level": None})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    return sa.create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True)


def sqlite_url(path: Path) -> str:
    """As text, in which a path may hold any character, a question mark too."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # 64 MB at most: with SQLite's 2, an act on thousands of rows writes its pages out and reads them again
    # secure_delete: what is erased (a payee's account) is overwritten, however SQLite was built
    guards = ("foreign_keys=on", "synchronous=full", "recursive_triggers=on", "secure_delete=on")
    for pragma in ("journal_mode=wal", *guards, "cache_size=-65536"):
        connection.execute(f"pragma {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    # a deferred BEGIN that turns into a write later fails at once under contention: 522 of 1,200 writes succeeded
    mode = "deferred" if connection.get_execution_options().get("read_only") else "immediate"
    connection.exec_driver_sql(f"begin {mode}")
