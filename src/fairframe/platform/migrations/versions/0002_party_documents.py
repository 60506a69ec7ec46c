"""Later documents of a party: its keys change, and older ones stay readable."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "party_document"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("party_id", BIGINT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("how in ('made', 'introduced', 'compared')", name=op.f("ck_party_document_how")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_party_document_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_document")),
    )
    op.create_index(op.f("ix_party_document_party_id"), TABLE, ["party_id"], unique=False)
    op.create_index(op.f("ix_party_document_fingerprint"), TABLE, ["fingerprint"], unique=False)
    guard(op.get_bind().dialect.name)


def guard(dialect: str) -> None:
    """UPDATE, DELETE, TRUNCATE and REPLACE are refused by the database."""
    if dialect == "postgresql":
        op.execute(
            f"create trigger {TABLE}_append_only before update or delete on {TABLE} "
            f"for each row execute function fairframe_append_only()"
        )
        op.execute(
            f"create trigger {TABLE}_no_truncate before truncate on {TABLE} "
            f"for each statement execute function fairframe_append_only()"
        )
        return
    refuse = f"begin select raise(abort, '{TABLE} is append-only'); end"
    taken = f"exists (select 1 from {TABLE} where id = new.id)"
    op.execute(f"create trigger {TABLE}_no_update before update on {TABLE} {refuse}")
    op.execute(f"create trigger {TABLE}_no_delete before delete on {TABLE} {refuse}")
    op.execute(f"create trigger {TABLE}_no_replace before insert on {TABLE} when {taken} {refuse}")
