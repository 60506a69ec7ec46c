"""Where an asset's measures lie, and what was decided from them."""

import sqlalchemy as sa

from fairframe.platform.database import key, number, public_id, ref, table, text

measure_ref = table(
    "measure_ref",
    key(),
    ref("asset"),
    text("version"),
    text("object_key"),  # Parquet, one row per frame
    number("frames"),
    number("recorded_at_ms"),
    sa.UniqueConstraint("asset_id", "version"),
)

# scores are integers of 1/1000 so that a decision replays alike everywhere
shot = table(
    "shot",
    key(),
    public_id(),
    ref("asset"),
    text("version"),
    number("start_frame"),
    number("end_frame"),
    number("start_ms"),
    number("end_ms"),
    number("motion_milli"),
    number("sharpness_milli"),
    number("luma_milli"),
    number("black_milli"),
    number("frozen_milli"),
    text("phashes"),  # hex, comma-separated, of a few frames; empty where entropy is too low
    number("recorded_at_ms"),
    sa.UniqueConstraint("asset_id", "version", "start_frame"),
)

duplicate = table(
    "duplicate",
    key(),
    ref("shot", index=True),
    text("group_id", index=True),
    number("distance"),
    ref("run"),
    number("recorded_at_ms"),
)
