"""Revenue of more kinds: what a fee was for, the agreement that governs it, and what a refund or a payment refers to.

The columns stay empty in earlier rows, which the audit tree's digests cover as they are: flat fees under the agreement
that is their subject.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

KINDS = (
    *("flat", "per_clip", "per_hour", "milestone", "renewal"),
    *("subscription", "output", "export"),
    *("refund", "chargeback", "invoice"),
)


def upgrade() -> None:
    # as SQL, for SQLite adds a column with its constraint in place but a constraint alone only by a new table
    words = ", ".join(f"'{one}'" for one in KINDS)
    key = "integer" if op.get_bind().dialect.name == "sqlite" else "bigint"
    for column in (
        f"kind text constraint ck_revenue_event_kind check (kind in ({words}))",
        "agreement text",
        f"of_id {key} constraint fk_revenue_event_of_id references revenue_event (id)",
        "quantity bigint",
    ):
        op.execute(f"alter table revenue_event add column {column}")
    for column in ("agreement", "of_id"):
        op.create_index(op.f(f"ix_revenue_event_{column}"), "revenue_event", [column], unique=False)
