"""Scores from outside: sets of whole numbers per asset, by which an agreement's pools can be split."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    op.create_table(
        "score_set",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("assets", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_set")),
        sa.UniqueConstraint("public_id", name=op.f("uq_score_set_public_id")),
    )
    op.create_index(op.f("ix_score_set_agreement"), "score_set", ["agreement"], unique=False)
    op.create_table(
        "score",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("score_set_id", BIGINT, nullable=False),
        sa.Column("asset_id", BIGINT, nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_score_asset_id")),
        sa.ForeignKeyConstraint(["score_set_id"], ["score_set.id"], name=op.f("fk_score_score_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint("score_set_id", "asset_id", name=op.f("uq_score_score_set_id_asset_id")),
    )
    op.create_index(op.f("ix_score_asset_id"), "score", ["asset_id"], unique=False)
    for table in ("score_set", "score"):
        GROUND.guard(table, op.get_bind().dialect.name)
