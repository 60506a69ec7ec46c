"""items.jsonl: one canonical line per delivered clip. The release's root is the RFC 9162 root over these lines.

Nothing in a line names a contributor or an asset: both are pseudonyms that only the library can look up. Its hashes
are the same for every lab, as the clip's bytes are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from fairframe.core import merkle
from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.timecode import Rate

Split = Literal["train", "heldout"]
MAX_LINE_BYTES = 65_536
MAX_CLIP_BYTES = 4 * 1024**3
MAX_CLIP_FRAMES = 1_000_000
FINDING = re.compile(r"[a-z0-9_.]{1,60}")
PSEUDONYM = re.compile(r"psn_[0-9a-z]{26}")


@dataclass(frozen=True)
class Item:
    """One clip of a release.

    start, end: frames of the source asset, half-open. frames, fps, duration_ms: of the delivered clip.
    content_hash: of the source asset's file; bytes_hash, size_bytes: of the clip as delivered.
    group: near-duplicate group; split never cuts through one. findings: codes of the clearance that allowed it.
    """

    id: str
    asset: str
    contributor: str
    start: int
    end: int
    frames: int
    fps: Rate
    duration_ms: int
    content_hash: str
    bytes_hash: str
    size_bytes: int
    caption: str
    split: Split
    group: str
    findings: tuple[str, ...]
    kind: str = "video"
    unit: str = "frame"

    @property
    def path(self) -> str:
        """Where the clip lies in a delivery directory."""
        return f"clips/{self.bytes_hash}.mp4"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "asset": self.asset,
            "contributor": self.contributor,
            "kind": self.kind,
            "unit": self.unit,
            "start": self.start,
            "end": self.end,
            "frames": self.frames,
            "fps": str(self.fps),
            "duration_ms": self.duration_ms,
            "content_hash": self.content_hash,
            "bytes_hash": self.bytes_hash,
            "bytes": self.size_bytes,
            "path": self.path,
            "caption": self.caption,
            "split": self.split,
            "group": self.group,
            "clearance": {"outcome": "ALLOW", "findings": list(self.findings)},
        }

    def line(self) -> bytes:
        """The canonical line without its newline; BadDocument if it would not read back."""
        data = canonical(self.to_json())
        read_line(data)
        return data


def read_line(data: bytes, where: str = "items.jsonl") -> Item:
    """Read a line strictly: canonical, every field by type and range, none unknown, no two that contradict each other.

    Raises BadDocument (document.field, document.not_canonical, and those of canonical.parse).
    """
    value = parse(data, max_bytes=MAX_LINE_BYTES, max_depth=4)
    if canonical(value) != data:
        raise BadDocument("The line is not canonical JSON", code="document.not_canonical", where=where)
    fields = Fields(value, where)
    item = Item(
        id=fields.id("id", "itm"),
        asset=_pseudonym(fields, "asset"),
        contributor=_pseudonym(fields, "contributor"),
        kind=fields.text("kind", one_of=["video"]),
        unit=fields.text("unit", one_of=["frame"]),
        start=fields.integer("start"),
        end=fields.integer("end", least=1),
        frames=fields.integer("frames", least=1),
        fps=_rate(fields, "fps"),
        duration_ms=fields.integer("duration_ms", least=1),
        content_hash=fields.hex("content_hash"),
        bytes_hash=fields.hex("bytes_hash"),
        size_bytes=fields.integer("bytes", least=1),
        caption=fields.text("caption", max_chars=2_000),
        split="heldout" if fields.text("split", one_of=["train", "heldout"]) == "heldout" else "train",
        group=_pseudonym(fields, "group"),
        findings=_clearance(fields.fields("clearance")),
    )
    if fields.text("path", max_chars=100) != item.path:
        raise _bad(where, "path", "is not clips/<bytes_hash>.mp4")
    fields.close()
    if item.end - item.start != item.frames or item.frames > MAX_CLIP_FRAMES or item.size_bytes > MAX_CLIP_BYTES:
        raise _bad(where, "frames", "does not match its span, or the clip is too large")
    # the nearest millisecond, or the one beside it: rounding is the writer's
    if abs(item.duration_ms - item.fps.duration_ms(item.frames)) > 1:
        raise _bad(where, "duration_ms", f"is not that of {item.frames} frames")
    return item


def root_of(lines: Iterable[bytes]) -> str:
    """Hex RFC 9162 root over the lines, each without its newline."""
    return merkle.root_of([merkle.leaf_hash(line) for line in lines]).hex()


def _bad(where: str, name: str, what: str) -> BadDocument:
    return BadDocument(f"Field {name!r} {what}", code="document.field", where=where)


def _pseudonym(fields: Fields, name: str) -> str:
    value = fields.text(name, max_chars=30)
    if not PSEUDONYM.fullmatch(value):
        raise _bad(fields.where, name, "is not a pseudonym")
    return value


def _rate(fields: Fields, name: str) -> Rate:
    text = fields.text(name, max_chars=20)
    try:
        rate = Rate.parse(text)
    except InputError as error:
        raise _bad(fields.where, name, "is not a frame rate") from error
    if str(rate) != text:
        raise _bad(fields.where, name, "is not a reduced fraction such as 24/1")
    return rate


def _clearance(fields: Fields) -> tuple[str, ...]:
    fields.text("outcome", one_of=["ALLOW"])
    found = fields.list("findings", max_items=100)
    fields.close()
    codes = tuple(code for code in found if isinstance(code, str) and FINDING.fullmatch(code))
    if len(codes) != len(found):
        raise _bad(fields.where, "findings", "is not a list of finding codes")
    return codes
