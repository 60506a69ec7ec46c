"""Revenue, the ledger, scores, allocations, statements, payouts. Integers of 10^-6 minor unit (micro) in the ledger.

A transaction's legs are written before its header; the header's insert checks that there are two legs or more and
that they sum to zero in each currency, and refuses later legs.
"""

import sqlalchemy as sa

from fairframe.platform.database import json, key, number, one_of, public_id, ref, table, text

# amounts are above zero: the kind says which way the money went. agreement: the one that governs, which is the subject
# where subject_kind is agreement. of_id: what a refund or chargeback takes from, or the invoice that a receipt pays.
# quantity: clips, milliseconds (per_hour) or outputs. The earliest rows have neither kind nor agreement: events.py
revenue_event = table(
    "revenue_event",
    key(),
    public_id(),
    one_of("subject_kind", "agreement", "checkpoint"),
    text("subject", index=True),
    text("reference"),
    text("currency"),
    number("gross_minor"),
    number("tax_minor"),
    number("net_minor"),
    number("effective_ms"),
    number("recorded_at_ms"),
    one_of(
        "kind",
        *("flat", "per_clip", "per_hour", "milestone", "renewal"),
        *("subscription", "output", "export"),
        *("refund", "chargeback", "invoice"),
        nullable=True,
    ),
    text("agreement", nullable=True, index=True),
    ref("revenue_event", name="of_id", nullable=True),
    number("quantity", nullable=True),
    sa.UniqueConstraint("subject_kind", "subject", "reference"),
)

ledger_leg = table(
    "ledger_leg",
    key(),
    sa.Column(
        "txn",
        sa.Text,
        sa.ForeignKey("ledger_txn.public_id", deferrable=True, initially="DEFERRED"),
        nullable=False,
        index=True,
    ),
    text("account", index=True),  # see ledger.py for the accounts
    text("currency"),
    number("amount_micro"),
)

ledger_txn = table(
    "ledger_txn",
    key(),
    public_id(),
    text("kind"),
    text("subject"),
    text("memo"),
    number("effective_ms"),
    number("recorded_at_ms"),
)

usage_report = table(
    "usage_report",
    key(),
    public_id(),
    text("agreement", index=True),
    text("checkpoint"),
    text("document"),
    text("envelope"),
    number("recorded_at_ms"),
)

# what one file said, whole; the newest that is valid by a revenue's effective time holds
score_set = table(
    "score_set",
    key(),
    public_id(),
    text("agreement", index=True),
    text("file_sha256"),
    number("assets"),
    number("total"),
    text("imported_by"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

score = table(
    "score",
    key(),
    ref("score_set", index=False),
    ref("asset"),
    number("score"),
    sa.UniqueConstraint("score_set_id", "asset_id"),
)

allocation = table(
    "allocation",
    key(),
    public_id(),
    ref("revenue_event"),
    text("release"),
    text("method"),
    text("salt"),
    text("currency"),
    number("pool_micro"),
    number("weight_total"),
    number("audit_size"),
    json("detail"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("revenue_event_id"),
)

allocation_line = table(
    "allocation_line",
    key(),
    ref("allocation"),
    ref("contributor"),
    text("contributor_pseudonym"),
    number("weight"),
    number("amount_micro"),
    sa.UniqueConstraint("allocation_id", "contributor_id"),
)

allocation_asset = table(
    "allocation_asset",
    key(),
    ref("allocation"),
    ref("contributor"),
    ref("asset"),
    number("weight"),
    number("amount_micro"),
    sa.UniqueConstraint("allocation_id", "contributor_id", "asset_id"),
)

statement = table(
    "statement",
    key(),
    public_id(),
    ref("contributor"),
    text("currency"),
    number("from_ms"),
    number("to_ms"),
    text("envelope"),
    number("recorded_at_ms"),
)

payout = table(
    "payout",
    key(),
    public_id(),
    ref("contributor"),
    text("currency"),
    number("amount_minor"),
    text("reference", unique=True),
    number("recorded_at_ms"),
)
