"""The ledger: double entry in integers of 10^-6 minor unit, append-only, balanced by the database itself.

The sign is beancount's: what the library holds is positive (cash); what it owes (pool, contributor, tax) or has
earned (library) is negative. A transaction's legs are written first, with a deferred foreign key; its header comes
last, and the header's insert trigger refuses fewer than two legs or a sum other than zero in any currency. After
that no leg can join it. Each transaction is a leaf of the audit tree that carries a digest of its legs.

It has two times. effective_ms is the accounting date, by which periods, statements and the journal cut: what is dated
into a closed period is moved to the first moment after it, and the database refuses what is not. recorded_at_ms is
when it was booked; it never decreases.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.errors import IntegrityFailure, Refused
from fairframe.core.ids import new_id
from fairframe.core.money import MICRO, Currency
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Tx, WriteTx
from fairframe.royalties.periods import closed_until
from fairframe.royalties.rows import insert_rows
from fairframe.royalties.tables import ledger_leg, ledger_txn

CASH, CLEARING, LIBRARY, TAX, WITHHOLDING = "cash", "clearing", "library", "tax", "withholding"
ACCOUNTS = {
    CASH: "",
    CLEARING: "",
    "receivable": "rev",
    LIBRARY: "",
    TAX: "",
    WITHHOLDING: "",
    "pool": "rev",
    "contributor": "ctr",
    "payable": "ctr",
    "carry": "ctr",
    "reserve": "pay",
    "transit": "pay",
}
"""Every account, and of what each has one of its own: the prefix of an id that follows after a colon; "" for none."""

MAX_MICRO = 2**63 - 1
"""What a leg can hold; one amount is therefore at most MAX_MINOR minor units."""
MAX_MINOR = 9_000_000_000_000

_ACCOUNT = re.compile(r"([a-z]+)(?::([a-z]{3})_[0-9a-z]{26})?")
_LOCK = 0x6C656467  # any constant: one ledger per database


@dataclass(frozen=True)
class Leg:
    account: str
    currency: str
    amount_micro: int


@dataclass(frozen=True, order=True)
class Balance:
    account: str
    currency: str
    amount_micro: int


def receivable(revenue_event: str) -> str:
    """The account of an invoice that is not paid yet."""
    return f"receivable:{revenue_event}"


def pool(revenue_event: str) -> str:
    """The account of a revenue event's pool, until it is allocated."""
    return f"pool:{revenue_event}"


def accrued(contributor: str) -> str:
    """The account of what a contributor is entitled to and was not released yet."""
    return f"contributor:{contributor}"


def payable(contributor: str) -> str:
    """The account of what was released to a contributor in whole minor units, and may be paid."""
    return f"payable:{contributor}"


def carry(contributor: str) -> str:
    """The account of what is below a minor unit at a release."""
    return f"carry:{contributor}"


def reserve(payout: str) -> str:
    """The account of a payout that is in a batch and was not sent."""
    return f"reserve:{payout}"


def transit(payout: str) -> str:
    """The account of a payout that was sent and is not settled."""
    return f"transit:{payout}"


def lock(tx: WriteTx) -> None:
    """Let one writer at a time decide on balances. SQLite's BEGIN IMMEDIATE already does.

    Taken before the first read that a posting depends on; the audit tree's lock always comes after it.
    """
    if tx.conn.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _booked_ms(tx: WriteTx) -> int:
    """Now, or when the last transaction was booked where that is later: one may have waited for another's lock."""
    last = tx.scalar(sa.select(ledger_txn.c.recorded_at_ms).order_by(ledger_txn.c.id.desc()).limit(1))
    return max(tx.now_ms, int(last or 0))


def post(
    tx: WriteTx, kind: str, subject: str, legs: Sequence[Leg], memo: str = "", effective_ms: int | None = None
) -> str:
    """Post one transaction and return its id. `subject` is the public id that it is about.

    effective_ms is its accounting date (now where it is None), or the end of the last closed period where that is
    later.

    Raises Refused in a lab's workspace, IntegrityFailure where the legs do not balance or a leg is malformed.
    """
    if tx.ws.role != "library":
        raise Refused("only a library keeps this ledger", code="ledger.role", remedy="Run it in the library.")
    _check(legs)
    lock(tx)
    txn, booked_ms = new_id("txn"), _booked_ms(tx)
    effective = max(tx.now_ms if effective_ms is None else effective_ms, closed_until(tx))
    rows = ((txn, leg.account, leg.currency, leg.amount_micro) for leg in legs)
    insert_rows(tx, ledger_leg, ("txn", "account", "currency", "amount_micro"), rows)
    values = {"kind": kind, "subject": subject, "memo": memo, "effective_ms": effective, "recorded_at_ms": booked_ms}
    tx.insert(ledger_txn, public_id=txn, **values)
    body = {
        "transaction": txn,
        "kind": kind,
        "legs": len(legs),
        "legs_digest": legs_digest(legs),
        "effective_at": to_rfc3339(effective),
    }
    tx.record("ledger.posted", subject, body)
    return txn


def legs_digest(legs: Iterable[Leg]) -> str:
    """Hex SHA-256 over the sorted lines "account TAB currency TAB amount LF"."""
    lines = sorted(f"{leg.account}\t{leg.currency}\t{leg.amount_micro}\n" for leg in legs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def balances(tx: Tx, account: str | None = None, until_ms: int | None = None) -> list[Balance]:
    """Every account's balance by account and currency (zero balances too), or those of one account.

    until_ms: of what has an accounting date before that; None: of everything.
    """
    # whole units and the rest are summed apart: a sum of 10^-6 units could leave 64 bits, which SQLite refuses
    amount, micro = ledger_leg.c.amount_micro, sa.literal_column(str(MICRO))
    statement = (
        sa.select(ledger_leg.c.account, ledger_leg.c.currency)
        .add_columns(sa.func.sum(amount.op("/")(micro)).label("whole"))
        .add_columns(sa.func.sum(amount.op("%")(micro)).label("rest"))
        .group_by(ledger_leg.c.account, ledger_leg.c.currency)
        .order_by(ledger_leg.c.account, ledger_leg.c.currency)
    )
    if account is not None:
        statement = statement.where(ledger_leg.c.account == account)
    if until_ms is not None:
        header = ledger_txn.c.public_id == ledger_leg.c.txn
        statement = statement.join(ledger_txn, header).where(ledger_txn.c.effective_ms < until_ms)
    return [
        Balance(row["account"], row["currency"], int(row["whole"]) * MICRO + int(row["rest"]))
        for row in tx.rows(statement)
    ]


def balance_of(tx: Tx, account: str, currency: str) -> int:
    """One account's balance in micro; 0 for an account without legs."""
    return sum(one.amount_micro for one in balances(tx, account) if one.currency == currency)


def _check(legs: Sequence[Leg]) -> None:
    sums: dict[str, int] = {}
    for leg in legs:
        Currency(leg.currency)
        found = _ACCOUNT.fullmatch(leg.account)
        known = found is not None and ACCOUNTS.get(found[1]) == (found[2] or "")
        if not known or not 0 < abs(leg.amount_micro) <= MAX_MICRO:
            raise IntegrityFailure(f"the leg {leg} is malformed", code="ledger.bad_leg")
        sums[leg.currency] = sums.get(leg.currency, 0) + leg.amount_micro
    if len(legs) < 2 or any(sums.values()):
        raise IntegrityFailure("the legs are fewer than two or do not sum to zero", code="ledger.unbalanced")
