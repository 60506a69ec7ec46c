"""Which of the feeds that a library signed told its lab of an entry first."""

from bisect import bisect_left
from functools import cache

import sqlalchemy as sa

from fairframe.core.breach_body import Told
from fairframe.core.bundle import read_payload
from fairframe.core.canonical import Json
from fairframe.core.dsse import read_envelope
from fairframe.core.feed_body import FeedBody
from fairframe.platform.tables import document
from fairframe.platform.tx import Row, Tx

OUT = "out"


def body_of(row: Row) -> dict[str, Json]:
    """The body of a document's row."""
    return read_payload(read_envelope(str(row["envelope"]).encode()).payload).body


class Feeds:
    """The feeds that a library signed for a family; each lists all entries of the one before."""

    def __init__(self, tx: Tx, family: str) -> None:
        where = (document.c.type == "feed") & (document.c.agreement == family) & (document.c.direction == OUT)
        columns = sa.select(document.c.id, document.c.public_id, document.c.seq, document.c.issued_at_ms)
        self._tx = tx
        self._rows = tx.rows(columns.where(where).order_by(document.c.seq))
        self._entries = cache(self._count)
        self._told: dict[int, Told] = {}

    def telling(self, entry: int) -> Told | None:
        """The first feed that lists an entry; None where none was signed since."""
        # a feed of a whole family takes a moment to read: of a thousand, ten are read
        place = bisect_left(range(len(self._rows)), entry, key=self._entries)
        return None if place == len(self._rows) else self._at(place)

    def newest(self) -> Told | None:
        """The last one that was signed; None where none was."""
        return self._at(len(self._rows) - 1) if self._rows else None

    def used(self) -> list[Told]:
        """The feeds that were named, by number."""
        return [self._told[place] for place in sorted(self._told)]

    def _at(self, place: int) -> Told:
        if place not in self._told:
            row = self._rows[place]
            digest = str(self._tx.scalar(sa.select(document.c.digest).where(document.c.id == row["id"])))
            self._told[place] = Told(row["public_id"], row["seq"], row["issued_at_ms"], digest, self._entries(place))
        return self._told[place]

    def _count(self, place: int) -> int:
        row = self._tx.row(sa.select(document.c.envelope).where(document.c.id == self._rows[place]["id"]))
        assert row is not None
        return FeedBody.from_json(body_of(row)).entries
