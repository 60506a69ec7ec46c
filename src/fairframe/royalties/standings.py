"""Contributors' accounts in one currency as the payout rules read them: accrued, of that held, payable, carried."""

from collections.abc import Iterable

import sqlalchemy as sa

from fairframe.core.money import MICRO
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import ledger
from fairframe.royalties.ledger import Balance
from fairframe.royalties.payout_rules import Policy, Standing
from fairframe.royalties.periods import closed_until
from fairframe.royalties.tables import ledger_leg, ledger_txn

RELEASE = "release"
"""The kind of the transaction that takes what is accrued to payable and carry."""
HEADS = ("contributor", "payable", "carry")


def standings(tx: Tx, currency: str, policy: Policy, who: Row | None = None) -> dict[str, Standing]:
    """contributor's public id -> their accounts, of all that have one in the currency, or of one; by id."""
    found: dict[str, dict[str, int]] = {}
    for one in _balances(tx, who):
        head, _, public_id = one.account.partition(":")
        if head in HEADS and one.currency == currency:
            found.setdefault(public_id, {})[head] = -one.amount_micro
    waiting = _held(tx, currency, policy, who)
    made: dict[str, Standing] = {}
    for public_id in sorted(found):
        accounts, (held, next_ms) = found[public_id], waiting.get(public_id, (0, None))
        accrued, payable, carry = (accounts.get(head, 0) for head in HEADS)
        made[public_id] = Standing(accrued, payable, carry, held, next_ms)
    return made


def position_micro(tx: Tx, contributor: str, currency: str) -> int:
    """What is owed to a contributor and in no payout: accrued, payable and carried together."""
    return -sum(ledger.balance_of(tx, account, currency) for account in accounts_of(contributor))


def accounts_of(contributor: str) -> tuple[str, str, str]:
    """The accounts that are a contributor's position."""
    return ledger.accrued(contributor), ledger.payable(contributor), ledger.carry(contributor)


def _balances(tx: Tx, who: Row | None) -> Iterable[Balance]:
    if who is None:
        return ledger.balances(tx)
    return [one for account in accounts_of(who["public_id"]) for one in ledger.balances(tx, account)]


def _held(tx: Tx, currency: str, policy: Policy, who: Row | None) -> dict[str, tuple[int, int]]:
    """public id -> (micro units that are too young to be released, when the oldest of them comes free)."""
    # what is dated now may have been moved to the end of a closed period, which is not held by that
    now_ms = max(tx.now_ms, closed_until(tx))
    since = policy.held_since(now_ms)
    account, amount, micro = ledger_leg.c.account, ledger_leg.c.amount_micro, sa.literal_column(str(MICRO))
    statement = (
        sa.select(account, sa.func.min(ledger_txn.c.effective_ms).label("oldest"))
        # apart, as in ledger.balances: a sum could leave 64 bits
        .add_columns(sa.func.sum(amount.op("/")(micro)).label("whole"))
        .add_columns(sa.func.sum(amount.op("%")(micro)).label("rest"))
        .join(ledger_txn, ledger_txn.c.public_id == ledger_leg.c.txn)
        .where(ledger_txn.c.effective_ms > since, ledger_txn.c.kind != RELEASE)
        .where(ledger_leg.c.currency == currency, amount < 0)
        .group_by(account)
    )
    theirs = ledger.accrued("")
    if who is not None:
        statement = statement.where(account == ledger.accrued(who["public_id"]))
    else:
        statement = statement.where(account >= theirs, account < theirs[:-1] + ";")  # ";" follows ":"
    length = now_ms - since
    return {
        row["account"].partition(":")[2]: (-int(row["whole"]) * MICRO - int(row["rest"]), int(row["oldest"]) + length)
        for row in tx.rows(statement)
    }
