"""Reads a delivery's items.jsonl: every line's form, the Merkle root over the lines, and what clips they name."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.merkle import leaf_hash, root_of
from fairframe.core.timecode import Rate
from fairframe.verify.files import open_regular

MAX_LINE_BYTES = 64 * 1024


@dataclass
class Items:
    """What items.jsonl holds. `bad` has a line per fault.

    `size_bytes` is the length of the file as far as it was read, `duration_ms` the sum over all items;
    `clips` maps a clip's hash to its size in bytes, `users` to the ids of the items that it serves.
    """

    root: str = ""
    digest: str = ""
    count: int = 0
    size_bytes: int = 0
    duration_ms: int = 0
    clips: dict[str, int] = field(default_factory=dict[str, int])
    users: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    bad: list[str] = field(default_factory=list[str])


def read_items(path: Path, most: int, most_bytes: int) -> Items:
    """Stream the file once, up to one line beyond the `most` lines or the `most_bytes` that were signed.

    Raises InputError when it is missing or no regular file.
    """
    items = Items()
    seen: set[str] = set()
    digest = hashlib.sha256()

    def leaves() -> Iterator[bytes]:
        with open_regular(path) as stream:
            while items.count <= most and items.size_bytes <= most_bytes:
                if not (line := stream.readline(MAX_LINE_BYTES + 1)):
                    break
                digest.update(line)
                items.count += 1
                items.size_bytes += len(line)
                fault = _fault(line, items, seen)
                if fault:
                    items.bad.append(f"line {items.count}: {fault}")
                yield leaf_hash(line.removesuffix(b"\n"))

    items.root = root_of(leaves()).hex()
    items.digest = digest.hexdigest()
    return items


def _fault(line: bytes, items: Items, seen: set[str]) -> str:
    """What is wrong with one line, or "". Notes its clip in `items` and its id in `seen`."""
    if len(line) > MAX_LINE_BYTES:
        return f"longer than {MAX_LINE_BYTES} bytes"
    if not line.endswith(b"\n"):
        return "does not end with a line feed"
    try:
        value = parse(line[:-1], max_bytes=MAX_LINE_BYTES, max_depth=16)
        if canonical(value) + b"\n" != line:
            return "is not canonical JSON"
        fields = Fields(value, "item")
        clip_hash, size = fields.hex("bytes_hash"), fields.integer("bytes", least=1)
        fault = _field_fault(fields, clip_hash)
        item_id = fields.id("id", "itm")
        items.duration_ms += fields.integer("duration_ms")
    except (BadDocument, InputError) as error:
        return str(error)
    if item_id in seen:
        fault = f"item {item_id} is listed twice"
    seen.add(item_id)
    items.users.setdefault(clip_hash, []).append(item_id)
    if items.clips.setdefault(clip_hash, size) != size:
        fault = f"clip {clip_hash[:16]} is listed with two sizes"
    return fault


def _field_fault(fields: Fields, clip_hash: str) -> str:
    # the path is compared with what it must be, never joined, so it cannot lead out of the folder
    if fields.text("path") != f"clips/{clip_hash}.mp4":
        return f"its path is not clips/{clip_hash[:16]}...mp4"
    start, end, frames = fields.integer("start"), fields.integer("end"), fields.integer("frames", least=1)
    if start >= end:
        return f"start {start} is not before end {end}"
    # the nearest millisecond, or the one beside it: rounding is the writer's
    if abs(fields.integer("duration_ms") - Rate.parse(fields.text("fps")).duration_ms(frames)) > 1:
        return f"its duration is not that of {frames} frames"
    for name in ("asset", "contributor"):
        pseudonym = fields.text(name, max_chars=200)
        if not pseudonym or pseudonym[:4] in ("ast_", "ctr_"):
            return f"its {name} is no pseudonym"
    fields.hex("content_hash")
    fields.text("kind", max_chars=40)
    fields.text("unit", max_chars=40)
    fields.text("caption", max_chars=16_000)
    fields.text("group", max_chars=200)
    fields.text("split", max_chars=40)
    fields.fields("clearance").text("outcome", one_of=["ALLOW"])
    return ""
