"""Incidents: what a backdated no opens, and how each was settled."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GROUND = import_module("fairframe.platform.migrations.versions.0001_ground")
OUTCOMES = "outcome in ('settled', 'nothing_happened', 'disputed')"


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("contributor_id", BIGINT, nullable=False),
        sa.Column("words", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contributor_id"], ["contributor.id"], name=op.f("fk_incident_contributor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("public_id", name=op.f("uq_incident_public_id")),
    )
    op.create_index(op.f("ix_incident_contributor_id"), "incident", ["contributor_id"], unique=False)
    op.create_table(
        "incident_outcome",
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("incident_id", BIGINT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(OUTCOMES, name=op.f("ck_incident_outcome_outcome")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_outcome_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_outcome")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_incident_outcome_incident_id")),
    )
    op.create_index(op.f("ix_incident_outcome_incident_id"), "incident_outcome", ["incident_id"], unique=False)
    for table in ("incident", "incident_outcome"):
        GROUND.guard(table, op.get_bind().dialect.name)
