"""Reads what a library signs about a delivery: every field, since each of them is signed and can be compared.

The fields are documented in dataset/documents.py.
"""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import digest
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.verify.kind import Finding

RESERVED = ("delivery.json", "agreement.json", "lease.json", "feed.json", "items.jsonl", "clips")


@dataclass(frozen=True)
class DeliveryBody:
    """`derived` maps the plain name of a file that follows from items.jsonl to its SHA-256."""

    delivery: str
    release: str
    family: str
    root: str
    items: int
    items_digest: str
    items_bytes: int
    clips_bytes: int
    duration_ms: int
    derived: dict[str, str]
    agreement_digest: str
    recipe: Finding


def read_delivery_body(value: dict[str, Any]) -> DeliveryBody:
    """Read a body strictly. Raises BadDocument (document.field, delivery.path)."""
    fields = Fields(value, "delivery.body")
    fields.text("name", max_chars=80)
    snapshot = fields.fields("snapshot")
    snapshot.integer("size")
    snapshot.hex("root")
    snapshot.close()
    same = digest(fields.object("recipe")) == fields.hex("recipe_hash")
    body = DeliveryBody(
        delivery=fields.id("delivery", "dlv"),
        release=fields.id("release", "rel"),
        family=fields.id("family", "agr"),
        root=fields.hex("root"),
        items=fields.integer("items"),
        items_digest=fields.hex("items_digest"),
        items_bytes=fields.integer("items_bytes"),
        clips_bytes=fields.integer("clips_bytes"),
        duration_ms=fields.integer("duration_ms"),
        derived=_derived(fields.object("derived")),
        agreement_digest=fields.hex("agreement_digest"),
        recipe=Finding(same, "delivery.recipe", f"the recipe has{'' if same else ' not'} the signed recipe hash"),
    )
    fields.close()
    return body


def _derived(listed: dict[str, Any]) -> dict[str, str]:
    """BadDocument (delivery.path) on a name that leads elsewhere."""
    fields = Fields(listed, "delivery.body.derived")
    for name in listed:
        plain = name.isascii() and name.replace(".", "").replace("_", "").replace("-", "").isalnum()
        if not plain or name.startswith(".") or len(name) > 100 or name in RESERVED:
            raise BadDocument(
                f"{name[:80]!r} is not a name for a derived file", code="delivery.path", where="delivery.json"
            )
    return {name: fields.hex(name) for name in listed}
