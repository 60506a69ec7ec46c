"""What `dataset list` and `dataset show` tell, on both sides: plain values, ready for a table or for JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.item_line import read_line
from fairframe.core.time import to_rfc3339
from fairframe.dataset import feeds, leases
from fairframe.dataset.deliveries import find_release
from fairframe.dataset.funnel import Funnel, Gate
from fairframe.dataset.loader import deleted, find_delivery, standing_findings
from fairframe.dataset.obligations import open_obligations, owed
from fairframe.dataset.releases import KIND
from fairframe.dataset.revocation import count_taken_back, taken_back
from fairframe.dataset.tables import dataset_release, item, received_item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.platform.tables import run
from fairframe.platform.tx import Row, Tx
from fairframe.rights.tables import agreement


@dataclass(frozen=True)
class Listed:
    """One line of `dataset list`. A library lists releases, a lab the deliveries that it received.

    state: library: built, delivered or partly taken back; lab: open, or the code of what keeps it closed.
    """

    id: str
    name: str
    agreement: str
    items: int
    revoked: int
    duration_ms: int
    recorded_at_ms: int
    state: str


def listing(tx: Tx) -> list[Listed]:
    """All releases (library) or received deliveries (lab), newest first."""
    return _releases(tx) if tx.ws.role == "library" else _received(tx)


def show(tx: Tx, name: str) -> dict[str, Any]:
    """Everything about one release (library) or received delivery (lab) as JSON values. Raises NotFound."""
    return _release(tx, name) if tx.ws.role == "library" else _delivery(tx, name)


def funnel_of(tx: Tx, release: str) -> Funnel | None:
    """The gates of a release's build, from its run; None where the run is gone. `release`: public id."""
    rows = tx.rows(sa.select(run.c.result).where(run.c.kind == KIND, run.c.state == "done").order_by(run.c.id.desc()))
    for row in rows:
        if row["result"] and row["result"].get("release") == release:
            return Funnel(tuple(Gate.from_json(gate) for gate in row["result"]["funnel"]))
    return None


def deliveries_of_release(tx: Tx, release: str) -> Sequence[Row]:
    """What was handed out of a release. `release`: public id."""
    where = (delivery_table.c.release == release) & (delivery_table.c.direction == "out")
    return tx.rows(delivery_table.select().where(where).order_by(delivery_table.c.id))


def _releases(tx: Tx) -> list[Listed]:
    statement = (
        sa.select(dataset_release, agreement.c.public_id.label("agreement"))
        .join(agreement, agreement.c.id == dataset_release.c.agreement_id)
        .order_by(dataset_release.c.id.desc())
    )
    return [_listed_release(tx, row) for row in tx.rows(statement)]


def _listed_release(tx: Tx, row: Row) -> Listed:
    sent = deliveries_of_release(tx, row["public_id"])
    revoked = sum(count_taken_back(tx, "out", one["public_id"]) for one in sent)
    state = "built" if not sent else "partly taken back" if revoked else "delivered"
    return Listed(
        row["public_id"],
        row["name"],
        row["agreement"],
        row["items"],
        revoked,
        row["duration_ms"],
        row["recorded_at_ms"],
        state,
    )


def _received(tx: Tx) -> list[Listed]:
    where = delivery_table.c.direction == "in"
    found: list[Listed] = []
    for row in tx.rows(delivery_table.select().where(where).order_by(delivery_table.c.id.desc())):
        against = standing_findings(tx, row)
        revoked = count_taken_back(tx, "in", row["public_id"])
        state = against[0].code if against else "open"
        found.append(
            Listed(
                row["public_id"],
                row["name"],
                row["agreement"],
                row["items"],
                revoked,
                row["duration_ms"],
                row["recorded_at_ms"],
                state,
            )
        )
    return found


def _release(tx: Tx, name: str) -> dict[str, Any]:
    row = find_release(tx, name)
    agreement_id = tx.scalar(sa.select(agreement.c.public_id).where(agreement.c.id == row["agreement_id"]))
    lines = tx.rows(sa.select(item.c.line).where(item.c.dataset_release_id == row["id"]).order_by(item.c.idx))
    funnel = funnel_of(tx, row["public_id"])
    return {
        "id": row["public_id"],
        "name": row["name"],
        "agreement": agreement_id,
        "root": row["root"],
        "items": row["items"],
        "duration_ms": row["duration_ms"],
        "bytes": row["bytes"],
        "recipe": row["recipe"],
        "recipe_hash": row["recipe_hash"],
        "audit": {"size": row["audit_size"], "root": row["audit_root"]},
        "published_at": to_rfc3339(row["recorded_at_ms"]),
        "funnel": funnel.to_json() if funnel is not None else [],
        "deliveries": [_sent(tx, one) for one in deliveries_of_release(tx, row["public_id"])],
        "clips": [read_line(line["line"].encode()).to_json() for line in lines],
    }


def _sent(tx: Tx, row: Row) -> dict[str, Any]:
    lease, delivery = leases.newest(tx, row["public_id"]), row["public_id"]
    due = owed(tx, delivery, "out")
    return {
        "id": delivery,
        "to": row["party"],
        "delivered_at": to_rfc3339(row["recorded_at_ms"]),
        "lease_ends_at": to_rfc3339(lease["ends_ms"]) if lease is not None else None,
        "to_delete": due.items,
        "not_attested": due.open,
        "due_at": to_rfc3339(due.due_ms) if due.due_ms is not None else None,
        "overdue": due.overdue,
        "taken_back": sorted(taken_back(tx, "out", delivery)),
    }


def _delivery(tx: Tx, name: str) -> dict[str, Any]:
    row = find_delivery(tx, name)
    delivery = row["public_id"]
    lease, feed = leases.newest(tx, delivery), feeds.latest(tx, row["family"])
    where = received_item.c.delivery_id == row["id"]
    lines = tx.rows(sa.select(received_item.c.line).where(where).order_by(received_item.c.idx))
    due = open_obligations(tx, delivery, "in")
    return {
        "id": delivery,
        "name": row["name"],
        "release": row["release"],
        "agreement": row["agreement"],
        "family": row["family"],
        "from": row["party"],
        "root": row["root"],
        "items": row["items"],
        "duration_ms": row["duration_ms"],
        "received_at": to_rfc3339(row["recorded_at_ms"]),
        "lease_ends_at": to_rfc3339(lease["ends_ms"]) if lease is not None else None,
        "feed": None if feed is None else {"seq": feed["seq"], "issued_at": to_rfc3339(feed["issued_at_ms"])},
        "closed_because": [f"{one.code}: {one.text}" for one in standing_findings(tx, row)],
        "taken_back": sorted(taken_back(tx, "in", delivery)),
        "deleted": sorted(deleted(tx, delivery)),
        "to_delete": [{"item": one["item"], "due_at": to_rfc3339(one["due_ms"])} for one in due],
        "clips": [read_line(line["line"].encode()).to_json() for line in lines],
    }
