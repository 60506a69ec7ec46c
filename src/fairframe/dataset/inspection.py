"""Checking a delivery directory against its signed body. Every problem is named; nothing is changed.

The only trusted input is the body of a verified delivery bundle.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fairframe.core import merkle
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import BadDocument, VerificationError
from fairframe.core.item_line import MAX_LINE_BYTES, Item, read_line
from fairframe.core.limits import derived_max_bytes
from fairframe.dataset import layout
from fairframe.platform.runs import Progress, silent

MAX_NAMED = 20


@dataclass(frozen=True)
class Inspected:
    """What the directory holds. `lines` are canonical, `items` what they say; empty where they do not verify."""

    items: tuple[Item, ...]
    lines: tuple[bytes, ...]
    problems: tuple[str, ...]

    def refuse(self, where: Path) -> None:
        """Raise VerificationError (delivery.changed) that names the problems, if there are any."""
        if not self.problems:
            return
        named = "; ".join(self.problems[:MAX_NAMED])
        more = len(self.problems) - MAX_NAMED
        raise VerificationError(
            f"the delivery does not hold what was signed: {named}" + (f"; and {more} more" if more > 0 else ""),
            code="delivery.changed",
            where=str(where),
            remedy="Get the delivery again from the library.",
        )


def inspect(folder: Path, body: DeliveryBody, show: Progress = silent) -> Inspected:
    """Compare items, clips and derived files with the signed body: missing, extra and changed bytes, by name."""
    lines, problems = _lines(folder, body)
    if problems:
        return Inspected((), (), tuple(problems))
    items = tuple(read_line(line, f"{layout.ITEMS}:{number}") for number, line in enumerate(lines, 1))
    problems = [*_sums(items, body), *_derived(folder, body), *_clips(folder, items, show)]
    names = {one.path.removeprefix(f"{layout.CLIPS}/") for one in items}
    problems += [f"{name} is not part of the delivery" for name in layout.strangers(folder, names)]
    return Inspected(items, tuple(lines), tuple(problems))


def _lines(folder: Path, body: DeliveryBody) -> tuple[list[bytes], list[str]]:
    """The lines of items.jsonl if they are those that were signed, else what is wrong."""
    sha, lines = hashlib.sha256(), list[bytes]()
    try:
        with layout.opened(folder / layout.ITEMS) as stream:
            while line := stream.readline(MAX_LINE_BYTES + 2):
                sha.update(line)
                if len(lines) == body.items or not line.endswith(b"\n"):
                    return [], [f"{layout.ITEMS} is changed near line {len(lines) + 1}"]
                lines.append(line[:-1])
    except VerificationError as error:
        return [], [error.message]
    if sha.hexdigest() != body.items_digest or sum(map(len, lines)) + len(lines) != body.items_bytes:
        return [], [f"{layout.ITEMS} is changed"]
    if merkle.root_of([merkle.leaf_hash(line) for line in lines]).hex() != body.root or len(lines) != body.items:
        return [], [f"{layout.ITEMS} does not have the signed root"]
    return lines, _unreadable(lines)


def _unreadable(lines: list[bytes]) -> list[str]:
    found: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            read_line(line, f"{layout.ITEMS}:{number}")
        except BadDocument as error:
            found.append(str(error).rstrip("."))
    return found


def _sums(items: tuple[Item, ...], body: DeliveryBody) -> Iterator[str]:
    """What the body says of the whole must follow from the items."""
    if len({one.id for one in items}) != len(items):
        yield "an item is listed twice"
    sizes = {one.bytes_hash: one.size_bytes for one in items}
    if any(sizes[one.bytes_hash] != one.size_bytes for one in items) or sum(sizes.values()) != body.clips_bytes:
        yield "the clips' sizes do not add up to the signed sum"
    if sum(one.duration_ms for one in items) != body.duration_ms:
        yield "the durations do not add up to the signed sum"


def _derived(folder: Path, body: DeliveryBody) -> Iterator[str]:
    for name, expected in body.derived.items():
        try:
            if layout.hashed(folder / name, max_bytes=derived_max_bytes(body.items_bytes)) != expected:
                yield f"{name} is changed"
        except VerificationError as error:
            yield error.message


def _clips(folder: Path, items: tuple[Item, ...], show: Progress) -> Iterator[str]:
    clips = folder / layout.CLIPS
    if clips.is_symlink() or not clips.is_dir():
        yield f"{layout.CLIPS} is missing or a link"
        return
    seen: set[str] = set()
    for place, one in enumerate(items):
        show(place, len(items), "checking clips")
        if one.bytes_hash in seen:
            continue
        seen.add(one.bytes_hash)
        try:
            found = layout.hashed(folder / one.path, one.size_bytes)
        except VerificationError as error:
            yield f"{one.path}: {error.message}"
            continue
        if found != one.bytes_hash:
            yield f"{one.path} is changed"
