"""The body of a revocation feed, as a bundle carries it, and the lines beside it: read strictly, by the lab and by any
verifier.

A feed lists all that a family ever took back, so the newest one is all that a lab needs, whichever it missed, and can
be checked alone. Runs of items with the same delivery, reason and time share a line: some 35 bytes for each item.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fairframe.core.beside import Beside, read_object
from fairframe.core.canonical import Json, canonical
from fairframe.core.errors import BadDocument, InputError
from fairframe.core.fields import Fields
from fairframe.core.ids import check_id
from fairframe.core.time import to_rfc3339

MAX_DELIVERIES = 10_000
"""Deliveries of one family: the renewed leases of all of them fit into one document."""
MAX_ITEMS = 20_000_000
"""Items of one family."""
MAX_ENTRIES = 3 * MAX_ITEMS
"""An item is taken back at most three times, each time for a graver reason."""
RUN = 1_000
"""Items that one line lists at most."""


@dataclass(frozen=True)
class FeedEntry:
    """One item of one delivery that may no longer be used. `seq` counts from 1 within the agreement family."""

    seq: int
    delivery: str
    item: str
    reason: str
    effective_ms: int


@dataclass(frozen=True)
class FeedBody:
    """How many entries the list beside the feed has, and renewed leases (sealed bundles) of a family's deliveries."""

    family: str
    deliveries: tuple[str, ...]
    entries: int
    beside: Beside
    max_age_ms: int
    leases: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "family": self.family,
            "deliveries": list(self.deliveries),
            "entries": self.entries,
            "list": self.beside.to_json(),
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
            entries=fields.integer("entries"),
            beside=Beside.read(fields.fields("list")),
            max_age_ms=fields.integer("max_age_ms", least=1),
            leases=tuple(_lease(item) for item in fields.list("leases", max_items=MAX_DELIVERIES)),
        )
        fields.close()
        if not body.beside.lines <= body.entries <= MAX_ENTRIES:
            what = f"Field 'entries' is not between the lines of its list and {MAX_ENTRIES}"
            raise BadDocument(what, code="document.field", where=fields.where)
        return body

    def read(self, lines: Iterable[bytes]) -> Iterator[FeedEntry]:
        """The entries that the list's lines say, numbered as they stand. Raises BadDocument (feed.entries) where
        these are not as many as was signed, (document.field, document.not_canonical) on a line of another form."""
        seq = 0
        for number, line in enumerate(lines, 1):
            fields = read_object(line, f"feed.items.jsonl:{number}")
            delivery, reason = fields.id("delivery", "dlv"), fields.text("reason", max_chars=200)
            since_ms = fields.time_ms("effective_at")
            for item in _ids(fields, "items", "itm", RUN):
                seq += 1
                yield FeedEntry(seq, delivery, item, reason, since_ms)
            fields.close()
        if seq != self.entries:
            raise BadDocument(f"The feed lists {seq} entries, signed are {self.entries}", code="feed.entries")


def lines_of(entries: Iterable[FeedEntry]) -> Iterator[bytes]:
    """The lines of a feed's list, from its entries in their order."""
    for (delivery, reason, since_ms), run in groupby(entries, lambda e: (e.delivery, e.reason, e.effective_ms)):
        head = {"delivery": delivery, "reason": reason, "effective_at": to_rfc3339(since_ms)}
        items: list[str] = []
        for entry in run:
            items.append(entry.item)
            if len(items) == RUN:
                yield canonical({**head, "items": items})
                items = []
        if items:
            yield canonical({**head, "items": items})


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
