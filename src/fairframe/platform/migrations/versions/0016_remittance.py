"""Remittances: tax, withheld tax and the library's share that left the library's cash."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    op.create_table(
        "remittance",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("account in ('tax', 'withholding', 'library')", name=op.f("ck_remittance_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittance")),
        sa.UniqueConstraint("public_id", name=op.f("uq_remittance_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_remittance_reference")),
    )
    GROUND.guard("remittance", op.get_bind().dialect.name)
