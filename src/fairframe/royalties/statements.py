"""Statements: what a contributor earned and was paid in a time, with all that is needed to recompute it.

One is signed of closed periods only: nothing is dated into them any more, so it stays true, and the closing balance is
the opening one of the next. Of any other time there is a draft.
"""

from dataclasses import dataclass
from typing import Any

from fairframe.core import dsse
from fairframe.core.bundle import Bundle, read_payload
from fairframe.core.canonical import canonical
from fairframe.core.errors import InputError, Refused
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.payouts import only_currency
from fairframe.royalties.periods import closed_until
from fairframe.royalties.statement_body import make_body
from fairframe.royalties.statement_csv import to_csv
from fairframe.royalties.statement_lines import Shared
from fairframe.royalties.tables import statement as statement_table

TYPE = "statement"
SUMS = ("opening", "earned", "adjusted", "withheld", "paid", "closing")


@dataclass(frozen=True)
class Statement:
    """id: stm_..., also the bundle's. envelope: the sealed bundle. new: False where this one was issued before."""

    id: str
    envelope: bytes
    bundle: Bundle
    csv: str
    new: bool

    @property
    def body(self) -> dict[str, Any]:
        return self.bundle.body


def statement(
    tx: WriteTx,
    contributor: Row,
    from_ms: int = 0,
    to_ms: int | None = None,
    currency: str | None = None,
    shared: Shared | None = None,
) -> Statement:
    """The statement over what has its accounting date in [from_ms, to_ms) in one currency.

    to_ms: no later than the end of the last closed period, which it is where it is None. shared: kept between the
    statements of a batch. Where the newest statement of that time says the same, it is returned and nothing is written.
    Raises Refused where nothing was ever earned, and (statement.open) where the time is not closed; InputError on a
    bad period or several currencies, IntegrityFailure.
    """
    ledger.lock(tx)  # the same one asked for twice at once is made once
    until = _closed(tx, from_ms, to_ms)
    code = currency or only_currency(tx, contributor)
    body = make_body(tx, contributor, code, from_ms, until, shared)
    known = _newest(tx, contributor, code, from_ms, until)
    if known is not None and canonical(known.body) == canonical(body):
        return known
    public_id = new_id("stm")
    envelope = bundles.issue(tx, TYPE, contributor["public_id"], body, id=public_id)
    tx.insert(
        statement_table,
        public_id=public_id,
        contributor_id=contributor["id"],
        currency=code,
        from_ms=from_ms,
        to_ms=until,
        envelope=envelope.decode(),
    )
    period = {"from": to_rfc3339(from_ms), "to": to_rfc3339(until)}
    amounts = {f"{name}_micro": body[f"{name}_micro"] for name in SUMS}
    tx.record(
        "statement.issued", contributor["public_id"], {"statement": public_id, "currency": code} | period | amounts
    )
    return read(envelope, new=True)


def draft(
    tx: Tx,
    contributor: Row,
    from_ms: int = 0,
    to_ms: int | None = None,
    currency: str | None = None,
) -> dict[str, Any]:
    """The body over [from_ms, to_ms), closed or not: what is not may still change. to_ms None: up to now.

    Nothing is signed or written. Raises what statement raises, except statement.open.
    """
    # what is booked in the millisecond in which a period was closed is dated to the end of that
    until = max(tx.now_ms, closed_until(tx)) + 1 if to_ms is None else to_ms
    _check_period(from_ms, until)
    code = currency or only_currency(tx, contributor)
    return make_body(tx, contributor, code, from_ms, until)


def _closed(tx: Tx, from_ms: int, to_ms: int | None) -> int:
    closed = closed_until(tx)
    until = closed if to_ms is None else to_ms
    if until > closed or not closed:
        raise Refused(
            f"a statement is signed of closed periods, and {_how_far(closed)}",
            code="statement.open",
            remedy="Close it first: fairframe royalties close --to DATE",
        )
    _check_period(from_ms, until)
    return until


def _how_far(closed_ms: int) -> str:
    return f"they end at {to_rfc3339(closed_ms)}" if closed_ms else "none is closed yet"


def _check_period(from_ms: int, until: int) -> None:
    if until <= from_ms:
        raise InputError("the period ends before it begins", code="statement.period")


def read(envelope: bytes, *, new: bool = False) -> Statement:
    """A statement from its envelope. No signature is verified: this is for our own, or after a check."""
    bundle = read_payload(dsse.read_envelope(envelope).payload)
    if bundle.type != TYPE:
        raise InputError(f"this is a {bundle.type}, not a statement", code="statement.type", where=bundle.id)
    return Statement(bundle.id, envelope, bundle, to_csv(bundle.body), new)


def currencies(tx: Tx, contributor: Row) -> list[str]:
    """The currencies in which a contributor has an account."""
    return sorted({one.currency for one in ledger.balances(tx, ledger.accrued(contributor["public_id"]))})


def _newest(tx: Tx, contributor: Row, currency: str, from_ms: int, to_ms: int) -> Statement | None:
    columns = statement_table.c
    where = (
        columns.contributor_id == contributor["id"],
        columns.currency == currency,
        columns.from_ms == from_ms,
        columns.to_ms == to_ms,
    )
    row = tx.row(statement_table.select().where(*where).order_by(columns.id.desc()).limit(1))
    return read(row["envelope"].encode()) if row else None
