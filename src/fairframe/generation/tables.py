"""Films: what was asked, by which checkpoint, and the bytes that came out."""

from fairframe.platform.database import json, key, number, one_of, public_id, ref, table, text

output = table(
    "output",
    key(),
    public_id(),
    ref("checkpoint"),
    one_of("mode", "text", "image", "extend"),
    one_of("purpose", "evaluate", "research", "commercial"),
    text("agreement", nullable=True),
    number("frames"),
    number("fps_num"),
    number("fps_den"),
    number("width"),
    number("height"),
    number("seed"),
    json("recipe"),
    text("bytes_hash", index=True),
    text("sidecar"),
    number("recorded_at_ms"),
)
