"""The trial balance of a time, by accounting date: opening, debit, credit and closing of every account."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.beside import Beside, write_lines
from fairframe.core.money import MICRO
from fairframe.core.period_body import TrialLine, add
from fairframe.platform.tx import Tx
from fairframe.royalties import periods
from fairframe.royalties.tables import ledger_leg, ledger_txn


def trial_balance(tx: Tx, from_ms: int, to_ms: int) -> list[TrialLine]:
    """The lines over [from_ms, to_ms), by account and currency in code point order.

    An account that held nothing at from_ms and did not move is left out.
    """
    opening = {(one.account, one.currency): one.closing_micro for one in moved(tx, 0, from_ms)} if from_ms else {}
    return carried(opening, moved(tx, from_ms, to_ms))


def carried(opening: dict[tuple[str, str], int], moves: Iterable[TrialLine]) -> list[TrialLine]:
    """Balances and what moved since, as lines."""
    found = {(one.account, one.currency): one for one in moves}
    held = {key for key, micro in opening.items() if micro}
    still = TrialLine("", "", 0, 0, 0)
    lines = ((key, found.get(key, still)) for key in sorted(held | found.keys()))
    return [TrialLine(*key, opening.get(key, 0), one.debit_micro, one.credit_micro) for key, one in lines]


def moved(tx: Tx, from_ms: int, to_ms: int) -> Iterator[TrialLine]:
    """Debit and credit of each account in a time; from 0 on means from the beginning, whatever its date."""
    # whole units and the rest are summed apart: a sum of 10^-6 units could leave 64 bits, which SQLite refuses
    amount, micro = ledger_leg.c.amount_micro, sa.literal_column(str(MICRO))
    side = (amount > 0).label("debit")
    since = (ledger_txn.c.effective_ms >= from_ms,) if from_ms else ()
    statement = (
        sa.select(ledger_leg.c.account, ledger_leg.c.currency, side)
        .add_columns(sa.func.sum(amount.op("/")(micro)).label("whole"))
        .add_columns(sa.func.sum(amount.op("%")(micro)).label("rest"))
        .join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn)
        .where(*since, ledger_txn.c.effective_ms < to_ms)
        .group_by(ledger_leg.c.account, ledger_leg.c.currency, side)
        .order_by(ledger_leg.c.account, ledger_leg.c.currency)
    )
    rows = tx.rows(statement)
    for (account, currency), sides in groupby(rows, key=lambda row: (row["account"], row["currency"])):
        sums = {bool(row["debit"]): int(row["whole"]) * MICRO + int(row["rest"]) for row in sides}
        yield TrialLine(account, currency, 0, sums.get(True, 0), -sums.get(False, 0))


def totals(lines: Iterable[TrialLine]) -> tuple[TrialLine, ...]:
    """The sums of each kind of account, by kind and currency."""
    sums = dict[tuple[str, str], TrialLine]()
    for line in lines:
        add(sums, line)
    return tuple(sums[key] for key in sorted(sums))


def changed_periods(tx: Tx) -> Iterator[str]:
    """A finding for each closed period whose trial balance is not the one that was closed. Each leg is read once."""
    balances = dict[tuple[str, str], int]()
    for one in periods.listing(tx):
        lines = carried(balances, moved(tx, one.from_ms, one.to_ms))
        balances = {(line.account, line.currency): line.closing_micro for line in lines}
        if described(lines).digest != one.digest:
            yield f"the closed period {one.id} does not add up as it was closed"


def described(lines: Iterable[TrialLine]) -> Beside:
    """What a document says of a trial balance."""
    with Path(os.devnull).open("wb") as nowhere:
        return write_lines(nowhere, (line.line() for line in lines))
