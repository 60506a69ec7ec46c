"""Closing a period: its trial balance is signed and its end becomes the earliest accounting date. It is never undone.

Bundle type "period": core/period_body.py. The list beside it, which holds every account, lies in the object store
under its SHA-256; the row of `period` keeps that digest, against which the ledger is compared ever after.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core import dsse
from fairframe.core.bundle import read_payload
from fairframe.core.errors import Conflict, Refused
from fairframe.core.finding import Finding
from fairframe.core.ids import new_id
from fairframe.core.period_body import PeriodBody, TrialLine
from fairframe.core.time import to_rfc3339
from fairframe.dataset.papers import Papers, keep_list, kept
from fairframe.platform import bundles
from fairframe.platform.tx import Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.royalties import ledger, periods
from fairframe.royalties.checklist import checklist, waiting
from fairframe.royalties.periods import Period
from fairframe.royalties.tables import ledger_txn, period
from fairframe.royalties.trial_balance import described, totals, trial_balance

TYPE = "period"


@dataclass(frozen=True)
class Plan:
    """What close would close, [from_ms, to_ms), and what was found; lines: the trial balance, totals: by kind."""

    from_ms: int
    to_ms: int
    findings: list[Finding]
    lines: list[TrialLine]
    totals: tuple[TrialLine, ...]
    digest: str
    transactions: int

    @property
    def reasons(self) -> list[str]:
        """Why it cannot be closed."""
        return [one.text for one in self.findings if one.ok is False]


def plan(tx: Tx, to_ms: int, *, carry: bool = False) -> Plan:
    """Look at what is to be closed: the time from the end of the last closed period up to to_ms.

    carry: revenue that waits for its allocation stays in its pool.
    """
    from_ms = periods.closed_until(tx)
    lines = trial_balance(tx, from_ms, to_ms) if from_ms < to_ms else []
    dated = (ledger_txn.c.effective_ms < to_ms, *((ledger_txn.c.effective_ms >= from_ms,) if from_ms else ()))
    count = int(tx.scalar(sa.select(sa.func.count()).select_from(ledger_txn).where(*dated)))
    found = checklist(tx, from_ms, to_ms, lines, carry)
    return Plan(from_ms, to_ms, found, lines, totals(lines), described(lines).digest, count)


def close(tx: WriteTx, to_ms: int, *, carry: bool = False, confirmed: str | None = None) -> Period:
    """Close the time up to to_ms and sign its trial balance.

    confirmed: the digest of the plan that a person said yes to; None where nobody was asked. Raises Refused
    (period.refused) with the reasons of the checklist, Conflict (period.changed) where something was booked meanwhile.
    """
    if tx.ws.role != "library":
        raise Refused("only a library keeps this ledger", code="ledger.role", remedy="Run it in the library.")
    ledger.lock(tx)
    planned = plan(tx, to_ms, carry=carry)
    if planned.reasons:
        raise Refused("the period cannot be closed", code="period.refused", reasons=planned.reasons)
    if confirmed not in (None, planned.digest):
        raise Conflict(
            "something was booked in the period since it was looked at",
            code="period.changed",
            remedy="Nothing was closed: run it again and look at it",
        )
    held = periods.listing(tx)
    beside = keep_list(tx.ws, (line.line() for line in planned.lines))
    body = PeriodBody(
        from_ms=planned.from_ms,
        to_ms=to_ms,
        previous=held[-1].id if held else "",
        transactions=planned.transactions,
        waiting=len(waiting(tx, planned.lines)),
        totals=planned.totals,
        beside=beside,
    )
    public_id = new_id("prd")
    envelope = bundles.issue(tx, TYPE, "", body.to_json(), id=public_id)
    values = {"from_ms": body.from_ms, "to_ms": to_ms, "digest": beside.digest}
    tx.insert(period, public_id=public_id, envelope=envelope.decode(), **values)
    times = {"from": to_rfc3339(body.from_ms), "to": to_rfc3339(to_ms)}
    told = {"transactions": body.transactions, "waiting": body.waiting, "trial_balance": beside.digest}
    tx.record("period.closed", public_id, {"period": public_id, **times, **told})
    return periods.listing(tx)[-1]


def body_of(one: Period) -> PeriodBody:
    """What was signed of a closed period. No signature is verified: it is our own."""
    return PeriodBody.from_json(read_payload(dsse.read_envelope(one.envelope).payload).body)


def papers(ws: Workspace, one: Period) -> Papers:
    """The signed document of a closed period and the list beside it."""
    return kept(ws, one.envelope, body_of(one).beside)
