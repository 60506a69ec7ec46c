"""The journal as Parquet: a row for each leg; amounts are exact decimals."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from fairframe.core.money import Currency
from fairframe.royalties.journal_book import Book, Entry

BATCH = 20_000
SCALE = 10
"""Digits after the point: no currency of ISO 4217 has more than four, and a micro amount has six more."""


def write(book: Book, path: Path) -> None:
    """Columns as in the CSV. Memory is one batch of transactions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    moment = pa.timestamp("ms", tz="UTC")
    texts = ("transaction", "kind", "subject", "memo")
    schema = pa.schema(
        [(name, pa.string()) for name in texts]
        + [("effective_at", moment), ("booked_at", moment)]
        + [(name, pa.string()) for name in ("account", "name", "currency")]
        + [("amount", pa.decimal128(38, SCALE)), ("amount_micro", pa.decimal128(38, 0))]
    )
    source = iter(book.entries)
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        while batch := list(islice(source, BATCH)):
            columns = list(zip(*_rows(book, batch), strict=True))
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            out.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _rows(book: Book, batch: list[Entry]) -> Iterator[tuple[Any, ...]]:
    for one in batch:
        head = one.txn, one.kind, one.subject, one.memo, one.effective_ms, one.recorded_ms
        for leg in one.legs:
            name = book.names.get(leg.account, "")
            amount = Decimal(leg.amount_micro).scaleb(-6 - Currency(leg.currency).exponent)
            yield (*head, leg.account, name, leg.currency, amount, Decimal(leg.amount_micro))
