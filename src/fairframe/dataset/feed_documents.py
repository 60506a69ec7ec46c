"""The bodies of a feed and of an attestation, as bundles carry them. Read strictly."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339

MAX_ENTRIES = 1_000_000
MAX_LEASES = 1_000
MAX_MODELS = 10_000
STATEMENT = (
    "The lab states that it deleted the files of the listed items and models from this workspace and checked that"
    " they are gone. It says nothing of copies outside the workspace, which this software cannot see."
)


@dataclass(frozen=True)
class FeedEntry:
    """One item of one delivery that may no longer be used. `seq` counts from 1 within the agreement family."""

    seq: int
    delivery: str
    item: str
    reason: str
    effective_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "delivery": self.delivery,
            "item": self.item,
            "reason": self.reason,
            "effective_at": to_rfc3339(self.effective_ms),
        }

    @classmethod
    def from_json(cls, value: Json) -> "FeedEntry":
        fields = Fields(value, "feed.entries")
        entry = cls(
            seq=fields.integer("seq", least=1),
            delivery=fields.id("delivery", "dlv"),
            item=fields.id("item", "itm"),
            reason=fields.text("reason", max_chars=200),
            effective_ms=fields.time_ms("effective_at"),
        )
        fields.close()
        return entry


@dataclass(frozen=True)
class FeedBody:
    """All revocations of a family, and renewed leases (sealed lease bundles) of its live deliveries."""

    family: str
    deliveries: tuple[str, ...]
    entries: tuple[FeedEntry, ...]
    max_age_ms: int
    leases: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "family": self.family,
            "deliveries": list(self.deliveries),
            "entries": [entry.to_json() for entry in self.entries],
            "max_age_ms": self.max_age_ms,
            "leases": [base64.b64encode(lease).decode("ascii") for lease in self.leases],
        }

    @classmethod
    def from_json(cls, value: Json) -> "FeedBody":
        """Read a feed; BadDocument also where entries are not numbered 1, 2, 3, ... without a gap."""
        fields = Fields(value, "feed.body")
        body = cls(
            family=fields.id("family", "agr"),
            deliveries=tuple(_text(value, fields) for value in fields.list("deliveries", max_items=100_000)),
            entries=tuple(FeedEntry.from_json(item) for item in fields.list("entries", max_items=MAX_ENTRIES)),
            max_age_ms=fields.integer("max_age_ms", least=1),
            leases=tuple(_base64(item, fields) for item in fields.list("leases", max_items=MAX_LEASES)),
        )
        fields.close()
        if [entry.seq for entry in body.entries] != list(range(1, len(body.entries) + 1)):
            raise BadDocument("The feed's entries are not numbered 1, 2, 3", code="feed.gap", where=fields.where)
        return body


@dataclass(frozen=True)
class Named:
    """An item and the hash of its delivered bytes, as an attestation lists it."""

    item: str
    bytes_hash: str

    def to_json(self) -> dict[str, Any]:
        return {"item": self.item, "bytes_hash": self.bytes_hash}

    @classmethod
    def from_json(cls, value: Json) -> "Named":
        fields = Fields(value, "attestation.items")
        named = cls(fields.id("item", "itm"), fields.hex("bytes_hash"))
        fields.close()
        return named


@dataclass(frozen=True)
class Model:
    """A checkpoint that was trained on the delivery, as an attestation lists it."""

    checkpoint: str
    weights_hash: str

    def to_json(self) -> dict[str, Any]:
        return {"checkpoint": self.checkpoint, "weights_hash": self.weights_hash}

    @classmethod
    def from_json(cls, value: Json) -> "Model":
        fields = Fields(value, "attestation.models")
        model = cls(fields.id("checkpoint", "ckp"), fields.hex("weights_hash"))
        fields.close()
        return model


@dataclass(frozen=True)
class AttestationBody:
    """The lab's word that it deleted `items` and `models`; it had read the family's feed up to entry `feed_entries`."""

    delivery: str
    feed_entries: int
    items: tuple[Named, ...]
    models: tuple[Model, ...]
    deleted_at_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "feed_entries": self.feed_entries,
            "items": [item.to_json() for item in self.items],
            "models": [model.to_json() for model in self.models],
            "deleted_at": to_rfc3339(self.deleted_at_ms),
            "statement": STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "AttestationBody":
        fields = Fields(value, "attestation.body")
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            feed_entries=fields.integer("feed_entries"),
            items=tuple(Named.from_json(item) for item in fields.list("items", max_items=MAX_ENTRIES)),
            models=tuple(Model.from_json(model) for model in fields.list("models", max_items=MAX_MODELS)),
            deleted_at_ms=fields.time_ms("deleted_at"),
        )
        fields.text("statement", one_of=[STATEMENT])
        fields.close()
        return body


def _text(value: Json, fields: Fields) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise BadDocument("A list holds something that is no short text", code="document.field", where=fields.where)
    return value


def _base64(value: Json, fields: Fields) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _text(None, fields).encode()
    except (binascii.Error, ValueError) as error:
        raise BadDocument("A lease is not base64", code="document.field", where=fields.where) from error
