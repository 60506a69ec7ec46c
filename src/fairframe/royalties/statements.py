"""Statements: what a contributor earned and was paid in a period, signed, with all that is needed to recompute it."""

from dataclasses import dataclass
from typing import Any

from fairframe.core import dsse
from fairframe.core.bundle import Bundle, read_payload
from fairframe.core.canonical import canonical
from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.royalties import ledger
from fairframe.royalties.payouts import only_currency
from fairframe.royalties.statement_body import make_body
from fairframe.royalties.statement_csv import to_csv
from fairframe.royalties.tables import statement as statement_table

TYPE = "statement"


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
) -> Statement:
    """The statement over what was booked in [from_ms, to_ms) in one currency (up to now where to_ms is None).

    Its closing balance is the opening one of the statement from its to_ms: nothing is booked before that any more.

    Where the newest statement of that period says the same, it is returned and nothing is written. Raises Refused
    where nothing was ever earned, InputError on a bad period (one that ends in the future, too) or several
    currencies, IntegrityFailure.
    """
    ledger.lock(tx)
    until = _until(tx, from_ms, to_ms)
    code = currency or only_currency(tx, contributor)
    body = make_body(tx, contributor, code, from_ms, until)
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
        recorded_at_ms=ledger.latest_ms(tx),
    )
    period = {"from": to_rfc3339(from_ms), "to": to_rfc3339(until)}
    amounts = {name: body[name] for name in ("opening_micro", "earned_micro", "paid_micro", "closing_micro")}
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
    """The body that statement would sign now. Nothing is signed or written; raises what statement raises."""
    code = currency or only_currency(tx, contributor)
    return make_body(tx, contributor, code, from_ms, _until(tx, from_ms, to_ms))


def _until(tx: Tx, from_ms: int, to_ms: int | None) -> int:
    latest = ledger.latest_ms(tx) + 1
    until = latest if to_ms is None else to_ms
    if until <= from_ms:
        raise InputError("the period ends before it begins", code="statement.period")
    if until > latest:
        raise InputError(
            "the period ends in the future",
            code="statement.period",
            remedy="More may be booked in it: leave its end out for all that is booked up to now",
        )
    return until


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
