"""Payouts in batches with their states; payees, payout policies and withholding rates, each dated."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")


def upgrade() -> None:
    create_settings()
    op.create_table(
        "payout_batch",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("execution_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("payout_policy_id", BIGINT, nullable=True),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout_policy_id"], ["payout_policy.id"], name=op.f("fk_payout_batch_payout_policy_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_batch_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_payout_batch_reference")),
    )
    for name, target in (
        ("payout_batch_id", "payout_batch"),
        ("payee_id", "payee"),
        ("withholding_rate_id", "withholding_rate"),
    ):
        key = sa.ForeignKey(f"{target}.id", name=op.f(f"fk_payout_{name}"))
        op.add_column("payout", sa.Column(name, BIGINT, key, nullable=True), inline_references=True)
    op.add_column("payout", sa.Column("withheld_minor", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_payout_payout_batch_id"), "payout", ["payout_batch_id"], unique=False)
    op.create_table(
        "payout_event",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("payout_id", BIGINT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("txn", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state in ('reserved', 'submitted', 'settled', 'returned', 'canceled')", name=op.f("ck_payout_event_state")
        ),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_payout_event_payout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_event")),
        sa.UniqueConstraint("payout_id", "state", name=op.f("uq_payout_event_payout_id_state")),
    )
    op.create_index(op.f("ix_payout_event_payout_id"), "payout_event", ["payout_id"], unique=False)
    for table in ("payee", "payout_policy", "withholding_rate", "payout_batch", "payout_event"):
        GROUND.guard(table, op.get_bind().dialect.name)


def create_settings() -> None:
    op.create_table(
        "payee",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("contributor_id", BIGINT, nullable=False),
        sa.Column("account_kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("tax_form", sa.Text(), nullable=False),
        sa.Column("tax_form_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("account_kind in ('iban', 'other', 'none')", name=op.f("ck_payee_account_kind")),
        sa.ForeignKeyConstraint(["contributor_id"], ["contributor.id"], name=op.f("fk_payee_contributor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee")),
    )
    op.create_index(op.f("ix_payee_contributor_id"), "payee", ["contributor_id"], unique=False)
    op.create_table(
        "payee_detail",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("payee_id", BIGINT, nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["payee_id"], ["payee.id"], name=op.f("fk_payee_detail_payee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee_detail")),
        sa.UniqueConstraint("payee_id", name=op.f("uq_payee_detail_payee_id")),
    )
    op.create_index(op.f("ix_payee_detail_payee_id"), "payee_detail", ["payee_id"], unique=False)
    op.create_table(
        "payout_policy",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("threshold_minor", sa.BigInteger(), nullable=False),
        sa.Column("hold_days", sa.BigInteger(), nullable=False),
        sa.Column("tax_form", sa.Boolean(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_policy")),
    )
    op.create_index(op.f("ix_payout_policy_currency"), "payout_policy", ["currency"], unique=False)
    op.create_table(
        "withholding_rate",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("num", sa.BigInteger(), nullable=False),
        sa.Column("den", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withholding_rate")),
    )
    op.create_index(op.f("ix_withholding_rate_country"), "withholding_rate", ["country"], unique=False)
