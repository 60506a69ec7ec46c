"""Ancestors have a role; external models, and what their licenses permit by a person's word."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    op.add_column("ancestor", sa.Column("role", sa.Text(), nullable=True))
    op.create_table(
        "external_model",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("license_url", sa.Text(), nullable=False),
        sa.Column("commercial", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("commercial in ('yes', 'no', 'unknown')", name=op.f("ck_external_model_commercial")),
        sa.CheckConstraint("release in ('yes', 'no', 'unknown')", name=op.f("ck_external_model_release")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_model")),
        sa.UniqueConstraint("public_id", name=op.f("uq_external_model_public_id")),
    )
    op.create_index(op.f("ix_external_model_name"), "external_model", ["name"], unique=False)
    op.create_index(op.f("ix_external_model_hash"), "external_model", ["hash"], unique=False)
    GROUND.guard("external_model", op.get_bind().dialect.name)
