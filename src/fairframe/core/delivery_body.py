"""The bodies of a delivery and of a lease, as bundles carry them: read strictly, by the lab and by any verifier."""

import re
from dataclasses import dataclass
from typing import Any

from fairframe.core.bundle import Head
from fairframe.core.canonical import Json, digest
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True)
class DeliveryBody:
    """What a library signs about a delivery. `derived` maps a file that follows from items.jsonl to its SHA-256.

    Its one file is items.parquet, so no name in it can lead out of the folder. `recipe_hash` is the recipe's.
    """

    delivery: str
    name: str
    release: str
    family: str
    root: str
    items: int
    items_digest: str
    items_bytes: int
    clips_bytes: int
    duration_ms: int
    recipe: dict[str, Any]
    recipe_hash: str
    derived: dict[str, str]
    snapshot: Head
    agreement_digest: str

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "name": self.name,
            "release": self.release,
            "family": self.family,
            "root": self.root,
            "items": self.items,
            "items_digest": self.items_digest,
            "items_bytes": self.items_bytes,
            "clips_bytes": self.clips_bytes,
            "duration_ms": self.duration_ms,
            "recipe": self.recipe,
            "recipe_hash": self.recipe_hash,
            "derived": self.derived,
            "snapshot": {"size": self.snapshot.size, "root": self.snapshot.root},
            "agreement_digest": self.agreement_digest,
        }

    @classmethod
    def from_json(cls, value: Json) -> "DeliveryBody":
        """Read a delivery; BadDocument (document.field) also where the recipe has not the hash that is signed."""
        fields = Fields(value, "delivery.body")
        derived, snapshot = fields.fields("derived"), fields.fields("snapshot")
        body = cls(
            delivery=fields.id("delivery", "dlv"),
            name=_name(fields),
            release=fields.id("release", "rel"),
            family=fields.id("family", "agr"),
            root=fields.hex("root"),
            items=fields.integer("items", least=1),
            items_digest=fields.hex("items_digest"),
            items_bytes=fields.integer("items_bytes", least=1),
            clips_bytes=fields.integer("clips_bytes", least=1),
            duration_ms=fields.integer("duration_ms", least=1),
            recipe=dict(fields.object("recipe")),
            recipe_hash=fields.hex("recipe_hash"),
            derived={"items.parquet": derived.hex("items.parquet")},
            snapshot=Head(snapshot.integer("size"), snapshot.hex("root")),
            agreement_digest=fields.hex("agreement_digest"),
        )
        for part in (derived, snapshot, fields):
            part.close()
        if digest(body.recipe) != body.recipe_hash:
            raise BadDocument("Field 'recipe_hash' is not the recipe's", code="document.field", where=fields.where)
        return body


@dataclass(frozen=True)
class LeaseBody:
    """The right to open one delivery from `starts_ms` up to, not including, `ends_ms`."""

    delivery: str
    starts_ms: int
    ends_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery,
            "starts_at": to_rfc3339(self.starts_ms),
            "ends_at": to_rfc3339(self.ends_ms),
        }

    @classmethod
    def from_json(cls, value: Json) -> "LeaseBody":
        """Read a lease; BadDocument (document.field) also where it ends before it begins."""
        fields = Fields(value, "lease.body")
        body = cls(fields.id("delivery", "dlv"), fields.time_ms("starts_at"), fields.time_ms("ends_at"))
        fields.close()
        if body.ends_ms <= body.starts_ms:
            raise BadDocument("The lease ends before it begins", code="document.field", where=fields.where)
        return body


def _name(fields: Fields) -> str:
    name = fields.text("name", max_chars=80)
    if not NAME.fullmatch(name):
        raise BadDocument("Field 'name' is not a plain lower-case name", code="document.field", where=fields.where)
    return name
