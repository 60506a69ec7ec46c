"""A contributor's no, and all that follows from it, in one transaction.

The no itself is one consent event. Its only effects on what was delivered are a feed entry and an obligation per
delivered item; leases of the rest, releases, checkpoints and earned money stay as they are. What it will do is told
by flows.impact, which asks for the same items and deliveries by the same queries; `rights what-if`
and the question before the act show that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairframe.core.errors import Conflict
from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.revocation import Revoked
from fairframe.dataset.sweep import denied
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.flows.impact import OPTED_OUT, items_of
from fairframe.flows.undone import undone
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import consent, incidents

DENIED = "consent was taken back"


@dataclass(frozen=True)
class OptedOut:
    """`consent`: public id of the event. `revoked`: what it took back, by delivery. `incident`: what a backdated no
    opened."""

    consent: str
    revoked: tuple[Revoked, ...]
    incident: str | None = None

    @property
    def items(self) -> int:
        """Delivered items that were taken back."""
        return sum(one.items for one in self.revoked)


def opt_out(tx: WriteTx, contributor: Row, reason: str = "", valid_from_ms: int | None = None) -> OptedOut:
    """Record a contributor's overall no and take back everything of theirs that was delivered.

    `reason` is the contributor's own and stays in the library; labs are told only that there was an opt-out. A no
    that is valid from the past changes no past decision: it opens an incident. Raises Conflict (opt_out.already)
    where it is in force already.
    """
    # first of all: from here on nothing is published that does not know of this no
    close_behind(tx)
    from_ms = tx.now_ms if valid_from_ms is None else valid_from_ms
    if consent.opted_out(tx, contributor["id"]) and consent.opted_out(tx, contributor["id"], from_ms):
        raise Conflict(
            "the contributor has opted out already",
            code="opt_out.already",
            where=contributor["public_id"],
            remedy="Nothing is left to do.",
        )
    event = consent.opt_out(tx, contributor, reason, from_ms)
    incident = incidents.open_if_backdated(tx, contributor, from_ms)
    theirs = revocation.revoke(tx, items_of(tx, contributor["id"]), OPTED_OUT) if from_ms <= tx.now_ms else ()
    return OptedOut(event, tuple(theirs), incident)


def deny(
    tx: WriteTx,
    contributor: Row,
    purpose: str,
    *,
    action: str = "*",
    asset: Row | None = None,
    collection: Row | None = None,
    reason: str = "",
    valid_from_ms: int | None = None,
) -> tuple[str, list[Revoked]]:
    """Record a narrower no and take back what was delivered and no longer clears. Returns the event's id and those.

    A no that is valid from the past opens an incident (rights/incidents.py).
    """
    close_behind(tx)
    event = consent.set(
        tx,
        contributor=contributor,
        effect="deny",
        purpose=purpose,
        action=action,
        asset=asset,
        collection=collection,
        reason=reason,
        valid_from_ms=valid_from_ms,
    )
    incidents.open_if_backdated(tx, contributor, valid_from_ms)
    back = denied(tx, items_of(tx, contributor["id"]))
    return event, revocation.revoke(tx, revocation.chosen_ids(tx, back), DENIED)


@dataclass(frozen=True)
class TakesBack:
    """What a no takes back from one delivery. party: the lab."""

    delivery: str
    name: str
    party: str
    items: int
    duration_ms: int


def preview(ws: Workspace, no: Callable[[WriteTx], Sequence[Revoked]]) -> list[TakesBack]:
    """What a no would take back: it is done, and undone with its transaction."""
    return undone(ws, lambda tx: by_delivery(tx, no(tx)))


def by_delivery(tx: Tx, revoked: Sequence[Revoked]) -> list[TakesBack]:
    """What was taken back, delivery by delivery."""
    found: list[TakesBack] = []
    for one in revoked:
        where = (delivery_table.c.public_id == one.delivery) & (delivery_table.c.direction == "out")
        row = tx.row(delivery_table.select().where(where))
        assert row is not None
        lab = bundles.pinned(tx, row["party"]).name
        found.append(TakesBack(one.delivery, row["name"], lab, one.items, one.duration_ms))
    return found
