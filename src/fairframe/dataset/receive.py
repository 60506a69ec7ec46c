"""Taking a delivery into the lab's workspace. Everything in the directory is hostile until it verifies.

First everything is checked and nothing is stored; then clips go into the object store; then one transaction records
the delivery, its items, lease and feed. A refusal leaves nothing behind.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import IntegrityFailure, VerificationError
from fairframe.dataset import feeds, layout, leases
from fairframe.dataset.arrival import Arrived, check
from fairframe.dataset.gate import close_behind
from fairframe.dataset.revocation import count_taken_back, taken_back
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.dataset.tables import feed_entry, received_item
from fairframe.platform import bundles, runs
from fairframe.platform.runs import Progress, Run, silent
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace

IN = "in"
MAX_ROWS = 1_000


@dataclass(frozen=True)
class Received:
    """A delivery that now stands in this workspace. `new` is False where it stood here before.

    revoked: items that the newest feed takes back; their clips are not stored.
    """

    id: str
    name: str
    agreement: str
    library: str
    items: int
    revoked: int
    size_bytes: int
    duration_ms: int
    new: bool


def receive(ws: Workspace, folder: Path, show: Progress = silent) -> Received:
    """Check a delivery directory and take it in. The same delivery again restores clips that were lost.

    Raises NotFound, BadDocument and VerificationError: delivery.agreement (not the one we signed), delivery.changed
    (names missing, extra and changed files), delivery.unplayable, and what bundles.accept and feeds.refresh raise.
    """
    with runs.running(ws, "dataset.receive", {"folder": str(folder)}, show) as run:
        arrived = check(ws, run, layout.folder_of(folder))
        stored = _store(ws, run, arrived, folder)
        try:
            with ws.write() as tx:
                done = _record(tx, arrived)
        except BaseException:
            _forget(ws, stored)
            raise
        run.result.update(delivery=done.id, new=done.new)
    return done


def _store(ws: Workspace, run: Run, arrived: Arrived, folder: Path) -> list[str]:
    """Copy clips that are not here yet; those that a feed took back are not wanted. Returns the keys it added."""
    with ws.read() as tx:
        back = taken_back(tx, IN, arrived.body.delivery)
    added: list[str] = []
    for place, one in enumerate(arrived.found.items):
        run.progress(place, len(arrived.found.items), "storing clips")
        if one.id in back or ws.objects.verify(one.bytes_hash):
            continue
        key = ws.objects.put_file(folder / one.path)
        added.append(key)
        if key != one.bytes_hash:  # changed between check and copy
            _forget(ws, added)
            raise IntegrityFailure(f"{one.path} changed while it was read", code="delivery.changed", where=str(folder))
    return added


def _forget(ws: Workspace, keys: Collection[str]) -> None:
    """Delete objects that this run added, unless a delivery that came in meanwhile needs them."""
    with ws.read() as tx:
        for key in keys:
            if tx.row(received_item.select().where(received_item.c.bytes_hash == key)) is None:
                ws.objects.delete(key)


def _record(tx: WriteTx, arrived: Arrived) -> Received:
    close_behind(tx)
    body, bundle = arrived.body, arrived.bundle
    accepted = bundles.accept(tx, arrived.envelope, "delivery")
    if accepted.new:
        row = _insert(tx, arrived)
        tx.record("delivery.received", body.delivery, {"name": body.name, "root": body.root, "items": body.items})
    else:
        row = tx.row(delivery_table.select().where(delivery_table.c.public_id == body.delivery))
        assert row is not None
    _take_papers(tx, arrived)
    return Received(
        id=row["public_id"],
        name=row["name"],
        agreement=row["agreement"],
        library=bundle.sender,
        items=body.items,
        revoked=count_taken_back(tx, IN, body.delivery),
        size_bytes=body.clips_bytes,
        duration_ms=body.duration_ms,
        new=accepted.new,
    )


def _take_papers(tx: WriteTx, arrived: Arrived) -> None:
    """The lease and feed that came along; where newer ones are here already, these are merely old."""
    for take in (lambda: leases.take(tx, arrived.lease), lambda: feeds.refresh(tx, arrived.feed)):
        try:
            take()
        except VerificationError as error:
            if error.code not in ("bundle.stale", "feed.stale"):
                raise


def _refuse_claimed(tx: Tx, body: DeliveryBody) -> None:
    """Raise VerificationError (feed.stranger) where the feed of other agreements spoke of the delivery before it came:
    whose it is was not known then."""
    where = (feed_entry.c.direction == IN) & (feed_entry.c.delivery == body.delivery)
    other = tx.scalar(sa.select(feed_entry.c.family).where(where, feed_entry.c.family != body.family).limit(1))
    if other is not None:
        raise VerificationError(
            f"a feed under {other} took back clips of this delivery, which is not its own",
            code="feed.stranger",
            where=body.delivery,
            remedy="Ask the library for another delivery, and the one that signed the feed what happened.",
        )


def _insert(tx: WriteTx, arrived: Arrived) -> Row:
    body, bundle = arrived.body, arrived.bundle
    assert bundle.agreement is not None
    _refuse_claimed(tx, body)
    delivery_id = tx.insert(
        delivery_table,
        public_id=body.delivery,
        direction=IN,
        name=body.name,
        release=body.release,
        agreement=bundle.agreement.id,
        family=body.family,
        party=bundle.sender,
        root=body.root,
        items=body.items,
        duration_ms=body.duration_ms,
        envelope=arrived.envelope.decode(),
    )
    rows = [
        {
            "item": one.id,
            "delivery_id": delivery_id,
            "idx": place,
            "asset_pseudonym": one.asset,
            "contributor_pseudonym": one.contributor,
            "frames": one.frames,
            "duration_ms": one.duration_ms,
            "bytes_hash": one.bytes_hash,
            "caption": one.caption,
            "grp": one.group,
            "split": one.split,
            "line": line.decode(),
        }
        for place, (one, line) in enumerate(zip(arrived.found.items, arrived.found.lines, strict=True))
    ]
    for start in range(0, len(rows), MAX_ROWS):
        tx.insert_many(received_item, rows[start : start + MAX_ROWS])
    row = tx.row(delivery_table.select().where(delivery_table.c.id == delivery_id))
    assert row is not None
    return row
