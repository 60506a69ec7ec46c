"""items.jsonl and items.parquet say what a release's lines say."""

import io

import pyarrow.parquet as pq

from fairframe.core.canonical import sha256_hex
from fairframe.core.ids import encode_id
from fairframe.core.item_line import Item
from fairframe.core.timecode import Rate
from fairframe.dataset.published import items_digest, items_jsonl, items_parquet

ONE = Item(
    id=encode_id("itm", bytes(16)),
    asset="psn_" + "0" * 26,
    contributor="psn_" + "1" * 26,
    start=3,
    end=27,
    frames=24,
    fps=Rate(24),
    duration_ms=1000,
    content_hash="a" * 64,
    bytes_hash="b" * 64,
    size_bytes=5,
    caption="A boat",
    split="train",
    group="psn_" + "2" * 26,
    findings=("signal_noted",),
)


def test_parquet_says_what_the_lines_say() -> None:
    data = items_parquet([ONE.line(), ONE.line()])
    assert data == items_parquet([ONE.line(), ONE.line()]), "the same lines give the same bytes"
    row = pq.read_table(io.BytesIO(data)).to_pylist()[0]
    said = ONE.to_json()
    assert row.pop("findings") == said.pop("clearance")["findings"]
    assert row == said


def test_the_digest_is_that_of_the_file() -> None:
    assert items_jsonl([b"{}", b"[]"]) == b"{}\n[]\n"
    assert items_digest([b"{}", b"[]"]) == sha256_hex(b"{}\n[]\n")
