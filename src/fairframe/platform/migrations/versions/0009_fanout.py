"""Indexes by which delivered items are taken back without reading the tables that hold millions of them."""

from alembic import op

revision = "0009"
down_revision = "0008"

INDEXES = (
    ("ix_item_of_contributor", "item",
     ["contributor_id", "dataset_release_id", "idx", "public_id", "asset_id", "duration_ms"]),
    ("ix_delivery_release", "delivery", ["release"]),
    ("ix_delivery_family", "delivery", ["family"]),
    ("ix_received_item_by_item", "received_item", ["delivery_id", "item"]),
    ("ix_feed_entry_of_delivery", "feed_entry", ["delivery", "item", "direction", "reason", "seq"]),
)  # fmt: skip


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns, unique=False)
