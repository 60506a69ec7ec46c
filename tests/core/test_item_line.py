"""items.jsonl: every line reads back as it was written, and in no other spelling."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.canonical import canonical, parse
from fairframe.core.errors import BadDocument
from fairframe.core.ids import encode_id
from fairframe.core.item_line import Item, read_line, root_of
from fairframe.core.timecode import Rate

HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
RAW = st.binary(min_size=16, max_size=16)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@st.composite
def items(draw: st.DrawFn) -> Item:
    def pseudonym() -> str:
        return "psn" + encode_id("ast", draw(RAW))[3:]

    start, frames = draw(st.integers(0, 10**6)), draw(st.integers(1, 10**6))
    fps = Rate(draw(st.integers(1, 240_000)), draw(st.integers(1, 1001)))
    return Item(
        id=encode_id("itm", draw(RAW)),
        asset=pseudonym(),
        contributor=pseudonym(),
        start=start,
        end=start + frames,
        frames=frames,
        fps=fps,
        duration_ms=max(1, fps.duration_ms(frames)),
        content_hash=draw(HEX),
        bytes_hash=draw(HEX),
        size_bytes=draw(st.integers(1, 2**32)),
        caption=draw(TEXT),
        split=draw(st.sampled_from(["train", "heldout"])),
        group=pseudonym(),
        findings=tuple(draw(st.lists(st.text(string.ascii_lowercase + "_", min_size=1, max_size=20), max_size=3))),
    )


@given(items())
def test_a_line_reads_back_as_it_was_written(one: Item) -> None:
    line = one.line()
    assert read_line(line) == one
    assert b"\n" not in line
    assert canonical(parse(line)) == line


@given(st.lists(items(), min_size=1, max_size=3), st.data())
def test_any_edit_of_a_line_changes_the_root(some: list[Item], data: st.DataObject) -> None:
    lines = [one.line() for one in some]
    place = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[place]) - 1))
    other = data.draw(st.integers(1, 255))
    edited = [*lines]
    edited[place] = lines[place][:at] + bytes([lines[place][at] ^ other]) + lines[place][at + 1 :]
    assert root_of(edited) != root_of(lines)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "clips/../../../etc/passwd"),
        ("path", "/etc/passwd"),
        ("path", "clips/" + "c" * 64 + ".mp4"),
        ("asset", "ast_" + "0" * 26),
        ("contributor", "Ana Rivera"),
        ("frames", 25),
        ("frames", "24"),
        ("frames", True),
        ("start", -1),
        ("bytes", 0),
        ("bytes", 2**50),
        ("fps", "48/2"),
        ("fps", "0/1"),
        ("fps", 24),
        ("fps", "25/1"),
        ("duration_ms", 1002),
        ("duration_ms", 0),
        ("kind", "image"),
        ("split", "test"),
        ("clearance", {"outcome": "DENY", "findings": []}),
        ("clearance", {"outcome": "ALLOW", "findings": ["Ana said yes"]}),
        ("clearance", {"outcome": "ALLOW", "findings": [], "by": "x"}),
        ("caption", None),
        ("caption", "x" * 2001),
        ("extra", 1),
        ("bytes_hash", "B" * 64),
        ("id", "itm_0"),
    ],
)
def test_a_line_with_a_wrong_field_is_refused(one_item: Item, field: str, value: object) -> None:
    with pytest.raises(BadDocument):
        read_line(canonical({**one_item.to_json(), field: value}))


def test_another_spelling_of_a_line_is_refused(one_item: Item) -> None:
    for data in (
        json.dumps(one_item.to_json()).encode(),
        one_item.line() + b" ",
        one_item.line().replace(b"A boat", b"\\u0041 boat"),
        b"[" * 100,
        b"\xff",
        b"",
    ):
        with pytest.raises(BadDocument):
            read_line(data)
