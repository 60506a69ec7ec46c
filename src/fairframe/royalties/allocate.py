"""Allocation: splitting the pool of a revenue event among contributors and, inside each share, among their assets.

Each revenue event is allocated once, in one transaction: the allocation, its lines, its asset lines, and the posting
pool -> contributors. An event under whose agreement nothing was delivered yet stays pending, and so does one whose
method gives nobody a weight, or a refund of what is not allocated itself. One that cannot be allocated as things stand
(its assets' shares do not sum to one, its weights exceed 64 bits, its terms cannot be read) failed, and holds up no
other.
"""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import FairframeError
from fairframe.platform import runs
from fairframe.platform.runs import Progress
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import allocation_rows, bulk, events, ledger
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.shares import Waiting, divide
from fairframe.royalties.tables import allocation, ledger_leg, revenue_event

KIND = "royalties.allocate"


@dataclass(frozen=True)
class Allocated:
    """What became of one revenue event: an allocation, or the reason why it is pending. failed: more than time has to
    pass before it can be allocated."""

    event: str
    agreement: str
    allocation: str | None
    contributors: int = 0
    assets: int = 0
    pending: str = ""
    failed: bool = False

    @property
    def words(self) -> str:
        """One line for people."""
        state = "failed: " if self.failed else ""
        return f"{self.event}: {state}" + (
            self.pending or f"{self.contributors} contributors, {self.assets} asset lines"
        )


def allocate(ws: Workspace, show: Progress = runs.silent) -> list[str]:
    """Allocate every revenue event that is not allocated; returns the ids of the new allocations.

    What stays pending or failed, and why, is in the run's result and in `pending`; each event stands for itself.
    """
    return [one.allocation for one in allocate_all(ws, show) if one.allocation is not None]


def allocate_all(ws: Workspace, show: Progress = runs.silent) -> list[Allocated]:
    """Like allocate, with what became of every open event."""
    with runs.running(ws, KIND, {}, show) as run:
        with ws.read() as tx:
            events = open_events(tx)
        done: list[Allocated] = []
        for count, event in enumerate(events):
            run.progress(count, len(events), event["public_id"])
            done.append(_one(ws, event))
            run.progress(count + 1, len(events), done[-1].words)
        run.result |= {
            "allocations": [one.allocation for one in done if one.allocation],
            "pending": [{"event": one.event, "reason": one.pending} for one in done if one.pending],
            "failed": [one.event for one in done if one.failed],
        }
    return done


def _one(ws: Workspace, event: Row) -> Allocated:
    try:
        with ws.write() as tx:
            return allocate_event(tx, event["public_id"])
    except FairframeError as error:
        return replace(_pending(event, str(error)), failed=True)


def open_events(tx: Tx) -> list[Row]:
    """Revenue events without an allocation that were not taken back, oldest first."""
    return list(tx.rows(_open().order_by(revenue_event.c.id)))


def allocate_event(tx: WriteTx, event_id: str) -> Allocated:
    """Allocate one event, if it has no allocation and something gives a weight; see the module's words."""
    ledger.lock(tx)
    event = tx.row(_open().where(revenue_event.c.public_id == event_id))
    if event is None:
        return Allocated(event_id, "", None)
    deal = find_agreement(tx, event["agreement"])
    pool = pool_micro(tx, event)
    with bulk.connection() as con:
        try:
            basis = divide(con, tx, event, deal, abs(pool))
        except Waiting as why:
            return _pending(event, why.message)
        return Allocated(event["public_id"], deal["public_id"], *allocation_rows.write(tx, con, event, basis, pool))


def pool_micro(tx: Tx, event: Row) -> int:
    """What the ledger holds of an open event's pool; below zero where a refund takes from contributors."""
    return -ledger.balance_of(tx, ledger.pool(event["public_id"]), event["currency"])


def pending(tx: Tx) -> list[Allocated]:
    """Open events with the reason why the last allocation left them, or that none was run since."""
    from fairframe.platform.tables import run

    last = tx.row(run.select().where(run.c.kind == KIND, run.c.state == "done").order_by(run.c.id.desc()).limit(1))
    reasons = {one["event"]: one["reason"] for one in last["result"]["pending"]} if last else {}
    failed = set(last["result"].get("failed", ())) if last else set[str]()
    waiting = "not allocated yet: run fairframe royalties allocate"
    return [
        replace(_pending(row, reasons.get(row["public_id"], waiting)), failed=row["public_id"] in failed)
        for row in open_events(tx)
    ]


def _open() -> "sa.Select[Any]":
    """Neither allocated nor taken back, with a pool: an invoice or its payment has one where it is recognized; a
    receipt without an invoice always, though it may be empty."""
    done = sa.exists().where(allocation.c.revenue_event_id == revenue_event.c.id)
    pooled = sa.exists().where(ledger_leg.c.account == ledger.pool("") + revenue_event.c.public_id)
    plain = revenue_event.c.of_id.is_(None) & (events.KIND != events.INVOICE)
    return events.select().where(~done, ~events.taken_back(), pooled | plain)


def _pending(event: Row, why: str) -> Allocated:
    return Allocated(event["public_id"], event["agreement"], None, pending=why)
