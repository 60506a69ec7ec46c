"""What a signed document lists in a file beside it: lines that the document names by number, size, hash and root.

A document is read whole before anything in it is believed, so it stays small; a list of millions is read line by line.
The file of `feed.json` is `feed.items.jsonl`, in the same folder.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from fairframe.core.canonical import Json, canonical, parse
from fairframe.core.errors import BadDocument, VerificationError
from fairframe.core.fields import Fields
from fairframe.core.merkle import leaf_hash, root_of

MAX_LINE_BYTES = 65_536
_JSON, _LINES = ".json", ".items.jsonl"


@dataclass(frozen=True)
class Beside:
    """The file's lines, its length with a line feed after each, its hex SHA-256, and the hex RFC 9162 root over the
    lines without their line feeds."""

    lines: int
    size_bytes: int
    digest: str
    root: str

    def to_json(self) -> dict[str, Any]:
        return {"lines": self.lines, "bytes": self.size_bytes, "digest": self.digest, "root": self.root}

    @classmethod
    def read(cls, fields: Fields) -> "Beside":
        """Read it out of a document; BadDocument (document.field)."""
        beside = cls(fields.integer("lines"), fields.integer("bytes"), fields.hex("digest"), fields.hex("root"))
        fields.close()
        return beside


def name_beside(name: str) -> str:
    """What the file beside a document is called."""
    return name.removesuffix(_JSON) + _LINES


def write_lines(out: BinaryIO, lines: Iterable[bytes]) -> Beside:
    """Write lines, each with a line feed after it, and tell what a document has to say of them."""
    digest, count, size = hashlib.sha256(), 0, 0

    def leaves() -> Iterator[bytes]:
        nonlocal count, size
        for line in lines:
            data = line + b"\n"
            out.write(data)
            digest.update(data)
            count, size = count + 1, size + len(data)
            yield leaf_hash(line)

    root = root_of(leaves()).hex()
    return Beside(count, size, digest.hexdigest(), root)


def read_lines(stream: BinaryIO, said: Beside) -> Iterator[bytes]:
    """The lines of a file, without their line feeds; what is read is never more than what was signed.

    Raises VerificationError (list.changed) before the last line is given out where the file is not the signed one, so
    run it once to the end before anything is done with a line.
    """
    digest, count, size = hashlib.sha256(), 0, 0
    last: bytes | None = None
    while line := stream.readline(MAX_LINE_BYTES + 1):
        digest.update(line)
        count, size = count + 1, size + len(line)
        if count > said.lines or size > said.size_bytes or not line.endswith(b"\n"):
            raise _changed(f"line {count} is not as it was signed")
        if last is not None:
            yield last
        last = line[:-1]
    if digest.hexdigest() != said.digest or (count, size) != (said.lines, said.size_bytes):
        raise _changed(f"{count} lines of {size} bytes, and not the signed {said.lines} of {said.size_bytes}")
    if last is not None:
        yield last


def check_lines(stream: BinaryIO, said: Beside) -> None:
    """Read a file to its end and compare everything that was signed of it, the root too.

    Raises VerificationError (list.changed).
    """
    if root_of(leaf_hash(line) for line in read_lines(stream, said)).hex() != said.root:
        raise _changed("the Merkle root over its lines is not the signed one")


def read_object(line: bytes, where: str) -> Fields:
    """One line as an object. Raises BadDocument unless it is canonical JSON."""
    value: Json = parse(line, max_bytes=MAX_LINE_BYTES, max_depth=4)
    if canonical(value) != line:
        raise BadDocument("The line is not canonical JSON", code="document.not_canonical", where=where)
    return Fields(value, where)


def _changed(what: str) -> VerificationError:
    return VerificationError(
        f"The list beside the document is not the signed one: {what}",
        code="list.changed",
        remedy="Get both files again from whoever sent them",
    )
