"""The body of a revocation feed, as a bundle carries it: read strictly, by the lab and by any verifier."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.ids import check_id
from fairframe.core.time import to_rfc3339

MAX_DELIVERIES = 1_000
MAX_ITEMS = 60_000
"""Deliveries and items of one family, so that one feed can take all of them back, be it each at a time of its own, and
one attestation can name them."""
MAX_ENTRIES = 3 * MAX_ITEMS
"""An item is taken back at most three times, each time for a graver reason."""


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


@dataclass(frozen=True)
class FeedBody:
    """All revocations of a family, and renewed leases (sealed lease bundles) of its live deliveries.

    As JSON the entries are runs of items with the same delivery, reason and time, numbered as they stand: a feed holds
    all that a family ever took back.
    """

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
            "entries": _runs(self.entries),
            "max_age_ms": self.max_age_ms,
            "leases": [base64.b64encode(lease).decode("ascii") for lease in self.leases],
        }

    @classmethod
    def from_json(cls, value: Json) -> "FeedBody":
        """Read a feed; BadDocument (document.field) also where a delivery is listed twice."""
        fields = Fields(value, "feed.body")
        body = cls(
            family=fields.id("family", "agr"),
            deliveries=_deliveries(fields),
            entries=_entries(fields),
            max_age_ms=fields.integer("max_age_ms", least=1),
            leases=tuple(_lease(item) for item in fields.list("leases", max_items=MAX_DELIVERIES)),
        )
        fields.close()
        return body


def _runs(entries: Sequence[FeedEntry]) -> list[dict[str, Any]]:
    return [
        {"delivery": delivery, "reason": reason, "effective_at": to_rfc3339(since_ms), "items": [e.item for e in run]}
        for (delivery, reason, since_ms), run in groupby(entries, lambda e: (e.delivery, e.reason, e.effective_ms))
    ]


def _entries(body: Fields) -> tuple[FeedEntry, ...]:
    found: list[FeedEntry] = []
    for value in body.list("entries", max_items=MAX_ENTRIES):
        fields = Fields(value, "feed.entries")
        delivery, reason = fields.id("delivery", "dlv"), fields.text("reason", max_chars=200)
        since_ms = fields.time_ms("effective_at")
        for item in _ids(fields, "items", "itm", MAX_ENTRIES - len(found)):
            found.append(FeedEntry(len(found) + 1, delivery, item, reason, since_ms))
        fields.close()
    return tuple(found)


def _ids(fields: Fields, name: str, prefix: str, most: int) -> Iterator[str]:
    for one in fields.list(name, max_items=most):
        try:
            yield check_id(one, prefix)
        except InputError as error:
            raise BadDocument(error.message, code="document.field", where=f"{fields.where}.{name}") from error


def _deliveries(fields: Fields) -> tuple[str, ...]:
    found = tuple(_ids(fields, "deliveries", "dlv", MAX_DELIVERIES))
    if len(set(found)) != len(found):
        raise BadDocument("A delivery is listed twice", code="document.field", where=f"{fields.where}.deliveries")
    return found


def _lease(value: Json) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadDocument("A lease is not base64", code="document.field", where="feed.body.leases")
