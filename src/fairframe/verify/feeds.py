"""Reads the bodies of a lease and of a feed, as strictly as the lab that takes them."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields

MAX_ENTRIES = 1_000_000
MAX_DELIVERIES = 100_000
MAX_LEASES = 1_000


@dataclass(frozen=True)
class Lease:
    """The right to open one delivery from `starts_ms` up to, not including, `ends_ms`."""

    delivery: str
    starts_ms: int
    ends_ms: int


@dataclass(frozen=True)
class Feed:
    """All revocations of a family: `entries` are pairs of delivery and item; `leases` are sealed lease bundles."""

    family: str
    deliveries: frozenset[str]
    entries: tuple[tuple[str, str], ...]
    leases: tuple[bytes, ...]

    def taken_back(self, delivery: str) -> frozenset[str]:
        return frozenset(item for where, item in self.entries if where == delivery)


def read_lease(value: dict[str, Any]) -> Lease:
    """BadDocument on another form, and where it ends before it begins."""
    fields = Fields(value, "lease.body")
    lease = Lease(fields.id("delivery", "dlv"), fields.time_ms("starts_at"), fields.time_ms("ends_at"))
    fields.close()
    if lease.ends_ms <= lease.starts_ms:
        raise BadDocument("The lease ends before it begins", code="document.field", where=fields.where)
    return lease


def read_feed(value: dict[str, Any]) -> Feed:
    """BadDocument on another form, and where entries are not numbered 1, 2, 3, ... without a gap (feed.gap)."""
    fields = Fields(value, "feed.body")
    fields.integer("max_age_ms", least=1)
    deliveries = fields.list("deliveries", max_items=MAX_DELIVERIES)
    entries = [_entry(one) for one in fields.list("entries", max_items=MAX_ENTRIES)]
    feed = Feed(
        family=fields.id("family", "agr"),
        deliveries=frozenset(one for one in deliveries if isinstance(one, str)),
        entries=tuple((delivery, item) for _, delivery, item in entries),
        leases=tuple(_lease(one) for one in fields.list("leases", max_items=MAX_LEASES)),
    )
    fields.close()
    if len(feed.deliveries) != len(deliveries):
        raise BadDocument("A delivery is no text, or is listed twice", code="document.field", where=fields.where)
    if [number for number, _, _ in entries] != list(range(1, len(entries) + 1)):
        raise BadDocument("The feed's entries are not numbered 1, 2, 3", code="feed.gap", where=fields.where)
    return feed


def _entry(value: Json) -> tuple[int, str, str]:
    fields = Fields(value, "feed.entries")
    entry = fields.integer("seq", least=1), fields.id("delivery", "dlv"), fields.id("item", "itm")
    fields.text("reason", max_chars=200)
    fields.time_ms("effective_at")
    fields.close()
    return entry


def _lease(value: Json) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadDocument("A lease is not base64", code="document.field", where="feed.body.leases")
