"""The published files that follow from a release's lines: items.jsonl and items.parquet."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fairframe.core.item_line import Item, read_line


def items_jsonl(lines: Iterable[bytes]) -> bytes:
    """Every line with a newline after it."""
    return b"".join(line + b"\n" for line in lines)


def items_digest(lines: Iterable[bytes]) -> str:
    """Hex SHA-256 of items.jsonl."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line + b"\n")
    return sha.hexdigest()


def items_parquet(lines: Sequence[bytes]) -> bytes:
    """The same items as a Parquet table, for trainers that read tables. The signed truth is items.jsonl."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    columns = {name: [_value(item, name) for item in map(read_line, lines)] for name in schema.names}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _schema() -> Any:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    return pa.schema(
        [(name, text) for name in ("id", "asset", "contributor", "kind", "unit", "fps")]
        + [(name, number) for name in ("start", "end", "frames", "duration_ms", "bytes")]
        + [(name, text) for name in ("content_hash", "bytes_hash", "path", "caption", "split", "group")]
        + [("findings", pa.list_(text))]
    )


def _value(item: Item, name: str) -> object:
    if name == "findings":
        return list(item.findings)
    return item.to_json()[name]
