"""The ledger's accounts for people: words, sides, and whose each is."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from fairframe.core.period_body import TrialLine
from fairframe.library.tables import contributor
from fairframe.platform.tx import Tx
from fairframe.royalties.tables import payout, revenue_event

WORDS = {
    "cash": "money held",
    "receivable": "invoiced, not paid yet",
    "clearing": "invoiced, to be earned when paid",
    "library": "earned by the library",
    "tax": "tax to hand on",
    "withholding": "tax withheld from payouts, to hand on",
    "pool": "contributors' pool, not yet allocated",
    "contributor": "owed to a contributor, not released",
    "payable": "payable to a contributor",
    "carry": "carried for a contributor, below a minor unit",
    "reserve": "in a payout batch, not sent",
    "transit": "sent to the bank, not settled",
}
"""Every kind of account (ledger.ACCOUNTS), in the order in which they are shown."""

ASSETS = frozenset({"cash", "receivable"})
"""What is held; the others say what is owed or was earned, and stand in the ledger with the other sign."""

_CHUNK = 500


def kind_of(account: str) -> str:
    """What stands before the colon."""
    return account.partition(":")[0]


def rank(account: str) -> int:
    """Where a kind of account stands in the order of WORDS."""
    kind = kind_of(account)
    return list(WORDS).index(kind) if kind in WORDS else len(WORDS)


def names(tx: Tx, accounts: Iterable[str]) -> dict[str, str]:
    """account -> a contributor's name, or the reference of a receipt or payout; accounts without one are left out."""
    ids: dict[str, list[str]] = {}
    accounts = list(accounts)
    for account in accounts:
        public_id = account.partition(":")[2]
        ids.setdefault(public_id[:3], []).append(public_id)
    sources = {
        "ctr": sa.select(contributor.c.public_id, contributor.c.name.label("name")),
        "rev": sa.select(revenue_event.c.public_id, revenue_event.c.reference.label("name")),
        "pay": sa.select(payout.c.public_id, payout.c.reference.label("name")),
    }
    found = dict[str, str]()
    for prefix, statement in sources.items():
        found |= dict(_named(tx, statement, sorted(set(ids.get(prefix, [])))))
    pairs = ((account, found.get(account.partition(":")[2], "")) for account in accounts)
    return {account: name for account, name in pairs if name}


def in_order(totals: Iterable[TrialLine]) -> list[TrialLine]:
    """Lines by currency, then as WORDS has them."""
    return sorted(totals, key=lambda one: (one.currency, rank(one.account), one.account))


def _named(tx: Tx, statement: "sa.Select[Any, Any]", ids: list[str]) -> Iterator[tuple[str, str]]:
    column = statement.selected_columns[0]
    for start in range(0, len(ids), _CHUNK):
        for row in tx.rows(statement.where(column.in_(ids[start : start + _CHUNK]))):
            yield row["public_id"], row["name"]
