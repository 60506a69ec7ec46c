"""Releases and their items, deliveries (sent and received), leases, feed entries, obligations, breaches.

A library writes dataset_release and item; a lab writes received_item for the same delivery.
"""

import sqlalchemy as sa

from fairframe.platform.database import json, key, number, one_of, public_id, ref, table, text

dataset_release = table(
    "dataset_release",
    key(),
    public_id(),
    text("name", unique=True),
    ref("agreement"),
    json("recipe"),
    text("recipe_hash"),
    number("audit_size"),  # audit head of the snapshot that was decided on
    text("audit_root"),
    text("root"),
    text("items_digest"),
    number("items"),
    number("duration_ms"),
    number("bytes"),
    number("recorded_at_ms"),
)

WHAT_IS_TAKEN_BACK = ("dataset_release_id", "idx", "public_id", "asset_id", "duration_ms")

item = table(
    "item",
    key(),
    public_id(),
    ref("dataset_release"),
    number("idx"),
    ref("asset"),
    ref("shot"),
    ref("contributor"),
    text("asset_pseudonym", index=True),
    text("contributor_pseudonym", index=True),
    number("start"),
    number("end"),
    text("unit"),
    number("duration_ms"),
    text("content_hash"),
    text("bytes_hash", index=True),
    text("line"),  # the canonical line of items.jsonl, a leaf of the root
    number("recorded_at_ms"),
    sa.UniqueConstraint("dataset_release_id", "idx"),
    # all that taking a contributor's items back reads of them: their rows lie far apart in a table of millions
    sa.Index("ix_item_of_contributor", "contributor_id", *WHAT_IS_TAKEN_BACK),
)

delivery = table(
    "delivery",
    key(),
    public_id(),
    one_of("direction", "in", "out"),
    text("name"),
    text("release", index=True),  # public id
    text("agreement", index=True),  # public id
    text("family", index=True),
    text("party"),  # the other side
    text("root"),
    number("items"),
    number("duration_ms"),
    text("envelope"),
    number("recorded_at_ms"),
)

received_item = table(
    "received_item",
    key(),
    text("item"),
    ref("delivery"),
    number("idx"),
    text("asset_pseudonym", index=True),
    text("contributor_pseudonym"),
    number("frames"),
    number("duration_ms"),
    text("bytes_hash", index=True),
    text("caption"),
    text("grp"),
    one_of("split", "train", "heldout"),
    text("line"),
    sa.UniqueConstraint("delivery_id", "idx"),
    sa.Index("ix_received_item_by_item", "delivery_id", "item"),
)

lease = table(
    "lease",
    key(),
    public_id(),
    one_of("direction", "in", "out"),
    text("delivery", index=True),  # public id
    number("starts_ms"),
    number("ends_ms"),
    text("envelope"),
    number("recorded_at_ms"),
)

# one row per item that may no longer be used; the signed feed lists them all, numbered within the agreement family
feed_entry = table(
    "feed_entry",
    key(),
    one_of("direction", "in", "out"),
    text("family"),
    number("seq"),
    text("delivery", index=True),
    text("item"),
    text("reason"),
    number("effective_ms"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("direction", "family", "seq"),
    # ids are random, so each row changes a page of its own in this one: no other index has the item
    sa.Index("ix_feed_entry_by_item", "item", "direction"),
)

# one for each item of a delivery that feed entries name: what asks for one by its item asks feed_entry
obligation = table(
    "obligation",
    key(),
    public_id(),
    one_of("direction", "in", "out"),
    text("party"),
    text("delivery", index=True),
    text("item"),
    one_of("kind", "delete"),
    number("due_ms"),
    number("recorded_at_ms"),
)

obligation_event = table(
    "obligation_event",
    key(),
    ref("obligation"),
    one_of("kind", "attested"),
    text("document", nullable=True),
    number("recorded_at_ms"),
)

# deletions that were owed and not attested in time, as the library signed it; cured is what its items' events say
breach = table(
    "breach",
    key(),
    public_id(),
    one_of("direction", "in", "out"),
    text("family", index=True),
    text("party"),  # the other side
    text("document"),  # public id of the bundle
    number("recorded_at_ms"),
)

breach_item = table(
    "breach_item",
    key(),
    ref("breach"),
    text("delivery"),
    text("item", index=True),
    number("due_ms"),
    sa.UniqueConstraint("breach_id", "delivery", "item"),
)
