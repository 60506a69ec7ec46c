"""The body of an attestation, as a bundle carries it. Read strictly."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.feed_body import MAX_ITEMS
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

    `kept`: items that were due too, of which the bytes stay under another delivery. The field is there only where
    there are some.
    """

    delivery: str
    feed_entries: int
    items: tuple[Named, ...]
    models: tuple[Model, ...]
    deleted_at_ms: int
    kept: tuple[Kept, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "feed_entries": self.feed_entries,
            "items": [item.to_json() for item in self.items],
            **({"kept": [kept.to_json() for kept in self.kept]} if self.kept else {}),
            "models": [model.to_json() for model in self.models],
            "deleted_at": to_rfc3339(self.deleted_at_ms),
            "statement": STATEMENT_KEPT if self.kept else STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "AttestationBody":
        fields = Fields(value, "attestation.body")
        some = isinstance(value, dict) and "kept" in value
        kept = fields.list("kept", max_items=MAX_ITEMS) if some else []
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            feed_entries=fields.integer("feed_entries"),
            items=tuple(Named.from_json(item) for item in fields.list("items", max_items=MAX_ITEMS)),
            models=tuple(Model.from_json(model) for model in fields.list("models", max_items=MAX_MODELS)),
            deleted_at_ms=fields.time_ms("deleted_at"),
            kept=tuple(Kept.from_json(one) for one in kept),
        )
        fields.text("statement", one_of=[STATEMENT_KEPT if body.kept else STATEMENT])
        fields.close()
        return body
