"""Allocation: splitting the pool of a revenue event among contributors and, inside each share, among their assets.

Each revenue event is allocated once, in one transaction: the allocation, its lines, its asset lines, and the posting
pool -> contributors. An event under whose agreement nothing was delivered yet stays pending, and so does one whose
method gives nobody a weight or whose assets' shares do not sum to one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure, Refused
from fairframe.core.ids import new_id
from fairframe.library.tables import contributor
from fairframe.platform import audit, runs
from fairframe.platform.runs import Progress
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import bulk, facts, ledger
from fairframe.royalties.ledger import Leg
from fairframe.royalties.methods import Method, method
from fairframe.royalties.revenue import CORRECTION, find_agreement, pool_micro
from fairframe.royalties.rows import insert_rows
from fairframe.royalties.tables import allocation, allocation_asset, allocation_line, ledger_txn, revenue_event

if TYPE_CHECKING:
    import duckdb

KIND = "royalties.allocate"


@dataclass(frozen=True)
class Allocated:
    """What became of one revenue event: an allocation, or the reason why it is pending."""

    event: str
    agreement: str
    allocation: str | None
    contributors: int = 0
    assets: int = 0
    pending: str = ""

    @property
    def words(self) -> str:
        """One line for people."""
        return f"{self.event}: " + (self.pending or f"{self.contributors} contributors, {self.assets} asset lines")


def allocate(ws: Workspace, show: Progress = runs.silent) -> list[str]:
    """Allocate every revenue event that is not allocated; returns the ids of the new allocations.

    What stays pending, and why, is in the run's result and in `pending`. Raises IntegrityFailure where sums do not
    hold or an agreement's terms cannot be read; the events before it stay allocated.
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
        }
    return done


def _one(ws: Workspace, event: Row) -> Allocated:
    try:
        with ws.write() as tx:
            return allocate_event(tx, event["public_id"])
    except Refused as error:
        return _pending(event, str(error))


def open_events(tx: Tx) -> list[Row]:
    """Revenue events without an allocation that were not taken back, oldest first."""
    return list(tx.rows(_open().order_by(revenue_event.c.id)))


def allocate_event(tx: WriteTx, event_id: str) -> Allocated:
    """Allocate one event, if it has no allocation and something gives a weight; see the module's words."""
    ledger.lock(tx)
    event = tx.row(_open().where(revenue_event.c.public_id == event_id))
    if event is None:
        return Allocated(event_id, "", None)
    deal = find_agreement(tx, event["subject"])
    chosen = method(deal["terms"].get("split_basis"))
    with bulk.connection() as con:
        if facts.load(con, tx, deal) == 0:
            return _pending(event, "nothing was delivered under the agreement yet")
        facts.claim(con, tx, str(deal["family"]), chosen, event["effective_ms"])
        pool = pool_micro(deal, event["net_minor"])
        salt = derive_salt(tx, event_id)
        try:
            total = bulk.split(con, pool, salt)
        except ValueError:
            return _pending(event, chosen.empty)
        return _write(tx, con, event, deal, chosen, pool, total, salt)


def derive_salt(tx: Tx, event_id: str) -> bytes:
    """16 bytes from the event and the audit head: nobody picks it freely, and it is recorded with the allocation."""
    head = audit.head(tx.conn)
    return hashlib.sha256(f"fairframe allocation {event_id} {head.size} {head.root}".encode()).digest()[:16]


def pending(tx: Tx) -> list[Allocated]:
    """Open events with the reason why the last allocation left them, or that none was run since."""
    from fairframe.platform.tables import run

    last = tx.row(run.select().where(run.c.kind == KIND, run.c.state == "done").order_by(run.c.id.desc()).limit(1))
    reasons = {one["event"]: one["reason"] for one in last["result"]["pending"]} if last else {}
    waiting = "not allocated yet: run fairframe royalties allocate"
    return [
        Allocated(row["public_id"], row["subject"], None, pending=reasons.get(row["public_id"], waiting))
        for row in open_events(tx)
    ]


