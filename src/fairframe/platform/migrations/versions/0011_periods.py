"""Accounting periods: once one is closed, the database takes no transaction whose accounting date lies in it.

On PostgreSQL whoever writes legs, headers or periods waits for the others, so what a trigger reads stays true until
the commit. On SQLite there is one writer at a time anyway.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "period"
GUARDED = ("ledger_leg", "ledger_txn", TABLE)
LOCK = 0x6C656467  # royalties/ledger.py takes the same
CLOSED = "the accounting period is closed"
JOINS = f"{TABLE} is append-only: each begins where the last one ends"

SQLITE = [
    f"create trigger {TABLE}_no_update before update on {TABLE} begin select raise(abort, '{TABLE} is append-only'); end",
    f"create trigger {TABLE}_no_delete before delete on {TABLE} begin select raise(abort, '{TABLE} is append-only'); end",
    f"""create trigger {TABLE}_no_replace before insert on {TABLE}
    when exists (select 1 from {TABLE} where id = new.id) or exists (select 1 from {TABLE} where to_ms = new.to_ms)
    or exists (select 1 from {TABLE} where public_id = new.public_id)
    begin select raise(abort, '{TABLE} is append-only'); end""",
    f"""create trigger {TABLE}_joins before insert on {TABLE}
    when new.from_ms <> (select coalesce(max(to_ms), 0) from {TABLE})
    begin select raise(abort, '{JOINS}'); end""",
    f"""create trigger ledger_txn_open before insert on ledger_txn
    when new.effective_ms < (select coalesce(max(to_ms), new.effective_ms) from {TABLE})
    begin select raise(abort, '{CLOSED}'); end""",
]
POSTGRESQL = [
    f"create trigger {TABLE}_append_only before update or delete on {TABLE} "
    "for each row execute function fairframe_append_only()",
    f"create trigger {TABLE}_no_truncate before truncate on {TABLE} "
    "for each statement execute function fairframe_append_only()",
    f"""create function fairframe_ledger_lock() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock({LOCK});
      return null;
    end $$""",
    *(
        f"create trigger {table}_lock before insert on {table} "
        "for each statement execute function fairframe_ledger_lock()"
        for table in GUARDED
    ),
    f"""create function fairframe_period_joins() returns trigger language plpgsql as $$
    begin
      if new.from_ms <> (select coalesce(max(to_ms), 0) from {TABLE}) then
        raise exception '{JOINS}';
      end if;
      return new;
    end $$""",
    f"create trigger {TABLE}_joins before insert on {TABLE} for each row execute function fairframe_period_joins()",
    f"""create function fairframe_txn_open() returns trigger language plpgsql as $$
    begin
      if new.effective_ms < (select coalesce(max(to_ms), new.effective_ms) from {TABLE}) then
        raise exception '{CLOSED}';
      end if;
      return new;
    end $$""",
    "create trigger ledger_txn_open before insert on ledger_txn for each row execute function fairframe_txn_open()",
]


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIGINT, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("from_ms < to_ms", name=op.f("ck_period_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sa.UniqueConstraint("public_id", name=op.f("uq_period_public_id")),
        sa.UniqueConstraint("to_ms", name=op.f("uq_period_to_ms")),
    )
    op.create_index(op.f("ix_ledger_txn_subject"), "ledger_txn", ["subject"], unique=False)
    op.create_index(op.f("ix_ledger_txn_effective_ms"), "ledger_txn", ["effective_ms"], unique=False)
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
