"""Indexes of feed entries and obligations that an opt-out writes few pages of: rows of a delivery lie side by side.

An index on (delivery, item) has a page of its own to change for nearly each row, since ids are random. One such index is
left, on the items of feed entries. That an obligation stands once for an item follows from its feed entry, whose number
is unique in its family and written in the same transaction.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")
OBLIGATION = "id, public_id, direction, party, delivery, item, kind, due_ms, recorded_at_ms"
EVENT = "id, obligation_id, kind, document, recorded_at_ms"


def upgrade() -> None:
    for name in ("ix_feed_entry_item", "ix_feed_entry_family", "ix_feed_entry_of_delivery"):
        op.drop_index(name, "feed_entry")
    op.create_index("ix_feed_entry_by_item", "feed_entry", ["item", "direction"], unique=False)
    op.create_index(op.f("ix_feed_entry_delivery"), "feed_entry", ["delivery"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("uq_obligation_delivery_item_direction"), "obligation", type_="unique")
    else:
        write_anew()
    op.create_index(op.f("ix_obligation_delivery"), "obligation", ["delivery"], unique=False)


def write_anew() -> None:
    """SQLite changes no constraint in place: the table is written anew, and the one that refers to it. Every row stays
    as it is, under its id."""
    op.create_table(
        "obligation_new",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction in ('in', 'out')", name=op.f("ck_obligation_direction")),
        sa.CheckConstraint("kind in ('delete')", name=op.f("ck_obligation_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_obligation_public_id")),
    )
    op.create_table(
        "obligation_event_new",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("obligation_id", BIGINT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind in ('attested')", name=op.f("ck_obligation_event_kind")),
        sa.ForeignKeyConstraint(
            ["obligation_id"], ["obligation_new.id"], name=op.f("fk_obligation_event_obligation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation_event")),
    )
    for table, columns in (("obligation", OBLIGATION), ("obligation_event", EVENT)):
        op.execute(f"insert into {table}_new ({columns}) select {columns} from {table} order by id")
    # what refers goes first; the renaming takes the new table's reference along
    for table in ("obligation_event", "obligation"):
        op.drop_table(table)
    for table in ("obligation", "obligation_event"):
        op.rename_table(f"{table}_new", table)
    op.create_index(op.f("ix_obligation_event_obligation_id"), "obligation_event", ["obligation_id"], unique=False)
    for table in ("obligation", "obligation_event"):
        GROUND.guard(table, "sqlite")