def _open() -> "sa.Select[Any]":
    done = sa.exists().where(allocation.c.revenue_event_id == revenue_event.c.id)
    back = sa.exists().where(ledger_txn.c.kind == CORRECTION, ledger_txn.c.subject == revenue_event.c.public_id)
    return sa.select(revenue_event).where(~done, ~back)


def _pending(event: Row, why: str) -> Allocated:
    return Allocated(event["public_id"], event["subject"], None, pending=why)


def _write(
    tx: WriteTx,
    con: "duckdb.DuckDBPyConnection",
    event: Row,
    deal: Row,
    chosen: Method,
    pool: int,
    total: int,
    salt: bytes,
) -> Allocated:
    check_sums(con, pool)
    public_id = new_id("alc")
    size = audit.tree_size(tx.conn)
    agreements = facts.chain(tx, deal)
    row_id = tx.insert(
        allocation,
        public_id=public_id,
        revenue_event_id=event["id"],
        release=",".join(facts.releases(tx, agreements)),
        method=chosen.name,
        salt=salt.hex(),
        currency=event["currency"],
        pool_micro=pool,
        weight_total=total,
        audit_size=size,
        detail={"unit": chosen.unit, "agreements": agreements},
        recorded_at_ms=ledger.booking_ms(tx),
    )
    lines = bulk.stream(con, "select contributor, contributor_key, weight, amount from line order by contributor")
    columns = ("allocation_id", "contributor_id", "contributor_pseudonym", "weight", "amount_micro")
    people = insert_rows(tx, allocation_line, columns, ((row_id, *line) for line in lines))
    lines = bulk.stream(con, "select contributor, asset, weight, amount from line_asset order by contributor, asset")
    columns = ("allocation_id", "contributor_id", "asset_id", "weight", "amount_micro")
    assets = insert_rows(tx, allocation_asset, columns, ((row_id, *line) for line in lines))
    body: dict[str, Any] = {"allocation": public_id, "event": event["public_id"], "method": chosen.name}
    body |= {"pool_micro": str(pool), "weight_total": str(total), "contributors": people, "salt": salt.hex()}
    tx.record("allocation.made", event["subject"], body)
    if pool:
        legs = [Leg(ledger.pool(event["public_id"]), event["currency"], pool), *_entitlements(tx, row_id, event)]
        ledger.post(tx, "allocation", public_id, legs, f"Pool of {event['public_id']}", event["effective_ms"])
    return Allocated(event["public_id"], event["subject"], public_id, people, assets)


def check_sums(con: "duckdb.DuckDBPyConnection", pool: int) -> None:
    """Whether contributors sum to the pool and assets to their contributor, to the unit; else IntegrityFailure."""
    row = con.execute("select sum(amount::hugeint), min(amount) from line").fetchone()
    if row is None or int(row[0]) != pool or int(row[1]) < 0:
        raise IntegrityFailure("the contributors' amounts do not sum to the pool", code="allocate.sum")
    sql = """select count(*) from line l left join (
      select contributor, sum(amount::hugeint) as amount, min(amount) as least from line_asset group by contributor
    ) a using (contributor) where a.amount is distinct from l.amount or a.least < 0"""
    row = con.execute(sql).fetchone()
    if row is None or row[0] != 0:
        raise IntegrityFailure("asset lines do not sum to their contributor's amount", code="allocate.sum")


def _entitlements(tx: Tx, allocation_id: int, event: Row) -> Iterator[Leg]:
    lines = (
        sa.select(contributor.c.public_id, allocation_line.c.amount_micro)
        .join(contributor, contributor.c.id == allocation_line.c.contributor_id)
        .where(allocation_line.c.allocation_id == allocation_id, allocation_line.c.amount_micro > 0)
        .order_by(allocation_line.c.id)
    )
    for row in tx.execute(lines).mappings():
        yield Leg(ledger.accrued(row["public_id"]), event["currency"], -int(row["amount_micro"]))
