"""items.jsonl and items.parquet say what a release's lines say."""

import io

import pyarrow.parquet as pq

from fairframe.core.canonical import sha256_hex
from fairframe.core.item_line import Item
from fairframe.dataset.published import items_digest, items_jsonl, items_parquet


def test_parquet_says_what_the_lines_say(one_item: Item) -> None:
    data = items_parquet([one_item.line(), one_item.line()])
    assert data == items_parquet([one_item.line(), one_item.line()]), "the same lines give the same bytes"
    row = pq.read_table(io.BytesIO(data)).to_pylist()[0]
    said = one_item.to_json()
    assert row.pop("findings") == said.pop("clearance")["findings"]
    assert row == said


def test_the_digest_is_that_of_the_file() -> None:
    assert items_jsonl([b"{}", b"[]"]) == b"{}\n[]\n"
    assert items_digest([b"{}", b"[]"]) == sha256_hex(b"{}\n[]\n")
