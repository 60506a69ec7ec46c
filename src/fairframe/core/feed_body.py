"""The body of a revocation feed, as a bundle carries it: read strictly, by the lab and by any verifier."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.ids import check_id
from fairframe.core.time import to_rfc3339

MAX_DELIVERIES = 100_000
MAX_ENTRIES = 1_000_000
MAX_LEASES = 1_000


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

    def taken_back(self, delivery: str) -> frozenset[str]:
        """The items of a delivery that may no longer be used."""
        return frozenset(entry.item for entry in self.entries if entry.delivery == delivery)

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
        """Read a feed; BadDocument also where a delivery is listed twice (document.field) or entries are not
        numbered 1, 2, 3, ... without a gap (feed.gap)."""
        fields = Fields(value, "feed.body")
        body = cls(
            family=fields.id("family", "agr"),
            deliveries=_deliveries(fields),
            entries=tuple(FeedEntry.from_json(item) for item in fields.list("entries", max_items=MAX_ENTRIES)),
            max_age_ms=fields.integer("max_age_ms", least=1),
            leases=tuple(_lease(item) for item in fields.list("leases", max_items=MAX_LEASES)),
        )
        fields.close()
        if [entry.seq for entry in body.entries] != list(range(1, len(body.entries) + 1)):
            raise BadDocument("The feed's entries are not numbered 1, 2, 3", code="feed.gap", where=fields.where)
        return body


def _deliveries(fields: Fields) -> tuple[str, ...]:
    where = f"{fields.where}.deliveries"
    try:
        found = tuple(check_id(one, "dlv") for one in fields.list("deliveries", max_items=MAX_DELIVERIES))
    except InputError as error:
        raise BadDocument(error.message, code="document.field", where=where) from error
    if len(set(found)) != len(found):
        raise BadDocument("A delivery is listed twice", code="document.field", where=where)
    return found


def _lease(value: Json) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadDocument("A lease is not base64", code="document.field", where="feed.body.leases")
