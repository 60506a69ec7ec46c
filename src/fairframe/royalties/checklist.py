"""What an accountant looks at before a period is closed: each as a finding; one that does not hold keeps it open."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from fairframe.core.finding import Finding
from fairframe.core.money import Currency, format_micro
from fairframe.core.period_body import TrialLine
from fairframe.core.time import to_rfc3339
from fairframe.platform.tx import Tx
from fairframe.royalties import allocate, ledger
from fairframe.royalties.tables import ledger_leg, ledger_txn
from fairframe.royalties.trial import trial

SHOWN = 20
"""Findings of one kind that are listed; the rest are counted."""


def checklist(tx: Tx, from_ms: int, to_ms: int, lines: Sequence[TrialLine], carry: bool) -> list[Finding]:
    """The findings on closing [from_ms, to_ms) with this trial balance; ok None is a remark.

    carry: revenue that waits for its allocation is carried into the next period, and no reason to refuse.
    """
    if from_ms >= to_ms:
        text = f"the time up to {to_rfc3339(from_ms)} is closed already: there is nothing to close"
        return [Finding(False, "period.time", text)]
    if to_ms > tx.now_ms + 1:
        return [Finding(False, "period.time", "it ends in the future: more may be booked in it")]
    if not lines:
        return [Finding(False, "period.empty", "nothing was booked up to then: there is nothing to close")]
    return [*_books(tx), *_waiting(tx, lines, carry), *_clearing(tx, to_ms, lines), *_remarks(tx, to_ms, lines)]


def waiting(tx: Tx, lines: Iterable[TrialLine]) -> dict[str, str]:
    """Revenue events with an open pool in a trial balance which still waits: event -> why."""
    reasons = {one.event: one.pending for one in allocate.pending(tx)}
    pools = (line for line in lines if line.account.startswith(ledger.pool("")) and line.closing_micro)
    still = (line for line in pools if ledger.balance_of(tx, line.account, line.currency))
    events = (line.account.removeprefix(ledger.pool("")) for line in still)
    return {event: reasons.get(event, "its pool is not allocated") for event in events}


def _books(tx: Tx) -> Iterator[Finding]:
    books = trial(tx)
    if books.ok:
        text = f"{books.transactions} transactions sum to zero, add up to the balances and stand in the audit tree"
        yield Finding(True, "ledger.trial", text)
    yield from _listed("ledger.trial", books.findings, False)


def _waiting(tx: Tx, lines: Sequence[TrialLine], carry: bool) -> Iterator[Finding]:
    failed = {one.event for one in allocate.pending(tx) if one.failed}
    reasons = sorted(waiting(tx, lines).items())
    found = [f"{event} {'failed' if event in failed else 'waits'}: {why}" for event, why in reasons]
    yield from _listed("revenue.waiting", found, None if carry else False)
    if not found:
        yield Finding(True, "revenue.waiting", "every pool is allocated")


def _clearing(tx: Tx, to_ms: int, lines: Sequence[TrialLine]) -> Iterator[Finding]:
    """Clearing holds what invoices that are not paid were booked against, and nothing else."""
    invoiced = _booked_against_clearing(tx, to_ms)
    left = dict[str, int]()
    for line in lines:
        if line.account == ledger.CLEARING or line.account in invoiced:
            left[line.currency] = left.get(line.currency, 0) + line.closing_micro
    wrong = [f"clearing and the open invoices differ by {_money(micro, code)}" for code, micro in left.items() if micro]
    yield from _listed("ledger.clearing", wrong, False)
    if not wrong:
        yield Finding(True, "ledger.clearing", "clearing holds open invoices only")


def _booked_against_clearing(tx: Tx, to_ms: int) -> set[str]:
    clearing, invoice = ledger_leg.alias(), ledger_leg.alias()
    statement = (
        sa.select(invoice.c.account)
        .distinct()
        .join(clearing, clearing.c.txn == invoice.c.txn)
        .join(ledger_txn, ledger_txn.c.public_id == invoice.c.txn)
        .where(clearing.c.account == ledger.CLEARING, invoice.c.account.startswith(ledger.receivable("")))
        .where(ledger_txn.c.effective_ms < to_ms)
    )
    return set(tx.execute(statement).scalars())


REMARKS: Mapping[str, tuple[tuple[str, ...], int, str]] = {
    "receivable.open": (("receivable",), 1, "invoices that are not paid"),
    "payout.reserved": (("reserve",), -1, "payouts in a batch, not sent"),
    "payout.submitted": (("transit",), -1, "payouts sent, not settled"),
    "contributor.negative": (
        ("contributor", "payable", "carry"),
        1,
        "accounts of contributors below zero, which the next earnings fill",
    ),
}
"""code -> kinds of account, the sign that is meant, words."""


def _remarks(tx: Tx, to_ms: int, lines: Sequence[TrialLine]) -> Iterator[Finding]:
    for code, (kinds, sign, words) in REMARKS.items():
        open_ = [x for x in lines if x.account.partition(":")[0] in kinds and x.closing_micro * sign > 0]
        sums = dict[str, int]()
        for line in open_:
            sums[line.currency] = sums.get(line.currency, 0) + abs(line.closing_micro)
        if open_:
            amounts = ", ".join(_money(micro, currency) for currency, micro in sorted(sums.items()))
            yield Finding(None, code, f"{words}: {len(open_)}, over {amounts}")
    later = tx.scalar(sa.select(sa.func.count()).where(ledger_txn.c.effective_ms >= to_ms))
    if later:
        yield Finding(None, "period.later", f"transactions dated later, which stay open: {later}")


def _listed(code: str, texts: Sequence[str], ok: bool | None) -> list[Finding]:
    found = [Finding(ok, code, text) for text in texts[:SHOWN]]
    return found if len(texts) <= SHOWN else [*found, Finding(ok, code, f"and {len(texts) - SHOWN} more")]


def _money(micro: int, currency: str) -> str:
    return f"{format_micro(micro, Currency(currency))} {currency}"
