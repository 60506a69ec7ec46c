"""The body of an attestation, as a bundle carries it. Read strictly."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.feed_body import MAX_ITEMS
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
class Named:
    """An item and the hash of its delivered bytes, as an attestation lists it."""

    item: str
    bytes_hash: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "Named":
        fields = Fields(value, "attestation.items")
        named = cls(fields.id("item", "itm"), fields.hex("bytes_hash"))
        fields.close()
        return named


@dataclass(frozen=True)
class Kept:
    """An item whose bytes stay, since `delivery` holds the same bytes in an item that was not taken back."""

    item: str
    bytes_hash: str
    delivery: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "Kept":
        fields = Fields(value, "attestation.kept")
        kept = cls(fields.id("item", "itm"), fields.hex("bytes_hash"), fields.id("delivery", "dlv"))
        fields.close()
        return kept


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
    """The lab's word that it deleted `items` and `models`; it had read the family's feed up to entry `feed_entries`.

    `kept`: items that were due too, of which the bytes stay under another delivery. `attempts`: unlearning that was
    attempted on models that stay. Either field is there only where there are some.
    """

    delivery: str
    feed_entries: int
    items: tuple[Named, ...]
    models: tuple[Model, ...]
    deleted_at_ms: int
    kept: tuple[Kept, ...] = ()
    attempts: tuple[Attempt, ...] = ()

    @property
    def statement(self) -> str:
        return (STATEMENT_KEPT if self.kept else STATEMENT) + (STATEMENT_ATTEMPTED if self.attempts else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "feed_entries": self.feed_entries,
            "items": [item.to_json() for item in self.items],
            **({"kept": [kept.to_json() for kept in self.kept]} if self.kept else {}),
            "models": [model.to_json() for model in self.models],
            "deleted_at": to_rfc3339(self.deleted_at_ms),
            **({"attempts": [one.to_json() for one in self.attempts]} if self.attempts else {}),
            "statement": self.statement,
        }

    @classmethod
    def from_json(cls, value: Json) -> "AttestationBody":
        fields = Fields(value, "attestation.body")
        some = isinstance(value, dict) and "kept" in value
        kept = fields.list("kept", max_items=MAX_ITEMS) if some else []
        attempts = fields.list("attempts", max_items=MAX_MODELS) if fields.has("attempts") else []
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            feed_entries=fields.integer("feed_entries"),
            items=tuple(Named.from_json(item) for item in fields.list("items", max_items=MAX_ITEMS)),
            models=tuple(Model.from_json(model) for model in fields.list("models", max_items=MAX_MODELS)),
            deleted_at_ms=fields.time_ms("deleted_at"),
            kept=tuple(Kept.from_json(one) for one in kept),
            attempts=tuple(Attempt.from_json(one) for one in attempts),
        )
        fields.text("statement", one_of=[body.statement])
        fields.close()
        return body
