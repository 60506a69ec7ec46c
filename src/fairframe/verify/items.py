"""Reads a delivery's items.jsonl: every line's form, the Merkle root over the lines, and what clips they name."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fairframe.core.errors import BadDocument
from fairframe.core.item_line import MAX_LINE_BYTES, read_line
from fairframe.core.merkle import leaf_hash, root_of
from fairframe.verify.files import open_regular


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
    if not line.endswith(b"\n"):
        return f"longer than {MAX_LINE_BYTES} bytes" if len(line) > MAX_LINE_BYTES else "does not end with a line feed"
    try:
        one = read_line(line[:-1])
    except BadDocument as error:
        return str(error)
    items.duration_ms += one.duration_ms
    items.users.setdefault(one.bytes_hash, []).append(one.id)
    if items.clips.setdefault(one.bytes_hash, one.size_bytes) != one.size_bytes:
        return f"clip {one.bytes_hash[:16]} is listed with two sizes"
    if one.id in seen:
        return f"item {one.id} is listed twice"
    seen.add(one.id)
    return ""
