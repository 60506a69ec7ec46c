"""The body of an attestation, as a bundle carries it, and the lines beside it. Read strictly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fairframe.core.beside import Beside, read_object
from fairframe.core.canonical import Json, canonical
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339

MAX_MODELS = 10_000
STATEMENT = (
    "The lab states that it deleted the files of the listed items and models from this workspace and checked that"
    " they are gone. It says nothing of copies outside the workspace, which this software cannot see."
)
STATEMENT_KEPT = (
    f"{STATEMENT} The bytes of the items listed as kept are still there, since the named deliveries hold the same"
    " bytes by right; the lab states that it uses them under those deliveries only."
)


@dataclass(frozen=True)
class Settled:
    """An item and the hash of its delivered bytes, as an attestation's list names it.

    `kept_by`: "" where the bytes are deleted; else the delivery that holds the same bytes in an item that was not
    taken back, for which they stay.
    """

    item: str
    bytes_hash: str
    kept_by: str = ""

    def line(self) -> bytes:
        kept = {"kept_by": self.kept_by} if self.kept_by else {}
        return canonical({"item": self.item, "bytes_hash": self.bytes_hash, **kept})

    @classmethod
    def read(cls, line: bytes, where: str = "") -> "Settled":
        """Read a line; BadDocument (document.field, document.not_canonical)."""
        fields = read_object(line, where)
        kept_by = fields.id("kept_by", "dlv") if fields.has("kept_by") else ""
        settled = cls(fields.id("item", "itm"), fields.hex("bytes_hash"), kept_by)
        fields.close()
        return settled


@dataclass(frozen=True)
class Model:
    """A checkpoint that was trained on the delivery, as an attestation lists it."""

    checkpoint: str
    weights_hash: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "Model":
        fields = Fields(value, "attestation.models")
        model = cls(fields.id("checkpoint", "ckp"), fields.hex("weights_hash"))
        fields.close()
        return model


@dataclass(frozen=True)
class AttestationBody:
    """The lab's word that it deleted `items` items and `models`; it had read the family's feed up to `feed_entries`.

    `kept`: items that were due too, of which the bytes stay under another delivery. Both stand in the list beside it.
    """

    delivery: str
    feed_entries: int
    items: int
    kept: int
    beside: Beside
    models: tuple[Model, ...]
    deleted_at_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "feed_entries": self.feed_entries,
            "items": self.items,
            "kept": self.kept,
            "list": self.beside.to_json(),
            "models": [model.to_json() for model in self.models],
            "deleted_at": to_rfc3339(self.deleted_at_ms),
            "statement": STATEMENT_KEPT if self.kept else STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "AttestationBody":
        fields = Fields(value, "attestation.body")
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            feed_entries=fields.integer("feed_entries"),
            items=fields.integer("items"),
            kept=fields.integer("kept"),
            beside=Beside.read(fields.fields("list")),
            models=tuple(Model.from_json(model) for model in fields.list("models", max_items=MAX_MODELS)),
            deleted_at_ms=fields.time_ms("deleted_at"),
        )
        fields.text("statement", one_of=[STATEMENT_KEPT if body.kept else STATEMENT])
        fields.close()
        if body.beside.lines != body.items + body.kept:
            what = "Fields 'items' and 'kept' are not as many as the lines of its list"
            raise BadDocument(what, code="document.field", where=fields.where)
        return body

    def read(self, lines: Iterable[bytes]) -> Iterator[Settled]:
        """The items of the list. Raises BadDocument (attest.kept) where more or fewer are kept than was signed."""
        kept = 0
        for number, line in enumerate(lines, 1):
            settled = Settled.read(line, f"attestation.items.jsonl:{number}")
            kept += bool(settled.kept_by)
            yield settled
        if kept != self.kept:
            what = f"The list keeps {kept} items, signed are {self.kept}"
            raise BadDocument(what, code="attest.kept", where="attestation.items.jsonl")
