"""Opening a received delivery for training: only under a live lease and a fresh feed, and only what is not revoked.

What a later opt-out means for a training that is running is the agreement's remedy:

    grandfather         it goes on with what it opened; whoever opens anew does not get the item
    stop_at_next_epoch  ask admitted() before each epoch
    withdraw            ask admitted() before each step; checkpoints that consumed the item are deleted too

A lab controls its machine: this keeps an honest lab from mistakes, and shows nothing about a dishonest one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import Conflict, IntegrityFailure, NotFound, Refused
from fairframe.core.ids import is_id
from fairframe.core.item_line import Item, Split, read_line
from fairframe.dataset import feeds, leases
from fairframe.dataset.clip import Clip
from fairframe.dataset.governing import governing, kept_until_ms
from fairframe.dataset.square import square_frames
from fairframe.dataset.standing import Finding, Standing, findings
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry, obligation, obligation_event, received_item
from fairframe.media.workers import make_worker
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights.agreement import Agreement
from fairframe.rights.offers import Remedy

IN = "in"
MAX_ROWS = 10_000


@dataclass(frozen=True)
class OpenDelivery:
    """A delivery that was opened. `items` are those that it may use, in signed order; they never grow.

    `agreement` governed its family when it was opened.
    """

    ws: Workspace
    delivery: Row
    agreement: Agreement
    items: tuple[Item, ...]

    @property
    def id(self) -> str:
        return str(self.delivery["public_id"])

    @property
    def remedy(self) -> Remedy:
        """What an opt-out means for a training that runs."""
        return self.agreement.terms.opt_out_remedy

    def check(self) -> None:
        """Raise Refused (delivery.closed), with all reasons, unless the delivery may be open now."""
        with self.ws.read() as tx:
            refuse(self.delivery, standing_findings(tx, self.delivery))

    def admitted(self) -> set[str]:
        """Ids of the opened items that this opening may use now (see the module's remedies)."""
        with self.ws.read() as tx:
            may = _kept_of(tx, self.delivery) if self.remedy == "grandfather" else admitted_of(tx, self.delivery)
        return may.intersection(one.id for one in self.items)

    def clips(self, size: int, fps: int = 24, split: Split | None = None) -> Iterator[Clip]:
        """Decode the admitted items one after the other: uint8 RGB (T, size, size, 3) at `fps`.

        Every clip's bytes are checked against the signed hash first; all are decoded in one limited child process.
        Raises Refused as check() does, IntegrityFailure (clip.missing, clip.changed, clip.frames) and MediaError.
        """
        self.check()
        admitted = self.admitted()
        with make_worker(self.ws.settings) as worker:
            for one in self.items:
                if one.id not in admitted or (split is not None and one.split != split):
                    continue
                if not self.ws.objects.verify(one.bytes_hash):
                    raise _broken(self.ws, one)
                frames = square_frames(worker, self.ws.objects.path(one.bytes_hash), one, size, fps)
                yield Clip(one.id, self.id, frames, one.caption, one.group, one.split)


def open_delivery(ws: Workspace, name: str) -> OpenDelivery:
    """Open a received delivery by name or id.

    Raises NotFound, Conflict (delivery.ambiguous: two libraries use this name), Refused (delivery.closed, with all
    reasons and the remedy; delivery.empty where every item was taken back).
    """
    with ws.read() as tx:
        row = find_delivery(tx, name)
        refuse(row, standing_findings(tx, row))
        items = tuple(_read(tx, received_item.c.delivery_id == row["id"], ~_taken_back(row)))
        agreement = governing(tx, row["family"])
    if not items:
        raise Refused(f"every item of the delivery {row['name']} was taken back", code="delivery.empty")
    return OpenDelivery(ws, row, agreement, items)


def find_delivery(tx: Tx, name: str) -> Row:
    """A received delivery by name or id; of several from one library by the same name, the newest.

    What looks like an id is never a name. Raises NotFound, Conflict (delivery.ambiguous: two libraries use the name).
    """
    column = delivery_table.c.public_id if is_id(name, "dlv") else delivery_table.c.name
    statement = delivery_table.select().where(column == name, delivery_table.c.direction == IN)
    rows = tx.rows(statement.order_by(delivery_table.c.id.desc()))
    if not rows:
        raise NotFound(
            f"no received delivery is called {name[:80]!r}",
            code="delivery.missing",
            remedy="See: fairframe dataset list; take one in with: fairframe dataset receive DIR",
        )
    if len({row["party"] for row in rows}) > 1:
        raise Conflict(
            f"two libraries have sent a delivery called {name!r}",
            code="delivery.ambiguous",
            remedy="Name it by id: " + " or ".join(row["public_id"] for row in rows),
        )
    return rows[0]


def items_of(tx: Tx, delivery: Row) -> list[Item]:
    """All items of a received delivery in signed order, revoked ones included."""
    return list(_read(tx, received_item.c.delivery_id == delivery["id"]))


def admitted_of(tx: Tx, delivery: Row) -> set[str]:
    """Ids of a received delivery's items that its feed has not taken back."""
    where = (received_item.c.delivery_id == delivery["id"]) & ~_taken_back(delivery)
    return set(tx.execute(sa.select(received_item.c.item).where(where)).scalars())


def _kept_of(tx: Tx, delivery: Row) -> set[str]:
    """Ids of a received delivery's items whose deletion was not attested."""
    named = tx.execute(sa.select(received_item.c.item).where(received_item.c.delivery_id == delivery["id"]))
    return set(named.scalars()) - deleted(tx, delivery["public_id"])


def _read(tx: Tx, *where: sa.ColumnElement[bool]) -> Iterator[Item]:
    statement = sa.select(received_item.c.line).where(*where).order_by(received_item.c.idx)
    with tx.execute(statement.execution_options(yield_per=MAX_ROWS)) as rows:
        for line in rows.scalars():
            yield read_line(line.encode())


def _taken_back(delivery: Row) -> sa.ColumnElement[bool]:
    """Whether the feed has taken a received item back."""
    back = sa.select(feed_entry.c.id).where(
        feed_entry.c.direction == IN,
        feed_entry.c.delivery == delivery["public_id"],
        feed_entry.c.item == received_item.c.item,
    )
    return back.exists()


def standing_findings(tx: Tx, delivery: Row) -> list[Finding]:
    """What speaks against opening a received delivery now."""
    agreement, lease = governing(tx, delivery["family"]), leases.newest(tx, delivery["public_id"])
    feed, now_ms = feeds.latest(tx, delivery["family"]), bundles.trusted_now_ms(tx)
    return findings(
        Standing(
            now_ms=now_ms,
            agreement_state=agreement.state(now_ms),
            kept_until_ms=kept_until_ms(tx, delivery),
            lease_starts_ms=None if lease is None else lease["starts_ms"],
            lease_ends_ms=None if lease is None else lease["ends_ms"],
            feed_issued_ms=None if feed is None else feed["issued_at_ms"],
            feed_max_age_ms=agreement.terms.feed_age_ms,
        )
    )


def refuse(delivery: Row, found: list[Finding]) -> None:
    """Raise Refused if there are findings; the remedy is that of the first."""
    if found:
        raise Refused(
            f"the delivery {delivery['name']} may not be opened: " + "; ".join(one.text for one in found),
            reasons=[f"{one.code}: {one.text}" for one in found],
            code="delivery.closed",
            where=delivery["public_id"],
            remedy=found[0].remedy,
        )


def deleted(tx: Tx, delivery: str) -> set[str]:
    """Items of a delivery whose deletion this lab has attested."""
    statement = (
        sa.select(obligation.c.item)
        .join(obligation_event, obligation_event.c.obligation_id == obligation.c.id)
        .where(obligation.c.delivery == delivery, obligation.c.direction == IN)
        .where(obligation_event.c.kind == "attested")
    )
    return {row["item"] for row in tx.rows(statement)}


def _broken(ws: Workspace, one: Item) -> IntegrityFailure:
    there = ws.objects.exists(one.bytes_hash)
    return IntegrityFailure(
        f"the clip of {one.id} {'was changed' if there else 'is missing'}",
        code="clip.changed" if there else "clip.missing",
        where=one.path,
        remedy="Take the delivery in again: fairframe dataset receive DIR",
    )
