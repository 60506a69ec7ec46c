"""Contributors, collections, assets and the append-only facts about them.

Everything that can change over time (people, property, editorial, releases, signals) is a fact with valid_from and
recorded_at, never a column that is overwritten.
"""

import sqlalchemy as sa

from fairframe.platform.database import flag, json, key, number, one_of, public_id, ref, table, text

contributor = table(
    "contributor",
    key(),
    public_id(),
    text("name", unique=True),
    number("recorded_at_ms"),
)

collection = table(
    "collection",
    key(),
    public_id(),
    ref("contributor"),
    text("name"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("contributor_id", "name"),
)

asset = table(
    "asset",
    key(),
    public_id(),
    ref("contributor"),
    text("filename"),
    one_of("kind", "video", "image", "text"),
    number("quantity"),
    text("unit"),  # ms for video
    text("title"),
    text("description"),
    json("keywords"),
    text("source"),
    text("source_license"),
    json("extra"),
    text("content_hash", index=True),  # also the key of the stored object
    number("size_bytes"),
    text("poster_key", nullable=True),
    text("container"),
    text("codec"),
    number("width"),  # after rotation
    number("height"),
    number("fps_num"),
    number("fps_den"),
    flag("vfr"),
    number("frames"),
    number("duration_ms"),
    number("bit_depth"),
    flag("audio"),
    json("probe"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("contributor_id", "content_hash"),
)

collection_asset = table(
    "collection_asset",
    key(),
    ref("collection"),
    ref("asset"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("collection_id", "asset_id"),
)

# people: yes|no|unknown   model_release, property_release: released|not released|not needed|unknown
# editorial: yes|no|unknown
asset_fact = table(
    "asset_fact",
    key(),
    ref("asset"),
    one_of("name", "people", "model_release", "property_release", "editorial"),
    text("value"),
    one_of("origin", "metadata", "person"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

ownership = table(
    "ownership",
    key(),
    ref("asset"),
    ref("contributor"),
    number("share_num"),
    number("share_den"),
    number("valid_from_ms"),
    number("recorded_at_ms"),
    sa.CheckConstraint("share_num > 0 and share_den > 0 and share_num <= share_den", name="share"),
)

signal = table(
    "signal",
    key(),
    public_id(),
    ref("asset"),
    one_of("kind", "c2pa", "xmp", "tdmrep", "aipref", "note"),
    text("key"),
    text("value"),
    one_of("trust", "trusted", "untrusted", "tampered", "unreadable", "none"),
    json("detail"),
    text("raw_key", nullable=True),
    number("valid_from_ms"),
    number("recorded_at_ms"),
)

document_release = table(
    "document_release",
    key(),
    public_id(),
    ref("asset"),
    one_of("kind", "model", "property"),
    text("document_hash"),
    flag("ai_training"),  # whether its words cover training of models
    ref("document_release", name="revokes_id", nullable=True),
    number("valid_from_ms"),
    text("territory", nullable=True),  # as core/territory.py writes it; NULL: the world
    number("valid_until_ms", nullable=True),  # the first moment at which it holds no more; NULL: without an end
    flag("minor", nullable=True),  # who is to be seen is a minor; NULL: no
    flag("guardian", nullable=True),  # a guardian signed it; NULL: no
    number("recorded_at_ms"),
)

refusal = table(
    "refusal",
    key(),
    ref("run"),
    text("filename"),
    text("contributor"),
    text("content_hash", nullable=True),
    text("code"),
    text("message"),
    number("recorded_at_ms"),
)
