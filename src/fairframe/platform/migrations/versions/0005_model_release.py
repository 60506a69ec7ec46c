"""Which weights left the lab for good."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    op.create_table(
        "weight_release",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("checkpoint_id", BIGINT, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("purpose in ('evaluate', 'research', 'commercial')", name=op.f("ck_weight_release_purpose")),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoint.id"], name=op.f("fk_weight_release_checkpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weight_release")),
        sa.UniqueConstraint("document", name=op.f("uq_weight_release_document")),
    )
    op.create_index(op.f("ix_weight_release_checkpoint_id"), "weight_release", ["checkpoint_id"], unique=False)
    GROUND.guard("weight_release", op.get_bind().dialect.name)
