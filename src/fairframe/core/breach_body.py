"""The body of a breach record, as a bundle carries it: deletions that a lab owed and did not attest. Read strictly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.feed_body import MAX_ENTRIES, MAX_ITEMS
from fairframe.core.fields import Fields
from fairframe.core.time import to_rfc3339

MAX_FEEDS = 1_000
STATEMENT = (
    "The library states that it told the lab by the named feeds to delete the listed items, that their time is over,"
    " counted from the feed that told them where that is later, and that no attestation of their deletion reached it."
    " It does not know whether they are still there. This record ends nothing by itself: the library may end the"
    " agreement, after which no lease is renewed and all of it is taken back. An attestation that names the items"
    " settles it."
)


@dataclass(frozen=True)
class Told:
    """A feed that the library signed: its id and number, when, the hash of its envelope, how many entries it lists."""

    feed: str
    seq: int
    issued_at_ms: int
    digest: str
    entries: int

    def to_json(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "seq": self.seq,
            "issued_at": to_rfc3339(self.issued_at_ms),
            "digest": self.digest,
            "entries": self.entries,
        }

    @classmethod
    def from_json(cls, value: Json) -> "Told":
        fields = Fields(value, "breach.feeds")
        told = cls(
            fields.id("feed", "fed"),
            fields.integer("seq", least=1),
            fields.time_ms("issued_at"),
            fields.hex("digest"),
            fields.integer("entries", least=1),
        )
        fields.close()
        return told


@dataclass(frozen=True)
class OverdueItem:
    """An item of a delivery that was to be deleted by `due_ms`; `entry`: its number in the feed `feed`, and later."""

    delivery: str
    feed: str
    due_ms: int
    entry: int
    item: str


@dataclass(frozen=True)
class Read:
    """The lab's own word of how far it had read: the newest attestation of the family, and the entries it names."""

    attestation: str
    entries: int

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "Read":
        fields = Fields(value, "breach.read")
        read = cls(fields.id("attestation", "att"), fields.integer("entries"))
        fields.close()
        return read


@dataclass(frozen=True)
class BreachBody:
    """What was owed and is overdue. `read` is None where the lab never attested anything under the family."""

    breach: str
    family: str
    remedy: str
    feeds: tuple[Told, ...]
    items: tuple[OverdueItem, ...]
    read: Read | None

    def to_json(self) -> dict[str, Any]:
        return {
            "breach": self.breach,
            "family": self.family,
            "remedy": self.remedy,
            "feeds": [one.to_json() for one in self.feeds],
            "overdue": _runs(self.items),
            "read": None if self.read is None else self.read.to_json(),
            "statement": STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "BreachBody":
        """Raises BadDocument; breach.feed where an item's feed is not named or does not reach its entry."""
        fields = Fields(value, "breach.body")
        body = cls(
            breach=fields.id("breach", "brc"),
            family=fields.id("family", "agr"),
            remedy=fields.text("remedy", one_of=("grandfather", "stop_at_next_epoch", "withdraw")),
            feeds=tuple(Told.from_json(one) for one in fields.list("feeds", max_items=MAX_FEEDS)),
            items=tuple(_items(fields)),
            read=None if fields.value("read") is None else Read.from_json(fields.value("read")),
        )
        fields.text("statement", one_of=[STATEMENT])
        fields.close()
        body.check()
        return body

    def check(self) -> None:
        feeds = {one.feed: one for one in self.feeds}
        if not self.items or len(feeds) != len(self.feeds) or {one.feed for one in self.items} != set(feeds):
            raise BadDocument("The feeds are not those of the items", code="breach.feed", where=self.breach)
        for one in self.items:
            if one.entry > feeds[one.feed].entries:
                raise BadDocument(f"{one.feed} does not list {one.item}", code="breach.feed", where=self.breach)
        if len({(one.delivery, one.item) for one in self.items}) != len(self.items):
            raise BadDocument("An item is listed twice", code="document.field", where=self.breach)


def _runs(items: Sequence[OverdueItem]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for (delivery, feed, due_ms), run in groupby(items, lambda one: (one.delivery, one.feed, one.due_ms)):
        some = [{"entry": one.entry, "item": one.item} for one in run]
        found.append({"delivery": delivery, "feed": feed, "due_at": to_rfc3339(due_ms), "items": some})
    return found


def _items(body: Fields) -> Iterator[OverdueItem]:
    left = MAX_ITEMS
    for value in body.list("overdue", max_items=MAX_ENTRIES):
        fields = Fields(value, "breach.overdue")
        delivery, feed, due_ms = fields.id("delivery", "dlv"), fields.id("feed", "fed"), fields.time_ms("due_at")
        listed = fields.list("items", max_items=left)
        fields.close()
        left -= len(listed)
        for one in listed:
            named = Fields(one, "breach.overdue.items")
            yield OverdueItem(delivery, feed, due_ms, named.integer("entry", least=1), named.id("item", "itm"))
            named.close()
