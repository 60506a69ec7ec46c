"""The journal as a beancount file (syntax of beancount 3), which `bean-check` accepts.

It ends with our trial balance as assertions of the day after, which beancount compares with the postings, to the unit.
Beancount knows days only: the exact times stand in each transaction's metadata. Accounts are opened on the first day.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from fairframe.core.errors import IntegrityFailure
from fairframe.core.money import Currency, format_micro
from fairframe.core.plain import plain
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.royalties.journal_book import Book, Entry

ACCOUNTS = {
    "cash": "Assets:Cash",
    "receivable": "Assets:Receivable",
    "clearing": "Liabilities:Clearing",
    "library": "Income:Library",
    "tax": "Liabilities:Tax",
    "withholding": "Liabilities:Withholding",
    "pool": "Liabilities:Pool",
    "contributor": "Liabilities:Contributor",
    "payable": "Liabilities:Payable",
    "carry": "Liabilities:Carry",
    "reserve": "Liabilities:Reserve",
    "transit": "Liabilities:Transit",
}


def write(book: Book, path: Path) -> None:
    """Raises IntegrityFailure on an account that the ledger does not know."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(_head(book))
        for one in book.entries:
            out.writelines(_entry(one))
        out.writelines(_assertions(book))


def account_name(account: str) -> str:
    """pool:rev_0abc is Liabilities:Pool:REV-0abc."""
    kind, _, public_id = account.partition(":")
    if kind not in ACCOUNTS:
        raise IntegrityFailure(f"{account[:60]!r} is no account of this ledger", code="ledger.bad_leg")
    return ACCOUNTS[kind] + (f":{public_id[:3].upper()}-{public_id[4:]}" if public_id else "")


def _head(book: Book) -> Iterator[str]:
    day = _day(book.first_ms)
    yield f'option "title" {_quoted(book.library)}\n'
    currencies = sorted({line.currency for line in book.lines})
    yield from (f'option "operating_currency" "{code}"\n' for code in currencies)
    yield "\n"
    yield from (f"{day} commodity {code}\n" for code in currencies)
    for account, lines in groupby(book.lines, key=lambda line: line.account):
        yield f"{day} open {account_name(account)} {','.join(line.currency for line in lines)}\n"
        if account in book.names:
            yield f"  name: {_quoted(book.names[account])}\n"


def _entry(one: Entry) -> Iterator[str]:
    yield f"\n{_day(one.effective_ms)} * {_quoted(one.memo)}\n"
    told = {"txn": one.txn, "kind": one.kind, "subject": one.subject}
    told |= {"effective_at": to_rfc3339(one.effective_ms), "booked_at": to_rfc3339(one.recorded_ms)}
    yield from (f"  {name}: {_quoted(text)}\n" for name, text in told.items() if text)
    for leg in one.legs:
        yield f"  {account_name(leg.account)}  {_amount(leg.amount_micro, leg.currency)} {leg.currency}\n"


def _assertions(book: Book) -> Iterator[str]:
    day = _day(book.last_ms + DAY_MS)
    yield "\n"
    for line in book.lines:
        amount = _amount(line.closing_micro, line.currency)
        yield f"{day} balance {account_name(line.account)}  {amount} ~ 0 {line.currency}\n"


def _amount(micro: int, currency: str) -> str:
    return format_micro(micro, Currency(currency))


def _day(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).date().isoformat()


def _quoted(text: str) -> str:
    escaped = plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
