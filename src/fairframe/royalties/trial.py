"""Does the ledger hold? The trial balance, a refold in plain Python, every transaction against its audit leaf, and
every closed period against what was closed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from fairframe.platform.tables import audit_entry
from fairframe.platform.tx import Tx
from fairframe.royalties.ledger import Balance, Leg, balances, legs_digest
from fairframe.royalties.tables import ledger_leg, ledger_txn
from fairframe.royalties.trial_balance import changed_periods

STREAM = 50_000


@dataclass(frozen=True)
class Trial:
    """sums: currency -> the sum of all balances, which is zero in a sound ledger. findings: what is wrong."""

    balances: list[Balance]
    sums: dict[str, int]
    transactions: int
    findings: list[str] = field(default_factory=list[str])

    @property
    def ok(self) -> bool:
        return not self.findings


def trial(tx: Tx) -> Trial:
    """Read every leg once, ordered by transaction: memory is one transaction, plus one number per account."""
    findings: list[str] = []
    leaves = _leaves(tx, findings)
    headers = set(tx.execute(sa.select(ledger_txn.c.public_id)).scalars())
    folded: dict[tuple[str, str], int] = {}
    seen: set[str] = set()
    for txn, legs in _transactions(tx):
        seen.add(txn)
        sums: dict[str, int] = {}
        for leg in legs:
            key = (leg.account, leg.currency)
            folded[key] = folded.get(key, 0) + leg.amount_micro
            sums[leg.currency] = sums.get(leg.currency, 0) + leg.amount_micro
        findings += _judge(txn, legs, sums, txn in headers, leaves.get(txn))
    findings += [f"the transaction {txn} has no legs" for txn in sorted(headers - seen)]
    findings += [
        f"the transaction {txn} is in the audit tree but not in the ledger" for txn in sorted(leaves.keys() - seen)
    ]
    held = balances(tx)
    if {(one.account, one.currency): one.amount_micro for one in held} != folded:
        findings.append("the balances of the database differ from the sums of the transactions")
    sums = {}
    for one in held:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_micro
    findings += [f"all accounts in {code} sum to {total}, not to zero" for code, total in sums.items() if total]
    findings += changed_periods(tx)
    return Trial(held, sums, len(headers), findings)


def _judge(txn: str, legs: list[Leg], sums: dict[str, int], header: bool, leaf: str | None) -> list[str]:
    findings: list[str] = []
    if not header:
        findings.append(f"the transaction {txn} has legs but no header")
    if len(legs) < 2 or any(sums.values()):
        findings.append(f"the transaction {txn} does not balance")
    if leaf is None:
        findings.append(f"the transaction {txn} is not in the audit tree")
    elif leaf != legs_digest(legs):
        findings.append(f"the legs of {txn} are not those that the audit tree recorded")
    return findings


def _transactions(tx: Tx) -> Iterator[tuple[str, list[Leg]]]:
    statement = sa.select(
        ledger_leg.c.txn, ledger_leg.c.account, ledger_leg.c.currency, ledger_leg.c.amount_micro
    ).order_by(ledger_leg.c.txn, ledger_leg.c.id)
    current, legs = None, list[Leg]()
    for row in tx.execute(statement.execution_options(yield_per=STREAM)).mappings():
        txn = row["txn"]
        if txn != current and current is not None:
            yield current, legs
            legs = []
        current = txn
        legs.append(Leg(row["account"], row["currency"], int(row["amount_micro"])))
    if current is not None:
        yield current, legs


def _leaves(tx: Tx, findings: list[str]) -> dict[str, str]:
    """transaction -> the digest of its legs, from the audit tree."""
    leaves: dict[str, str] = {}
    statement = sa.select(audit_entry.c.body).where(audit_entry.c.kind == "ledger.posted")
    for text in tx.execute(statement.execution_options(yield_per=STREAM)).scalars():
        body = json.loads(text)["body"]
        if body["transaction"] in leaves:
            findings.append(f"the transaction {body['transaction']} is in the audit tree twice")
        leaves[body["transaction"]] = body["legs_digest"]
    return leaves
