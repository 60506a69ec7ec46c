"""The journal for other programs: every transaction of a time, by accounting date, as one file.

Where it does not begin with the books, it begins with the balances that stood then, so that its sums are ours. A
format is one file and one line of FORMATS.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.core.time import to_rfc3339
from fairframe.platform.objects import PRIVATE
from fairframe.platform.tx import Tx
from fairframe.royalties import accounts, journal_beancount, journal_csv, journal_parquet, ledger, periods
from fairframe.royalties.journal_book import Book, Entry
from fairframe.royalties.ledger import Leg
from fairframe.royalties.tables import ledger_leg, ledger_txn
from fairframe.royalties.trial_balance import trial_balance

STREAM = 50_000
FORMATS: Mapping[str, Callable[[Book, Path], None]] = {
    "csv": journal_csv.write,
    "parquet": journal_parquet.write,
    "beancount": journal_beancount.write,
}


@dataclass(frozen=True)
class Written:
    """closed: whether all of it is closed time, so that it will never read otherwise."""

    path: Path
    transactions: int
    from_ms: int
    to_ms: int
    closed: bool


def export(tx: Tx, folder: Path, form: str, from_ms: int = 0, to_ms: int | None = None) -> Written:
    """Write folder/journal.<form> with what is dated in [from_ms, to_ms), whole or not at all, for its owner alone.
    to_ms None: with all.

    Raises InputError on a time that ends before it begins, on an unknown form, and where it cannot be written.
    """
    if form not in FORMATS:
        raise InputError(f"{form[:20]!r} is none of {', '.join(FORMATS)}", code="journal.format")
    until = _until(tx) if to_ms is None else to_ms
    if until <= from_ms:
        raise InputError("the time ends before it begins", code="journal.time")
    first, last = _dates(tx, from_ms, until)
    counted = _Counted(entries(tx, from_ms, until))
    lines = trial_balance(tx, from_ms, until)
    named = accounts.names(tx, (line.account for line in lines))
    book = Book(tx.ws.name, first, last, lines, named, _with_opening(tx, from_ms, counted))
    path = folder / f"journal.{form}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".journal-") as part:
            written = Path(part) / path.name
            FORMATS[form](book, written)
            written.chmod(PRIVATE)
            written.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", code="input.unwritable") from error
    return Written(path, counted.count, from_ms, until, until <= periods.closed_until(tx))


def entries(tx: Tx, from_ms: int, to_ms: int) -> Iterator[Entry]:
    """The transactions that are dated in [from_ms, to_ms), by date, then as they were booked. They are streamed."""
    header, leg = ledger_txn.c, ledger_leg.c
    statement = (
        sa.select(ledger_txn, leg.account, leg.currency, leg.amount_micro)
        .join(ledger_leg, leg.txn == header.public_id)
        .where(*_dated(from_ms, to_ms))
        .order_by(header.effective_ms, header.id, leg.id)
    )
    rows = tx.execute(statement.execution_options(yield_per=STREAM)).mappings()
    for _, of_one in groupby(rows, key=lambda row: row["public_id"]):
        found = list(of_one)
        row = found[0]
        legs = tuple(Leg(one["account"], one["currency"], int(one["amount_micro"])) for one in found)
        texts = row["public_id"], row["kind"], row["subject"], row["memo"]
        yield Entry(*texts, int(row["effective_ms"]), int(row["recorded_at_ms"]), legs)


class _Counted:
    """Entries, counted as they pass."""

    def __init__(self, source: Iterable[Entry]) -> None:
        self.source, self.count = source, 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.source:
            self.count += 1
            yield entry


def _with_opening(tx: Tx, from_ms: int, source: Iterable[Entry]) -> Iterator[Entry]:
    held = [one for one in ledger.balances(tx, until_ms=from_ms) if one.amount_micro] if from_ms else []
    if held:
        legs = tuple(Leg(one.account, one.currency, one.amount_micro) for one in held)
        yield Entry("", "opening", "", f"Balances before {to_rfc3339(from_ms)}", from_ms, from_ms, legs)
    yield from source


def _dated(from_ms: int, to_ms: int) -> "list[sa.ColumnElement[bool]]":
    date = ledger_txn.c.effective_ms
    return [date < to_ms, *((date >= from_ms,) if from_ms else ())]


def _dates(tx: Tx, from_ms: int, to_ms: int) -> tuple[int, int]:
    """The dates of the first and the last entry; where it begins with balances, those are the first."""
    date = ledger_txn.c.effective_ms
    row = tx.row(
        sa.select(sa.func.min(date).label("first"), sa.func.max(date).label("last")).where(*_dated(from_ms, to_ms))
    )
    first, last = (row["first"], row["last"]) if row is not None and row["first"] is not None else (from_ms, from_ms)
    return from_ms or int(first), int(last)


def _until(tx: Tx) -> int:
    return 1 + max(tx.now_ms, int(tx.scalar(sa.select(sa.func.coalesce(sa.func.max(ledger_txn.c.effective_ms), 0)))))
