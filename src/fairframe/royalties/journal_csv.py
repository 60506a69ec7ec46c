"""The journal as CSV, for a spreadsheet: a line for each leg."""

import csv
from pathlib import Path

from fairframe.core.money import Currency, format_micro
from fairframe.core.sheet import cell
from fairframe.core.time import to_rfc3339
from fairframe.royalties.journal_book import Book

COLUMNS = (
    "transaction", "kind", "subject", "memo", "effective_at", "booked_at", "account", "name", "currency", "amount",
    "amount_micro",
)  # fmt: skip


def write(book: Book, path: Path) -> None:
    """RFC 4180 text with CRLF, in UTF-8. amount is an exact decimal; what is held is positive."""
    with path.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(COLUMNS)
        for one in book.entries:
            texts = [cell(text) for text in (one.txn, one.kind, one.subject, one.memo)]
            times = [to_rfc3339(one.effective_ms), to_rfc3339(one.recorded_ms)]
            for leg in one.legs:
                account = [leg.account, cell(book.names.get(leg.account, "")), leg.currency]
                amount = format_micro(leg.amount_micro, Currency(leg.currency))
                lines.writerow([*texts, *times, *account, amount, leg.amount_micro])
