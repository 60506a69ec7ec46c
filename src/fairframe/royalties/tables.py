"""Revenue, the ledger, scores, allocations, statements, payouts. Integers of 10^-6 minor unit (micro) in the ledger.

A transaction's legs are written before its header; the header's insert checks that there are two legs or more and
that they sum to zero in each currency, and refuses later legs. It refuses an accounting date in a closed period, too.
"""

import sqlalchemy as sa

from fairframe.platform.database import flag, json, key, number, one_of, public_id, ref, table, text

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
    text("account", index=True),  # ledger.ACCOUNTS
    text("currency"),
    number("amount_micro"),
)

ledger_txn = table(
    "ledger_txn",
    key(),
    public_id(),
    text("kind"),
    text("subject", index=True),
    text("memo"),
    number("effective_ms", index=True),  # the accounting date
    number("recorded_at_ms"),  # when it was booked; never before the one before it
)

period = table(  # a closed one: a row is its closing
    "period",
    key(),
    public_id(),
    number("from_ms"),
    number("to_ms"),
    text("digest"),
    text("envelope"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("to_ms"),
    sa.CheckConstraint("from_ms < to_ms", name="order"),
)

# money that left the library's cash: tax and withheld tax paid over, the library's share moved out
remittance = table(
    "remittance",
    key(),
    public_id(),
    one_of("account", "tax", "withholding", "library"),
    text("currency"),
    number("amount_minor"),
    text("reference", unique=True),
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

# where a contributor's money goes, dated: of each thing that a row can say, the newest row that says it counts. What is
# personal is in payee_detail; `commitment` is the salted hash of it, so that a row there that was changed is found, and
# one can be erased
payee = table(
    "payee",
    key(),
    ref("contributor"),
    one_of("account_kind", "iban", "other", "none"),
    text("country"),  # ISO 3166-1 of residence for tax; "" where nobody has said
    text("tax_form"),  # such as W-8BEN; "" for none
    number("tax_form_until_ms", nullable=True),
    flag("blocked"),
    text("commitment"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
    text("said", nullable=True),  # words of payees.SAID with commas; null in the earliest rows: they say everything
)

# opens a payee's commitment; deleting a row erases the personal data, not the payee's history
payee_detail = table(
    "payee_detail",
    key(),
    ref("payee"),
    text("salt"),
    text("holder"),
    text("account"),
    text("bic"),
    sa.UniqueConstraint("payee_id"),
    append_only=False,
)

payout_policy = table(
    "payout_policy",
    key(),
    text("currency", index=True),
    number("threshold_minor"),
    number("hold_days"),
    flag("tax_form"),  # whether a payee needs one
    text("account"),  # the library's IBAN from which is paid; "" for none
    text("bic"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

withholding_rate = table(
    "withholding_rate",
    key(),
    text("country", index=True),
    number("num"),
    number("den"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

payout_batch = table(
    "payout_batch",
    key(),
    public_id(),
    text("reference", unique=True),
    text("currency"),
    number("execution_ms"),  # the day on which the bank is asked to pay
    flag("by_hand"),  # paid outside of a file, and settled at once
    ref("payout_policy", nullable=True, index=False),
    number("recorded_at_ms"),
)

payout = table(
    "payout",
    key(),
    public_id(),
    ref("contributor"),
    text("currency"),
    number("amount_minor"),  # gross: what leaves the contributor's account
    text("reference", unique=True),
    ref("payout_batch", nullable=True),  # null: paid at once, before there were batches; so are the columns below
    ref("payee", nullable=True, index=False),  # where it goes
    ref("withholding_rate", nullable=True, index=False),
    number("withheld_minor", nullable=True),
    number("recorded_at_ms"),
)

# the states that a payout went through; the newest counts. One without any is settled
payout_event = table(
    "payout_event",
    key(),
    ref("payout"),
    one_of("state", "reserved", "submitted", "settled", "returned", "canceled"),
    text("reason"),  # of a return or a cancellation, such as the bank's code AC04
    text("txn"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("payout_id", "state"),
)
