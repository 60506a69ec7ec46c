"""Checkpoints, their ancestors and the frames that training consumed. A library keeps what labs report."""

import sqlalchemy as sa

from fairframe.platform.database import key, number, one_of, public_id, ref, table, text

checkpoint = table(
    "checkpoint",
    key(),
    public_id(),
    one_of("direction", "own", "reported"),
    text("party"),
    text("name"),
    text("weights_hash"),
    text("lineage"),  # sealed bundle
    text("family", nullable=True),
    text("agreement", nullable=True),
    text("delivery", nullable=True),
    text("folder", nullable=True),  # relative to the workspace
    number("frames_seen"),
    number("recorded_at_ms"),
)

# weight: this ancestor's part of the checkpoint, a rational. role: null is a base
ancestor = table(
    "ancestor",
    key(),
    ref("checkpoint"),
    one_of("kind", "checkpoint", "external", "house"),
    text("name"),
    text("hash"),
    text("license"),
    text("data"),  # disclosed | undisclosed
    number("weight_num"),
    number("weight_den"),
    text("role", nullable=True),
)

# a model from elsewhere, and what its license permits by a person's word; the newest row of a hash holds
external_model = table(
    "external_model",
    key(),
    public_id(),
    text("name", index=True),
    text("hash", index=True),
    text("license"),
    text("license_url"),
    one_of("commercial", "yes", "no", "unknown"),
    one_of("release", "yes", "no", "unknown"),
    text("declared_by"),
    number("recorded_at_ms"),
)

usage = table(
    "usage",
    key(),
    ref("checkpoint"),
    text("source"),  # delivery public id, or house
    text("item", index=True),
    number("frames"),
    one_of("method", "measured", "attested", "declared"),
    sa.UniqueConstraint("checkpoint_id", "source", "item"),
)

checkpoint_event = table(
    "checkpoint_event",
    key(),
    ref("checkpoint"),
    one_of("kind", "granted", "blocked", "grandfathered", "stopped", "withdrawn", "deleted"),
    text("agreement", nullable=True),
    text("document", nullable=True),
    text("reason"),
    number("recorded_at_ms"),
)

# weights that left for good, with the signed model_release that says so; ends_ms: of the license, if it ends
weight_release = table(
    "weight_release",
    key(),
    ref("checkpoint"),
    text("document", unique=True),
    one_of("purpose", "evaluate", "research", "commercial"),
    text("license"),
    number("ends_ms", nullable=True),
    number("recorded_at_ms"),
)
