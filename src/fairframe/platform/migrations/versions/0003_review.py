"""Rulings name their signed document; appeals against holds and their outcomes; signals from sidecar files."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind in ('c2pa', 'xmp', 'tdmrep', 'aipref', 'note')"
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")
COLUMNS = "id, public_id, asset_id, kind, key, value, trust, detail, raw_key, valid_from_ms, recorded_at_ms"


def upgrade() -> None:
    op.add_column("ruling", sa.Column("document", sa.Text(), nullable=True))
    op.create_table(
        "appeal",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("hold_id", BIGINT, nullable=False),
        sa.Column("contributor_id", BIGINT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_appeal_hold_id")),
        sa.ForeignKeyConstraint(["contributor_id"], ["contributor.id"], name=op.f("fk_appeal_contributor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_appeal_public_id")),
    )
    op.create_index(op.f("ix_appeal_hold_id"), "appeal", ["hold_id"], unique=False)
    op.create_index(op.f("ix_appeal_contributor_id"), "appeal", ["contributor_id"], unique=False)
    op.create_table(
        "appeal_outcome",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("appeal_id", BIGINT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome in ('lifted', 'kept')", name=op.f("ck_appeal_outcome_outcome")),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeal.id"], name=op.f("fk_appeal_outcome_appeal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_outcome")),
        sa.UniqueConstraint("appeal_id", name=op.f("uq_appeal_outcome_appeal_id")),
    )
    op.create_index(op.f("ix_appeal_outcome_appeal_id"), "appeal_outcome", ["appeal_id"], unique=False)
    widen_signal_kinds()
    for table in ("appeal", "appeal_outcome"):
        guard(table)


def widen_signal_kinds() -> None:
    """Let a signal be of the kinds that sidecars bring. Every row stays as it is, under its id."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_signal_kind"), "signal", type_="check")
        op.create_check_constraint(op.f("ck_signal_kind"), "signal", KINDS)
        return
    # SQLite changes no constraint in place: the table is written anew, and its guards go and come with it
    op.create_table(
        "signal_wider",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("asset_id", BIGINT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("raw_key", sa.Text(), nullable=True),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_signal_kind")),
        sa.CheckConstraint(
            "trust in ('trusted', 'untrusted', 'tampered', 'unreadable', 'none')", name=op.f("ck_signal_trust")
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_signal_asset_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_signal_public_id")),
    )
    op.execute(f"insert into signal_wider ({COLUMNS}) select {COLUMNS} from signal")
    op.drop_table("signal")
    op.rename_table("signal_wider", "signal")
    op.create_index(op.f("ix_signal_asset_id"), "signal", ["asset_id"], unique=False)
    guard("signal")


def guard(table: str) -> None:
    """Have the database refuse UPDATE, DELETE, TRUNCATE and REPLACE, as in the first migration."""
    GROUND.guard(table, op.get_bind().dialect.name)
