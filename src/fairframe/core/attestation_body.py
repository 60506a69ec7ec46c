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
MAX_WORDS = 2_000
STATEMENT = (
    "The lab states that it deleted the files of the listed items and models from this workspace and checked that"
    " they are gone. It says nothing of copies outside the workspace, which this software cannot see."
)
STATEMENT_KEPT = (
    f"{STATEMENT} The bytes of the items listed as kept are still there, since the named deliveries hold the same"
    " bytes by right; the lab states that it uses them under those deliveries only."
)

STATEMENT_ATTEMPTED = (
    " The lab states that it attempted unlearning on the models listed under attempts, by the method that it names. An"
    " attempt is no deletion: nothing here shows that such a model no longer holds what it learned."
)


@dataclass(frozen=True)
class Attempt:
    """Unlearning that a lab attempted on a checkpoint that stays: by what method, and how it was evaluated."""

    checkpoint: str
    weights_hash: str
    method: str
    evaluation: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "Attempt":
        fields = Fields(value, "attestation.attempts")
        attempt = cls(
            fields.id("checkpoint", "ckp"),
            fields.hex("weights_hash"),
            fields.text("method", max_chars=MAX_WORDS),
            fields.text("evaluation", max_chars=MAX_WORDS),
        )
        fields.close()
        return attempt


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
    `attempts`: unlearning that was attempted on models that stay; the field is there only where there are some.
    """

    delivery: str
    feed_entries: int
    items: int
    kept: int
    beside: Beside
    models: tuple[Model, ...]
    deleted_at_ms: int
    attempts: tuple[Attempt, ...] = ()

    @property
    def statement(self) -> str:
        return (STATEMENT_KEPT if self.kept else STATEMENT) + (STATEMENT_ATTEMPTED if self.attempts else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "feed_entries": self.feed_entries,
            "items": self.items,
            "kept": self.kept,
            "list": self.beside.to_json(),
            "models": [model.to_json() for model in self.models],
            "deleted_at": to_rfc3339(self.deleted_at_ms),
            **({"attempts": [one.to_json() for one in self.attempts]} if self.attempts else {}),
            "statement": self.statement,
        }

    @classmethod
    def from_json(cls, value: Json) -> "AttestationBody":
        fields = Fields(value, "attestation.body")
        attempts = fields.list("attempts", max_items=MAX_MODELS) if fields.has("attempts") else []
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            feed_entries=fields.integer("feed_entries"),
            items=fields.integer("items"),
            kept=fields.integer("kept"),
            beside=Beside.read(fields.fields("list")),
            models=tuple(Model.from_json(model) for model in fields.list("models", max_items=MAX_MODELS)),
            deleted_at_ms=fields.time_ms("deleted_at"),
            attempts=tuple(Attempt.from_json(one) for one in attempts),
        )
        fields.text("statement", one_of=[body.statement])
        fields.close()
        if body.beside.lines != body.items + body.kept:
            what = "Fields 'items' and 'kept' are not as many as the lines of its list"
            raise BadDocument(what, code="document.field", where=fields.where)
        return body

    def read(self, lines: Iterable[bytes]) -> Iterator[Settled]:
        """The items of the list. Raises BadDocument (attest.twice) where it names one twice, and (attest.kept) where
        more or fewer are kept than was signed."""
        kept, named = 0, set[str]()
        for number, line in enumerate(lines, 1):
            settled = Settled.read(line, f"attestation.items.jsonl:{number}")
            if settled.item in named:
                what = f"The list names the item {settled.item} twice"
                raise BadDocument(what, code="attest.twice", where=f"attestation.items.jsonl:{number}")
            named.add(settled.item)
            kept += bool(settled.kept_by)
            yield settled
        if kept != self.kept:
            what = f"The list keeps {kept} items, signed are {self.kept}"
            raise BadDocument(what, code="attest.kept", where="attestation.items.jsonl")
