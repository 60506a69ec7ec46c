"""The body of a log proof: that an act is in a party's audit tree, that the tree goes on from an older one, or both.

    head     {size, root}: the tree that the proof is about
    act      null or {entry, path}: the entry as the text whose hash is the leaf, and its audit path, from the leaf up
    extends  null or {size, root, path}: an older head of the same tree, and the consistency proof to `head`

Proofs are those of RFC 9162, section 2.1.3 (inclusion) and 2.1.4 (consistency); hashes are hex.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairframe.core import merkle
from fairframe.core.bundle import Head
from fairframe.core.canonical import Json, canonical, parse
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields

TYPE = "log_proof"
MAX_PATH = 64
"""Hashes on a path: a tree of 2**53 leaves needs fewer."""


@dataclass(frozen=True)
class Act:
    """An entry of an audit tree. `text` is the canonical JSON whose hash is the leaf; personal data is a commitment."""

    text: str
    seq: int
    at_ms: int
    kind: str
    subject: str

    @property
    def leaf(self) -> bytes:
        return merkle.leaf_hash(self.text.encode())

    @classmethod
    def read(cls, text: str) -> "Act":
        """Raises BadDocument where it is not canonical JSON (document.not_canonical) or not an entry's form."""
        value = parse(text.encode("utf-8", "surrogatepass"))
        if canonical(value).decode() != text:
            raise BadDocument("The entry is not canonical JSON", code="document.not_canonical", where="log_proof.act")
        fields = Fields(value, "log_proof.act.entry")
        act = cls(
            text=text,
            seq=fields.integer("seq"),
            at_ms=fields.time_ms("at"),
            kind=fields.text("kind", max_chars=80),
            subject=fields.text("subject", max_chars=200),
        )
        fields.object("body")
        committed = fields.fields("commitments")
        for name in fields.object("commitments"):
            committed.hex(name)
        fields.close()
        return act


@dataclass(frozen=True)
class LogProof:
    """What a party signs of its own tree. One of `act` and `older` is there at least."""

    head: Head
    act: Act | None = None
    path: tuple[bytes, ...] = ()
    older: Head | None = None
    consistency: tuple[bytes, ...] = ()

    def includes(self) -> bool:
        """Whether the act stands in the tree of `head`, at the place that it names itself."""
        act, root = self.act, bytes.fromhex(self.head.root)
        return act is not None and merkle.verify_inclusion(act.seq, self.head.size, act.leaf, self.path, root)

    def extends(self) -> bool:
        """Whether the tree of `head` only appended to that of `older`."""
        if self.older is None:
            return False
        old, new = bytes.fromhex(self.older.root), bytes.fromhex(self.head.root)
        return merkle.verify_consistency(self.older.size, self.head.size, old, new, self.consistency)

    def to_json(self) -> dict[str, Any]:
        act, older = self.act, self.older
        return {
            "head": {"size": self.head.size, "root": self.head.root},
            "act": {"entry": act.text, "path": [one.hex() for one in self.path]} if act else None,
            "extends": {"size": older.size, "root": older.root, "path": [one.hex() for one in self.consistency]}
            if older
            else None,
        }

    @classmethod
    def from_json(cls, value: Json) -> "LogProof":
        """Read a body strictly; BadDocument, also where it proves nothing. Whether a proof holds is not looked at."""
        fields = Fields(value, "log_proof.body")
        head, act, older = fields.fields("head"), None, None
        path: tuple[bytes, ...] = ()
        consistency: tuple[bytes, ...] = ()
        newer = _head(head)
        head.close()
        if fields.value("act") is not None:
            inner = fields.fields("act")
            act, path = Act.read(inner.text("entry", max_chars=8_000_000)), _path(inner)
            inner.close()
        if fields.value("extends") is not None:
            inner = fields.fields("extends")
            older, consistency = _head(inner), _path(inner)
            inner.close()
        fields.close()
        if act is None and older is None:
            raise BadDocument("It holds no proof", code="document.field", where="log_proof.body")
        return cls(newer, act, path, older, consistency)


def _head(fields: Fields) -> Head:
    return Head(fields.integer("size"), fields.hex("root"))


def _path(fields: Fields) -> tuple[bytes, ...]:
    return tuple(_hashes(fields.list("path", max_items=MAX_PATH), f"{fields.where}.path"))


def _hashes(values: Sequence[Json], where: str) -> "list[bytes]":
    for value in values:
        if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            raise BadDocument("A hash is not 64 lower-case hex digits", code="document.field", where=where)
    return [bytes.fromhex(str(value)) for value in values]
