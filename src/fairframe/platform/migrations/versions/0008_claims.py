"""Claims that a film copies a clip and their outcomes; records of breaches of the duty to delete; quotes that are kept."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("contributor_id", BIGINT, nullable=False),
        sa.Column("asset_id", BIGINT, nullable=True),
        sa.Column("film_name", sa.Text(), nullable=False),
        sa.Column("film_hash", sa.Text(), nullable=False),
        sa.Column("film_bytes", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_claim_asset_id")),
        sa.ForeignKeyConstraint(["contributor_id"], ["contributor.id"], name=op.f("fk_claim_contributor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("public_id", name=op.f("uq_claim_public_id")),
    )
    for column in ("contributor_id", "asset_id", "film_hash"):
        op.create_index(op.f(f"ix_claim_{column}"), "claim", [column], unique=False)
    op.create_table(
        "claim_outcome",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("claim_id", BIGINT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome in ('upheld', 'dismissed')", name=op.f("ck_claim_outcome_outcome")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_claim_outcome_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_outcome")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_claim_outcome_claim_id")),
    )
    op.create_index(op.f("ix_claim_outcome_claim_id"), "claim_outcome", ["claim_id"], unique=False)
    op.create_table(
        "breach",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction in ('in', 'out')", name=op.f("ck_breach_direction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint("public_id", name=op.f("uq_breach_public_id")),
    )
    op.create_index(op.f("ix_breach_family"), "breach", ["family"], unique=False)
    op.create_table(
        "breach_item",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("breach_id", BIGINT, nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["breach_id"], ["breach.id"], name=op.f("fk_breach_item_breach_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach_item")),
        sa.UniqueConstraint("breach_id", "delivery", "item", name=op.f("uq_breach_item_breach_id_delivery_item")),
    )
    for column in ("breach_id", "item"):
        op.create_index(op.f(f"ix_breach_item_{column}"), "breach_item", [column], unique=False)
    op.create_table(
        "quote",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("lab_party", sa.Text(), nullable=False),
        sa.Column("ask", sa.JSON(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("open_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote")),
        sa.UniqueConstraint("public_id", name=op.f("uq_quote_public_id")),
    )
    op.create_table(
        "quote_agreement",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("quote_id", BIGINT, nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name=op.f("fk_quote_agreement_quote_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_agreement")),
        sa.UniqueConstraint("quote_id", name=op.f("uq_quote_agreement_quote_id")),
    )
    op.create_index(op.f("ix_quote_agreement_quote_id"), "quote_agreement", ["quote_id"], unique=False)
    for table in ("claim", "claim_outcome", "breach", "breach_item", "quote", "quote_agreement"):
        guard(table)


def guard(table: str) -> None:
    """Have the database refuse UPDATE, DELETE, TRUNCATE and REPLACE, as in the first migration."""
    GROUND.guard(table, op.get_bind().dialect.name)
