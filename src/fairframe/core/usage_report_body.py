"""The usage report: which delivered frames a checkpoint really consumed, as a lab signs it and a library reads it.

It is the body of a bundle of type "usage_report" whose agreement is the one that the delivery was made under.
Standard library and core only, so that both sides share one parser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from fairframe.core.ancestors import METHODS, AncestorRef, read_ancestors
from fairframe.core.canonical import MAX_INT
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields

TYPE = "usage_report"
MAX_ITEMS = 200_000
"""A bundle is at most 16 MiB, which is about this many lines."""


@dataclass(frozen=True, order=True)
class ItemUse:
    """Frames of one delivered item (itm_...) that optimizer steps consumed, over all epochs."""

    item: str
    frames: int


@dataclass(frozen=True)
class UsageReport:
    """Everything a report says.

    checkpoint: ckp_ id in the lab. weights_hash, lineage_digest: SHA-256 hex, of the weights' files and of the
    sealed lineage.json. items: by id, each once, frames > 0. house_frames: consumed frames that the lab rendered
    itself. frames: the sum of both. method: how they were counted.
    """

    checkpoint: str
    name: str
    weights_hash: str
    lineage_digest: str
    family: str
    delivery: str
    method: str
    house_frames: int
    items: tuple[ItemUse, ...]
    ancestors: tuple[AncestorRef, ...] = ()

    @property
    def delivered_frames(self) -> int:
        return sum(use.frames for use in self.items)

    @property
    def frames(self) -> int:
        return self.delivered_frames + self.house_frames

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a bundle's body. Raises BadDocument where a field is missing, unknown or of the wrong type, an item
        is listed twice or out of order, or the total is not the sum."""
        fields = Fields(dict(body), TYPE)
        report = cls(
            checkpoint=fields.id("checkpoint", "ckp"),
            name=fields.text("name", max_chars=200),
            weights_hash=fields.hex("weights_hash"),
            lineage_digest=fields.hex("lineage_digest"),
            family=fields.id("family", "agr"),
            delivery=fields.id("delivery", "dlv"),
            method=fields.text("method", one_of=METHODS),
            house_frames=fields.integer("house_frames"),
            items=tuple(_item(value) for value in fields.list("items", max_items=MAX_ITEMS)),
            ancestors=read_ancestors(fields),
        )
        total = fields.integer("frames")
        fields.close()
        if not report.name.strip() or not report.name.isprintable():
            raise BadDocument("Field 'name' is not printable", code="document.field", where=TYPE)
        names = [use.item for use in report.items]
        if any(one >= other for one, other in pairwise(names)):
            raise BadDocument("The items are not in order, each once", code="document.field", where=f"{TYPE}.items")
        if total != report.frames:
            raise BadDocument(
                f"Field 'frames' says {total}, but its parts sum to {report.frames}",
                code="document.field",
                where=TYPE,
            )
        return report

    def to_body(self) -> dict[str, Any]:
        """The body of the bundle; raises what from_body raises where it would not read back."""
        body: dict[str, Any] = {
            "checkpoint": self.checkpoint,
            "name": self.name,
            "weights_hash": self.weights_hash,
            "lineage_digest": self.lineage_digest,
            "family": self.family,
            "delivery": self.delivery,
            "method": self.method,
            "house_frames": self.house_frames,
            "frames": self.frames,
            "items": [{"item": use.item, "frames": use.frames} for use in sorted(self.items)],
            "ancestors": [ancestor.to_json() for ancestor in self.ancestors],
        }
        UsageReport.from_body(body)
        return body


def _item(value: Any) -> ItemUse:
    fields = Fields(value, f"{TYPE}.items")
    use = ItemUse(fields.id("item", "itm"), fields.integer("frames", least=1))
    fields.close()
    if use.frames > MAX_INT // MAX_ITEMS:
        raise BadDocument("Field 'frames' is not a believable count", code="document.field", where=fields.where)
    return use
