"""What a library signs for a lab reads back as it was written, and in no other form."""

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.beside import Beside, check_lines, read_lines, write_lines
from fairframe.core.bundle import Head
from fairframe.core.canonical import MAX_BYTES, canonical, digest, parse
from fairframe.core.delivery_body import DeliveryBody, LeaseBody
from fairframe.core.errors import BadDocument, VerificationError
from fairframe.core.feed_body import MAX_DELIVERIES, MAX_ENTRIES, RUN, FeedBody, FeedEntry, lines_of
from fairframe.core.grant_body import GrantBody
from fairframe.core.ids import encode_id

Body = DeliveryBody | LeaseBody | FeedBody | GrantBody


def made(prefix: str, seed: int = 0) -> str:
    return encode_id(prefix, bytes([seed] * 16))


LEASE = LeaseBody(made("dlv"), 1_000, 1_001)
DELIVERY = DeliveryBody(
    delivery=made("dlv"),
    name="squares",
    release=made("rel"),
    family=made("agr"),
    root="a" * 64,
    items=1,
    items_digest="b" * 64,
    items_bytes=1,
    clips_bytes=1,
    duration_ms=1,
    recipe={"filters": {}},
    recipe_hash=digest({"filters": {}}),
    derived={"items.parquet": "c" * 64},
    snapshot=Head(0, "d" * 64),
    agreement_digest="e" * 64,
)
BACK = (FeedEntry(1, made("dlv"), made("itm"), "opt-out", 5),)


def listed(entries: Sequence[FeedEntry]) -> tuple[bytes, Beside]:
    out = io.BytesIO()
    beside = write_lines(out, lines_of(entries))
    return out.getvalue(), beside


FEED = FeedBody(made("agr"), (made("dlv"),), 1, listed(BACK)[1], 1, (b"lease",))
LIST = FEED.to_json()["list"]
LINE = listed(BACK)[0].strip()
GRANT = GrantBody(made("ckp"), "a" * 64, made("agr"), made("agr", 1))
BODIES: tuple[Body, ...] = (DELIVERY, LEASE, FEED, GRANT)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_body_reads_back_and_only_whole(body: Body) -> None:
    value = body.to_json()
    assert type(body).from_json(parse(canonical(value))) == body
    for name in value:
        with pytest.raises(BadDocument):
            type(body).from_json({key: other for key, other in value.items() if key != name})
        with pytest.raises(BadDocument) as caught:
            type(body).from_json({**value, name: None})
        assert caught.value.code == "document.field"
    with pytest.raises(BadDocument) as caught:
        type(body).from_json({**value, "more": 1})
    assert caught.value.code == "document.field" and "more" in str(caught.value)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 255)), max_size=8))
def test_a_feed_tells_what_it_takes_back(back: list[tuple[int, int]]) -> None:
    entries = [FeedEntry(n, made("dlv", d), made("itm", i), "opt-out", n // 3) for n, (d, i) in enumerate(back, 1)]
    data, beside = listed(entries)
    feed = replace(FEED, entries=len(entries), beside=beside)
    assert FeedBody.from_json(parse(canonical(feed.to_json()))) == feed
    check_lines(io.BytesIO(data), beside)
    assert list(feed.read(read_lines(io.BytesIO(data), beside))) == entries


def test_a_long_run_of_a_feed_is_cut_into_lines() -> None:
    entries = [FeedEntry(n, made("dlv"), encode_id("itm", n.to_bytes(16)), "x" * 200, 5) for n in range(1, 2 * RUN + 2)]
    data, beside = listed(entries)
    assert beside.lines == 3 and beside.size_bytes == len(data) < 36 * len(entries)
    assert list(replace(FEED, entries=len(entries), beside=beside).read(data.splitlines())) == entries


def test_a_feed_renews_the_leases_of_all_deliveries_that_a_family_may_have() -> None:
    deliveries = tuple(encode_id("dlv", n.to_bytes(16)) for n in range(MAX_DELIVERIES))
    feed = replace(FEED, deliveries=deliveries, leases=(bytes(1_050),) * MAX_DELIVERIES)
    data = canonical(feed.to_json())
    assert len(data) < MAX_BYTES * 0.99
    assert FeedBody.from_json(parse(data)) == feed


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"{}\n",
        lambda data: data + b"\n",
        lambda data: b"",
        lambda data: data.replace(b"itm_0", b"itm_1"),
        lambda data: b"".join(reversed(data.splitlines(keepends=True))),
        lambda data: data.splitlines(keepends=True)[0],
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b" " * 10_000_000 + data,
    ],
)
def test_a_list_that_is_not_the_signed_one_is_refused(change: Any) -> None:
    entries = [FeedEntry(n, made("dlv", n), made("itm", n), "opt-out", 5) for n in range(1, 4)]
    data, beside = listed(entries)
    with pytest.raises(VerificationError) as caught:
        check_lines(io.BytesIO(change(data)), beside)
    assert caught.value.code == "list.changed"
    with pytest.raises(VerificationError) as caught:
        check_lines(io.BytesIO(data), replace(beside, root="0" * 64))
    assert caught.value.code == "list.changed"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE.replace(b'"items"', b'"item"'), "document.field"),
        (LINE.replace(b"}", b',"x":1}'), "document.field"),
        (LINE.replace(b"itm_", b"dlv_"), "document.field"),
        (LINE.replace(b'["itm', b'[[],"itm'), "document.field"),
        (LINE.replace(b",", b", ", 1), "document.not_canonical"),
        (LINE.replace(b"[", b"[[").replace(b"]", b"]]"), "document.field"),
        (canonical({**parse(LINE), "items": [made("itm")] * (RUN + 1)}), "document.field"),  # type: ignore[dict-item]
        (canonical({**parse(LINE), "items": [made("itm")] * 2}), "feed.entries"),  # type: ignore[dict-item]
        (canonical({**parse(LINE), "items": []}), "feed.entries"),  # type: ignore[dict-item]
    ],
)
def test_a_line_of_another_form_is_refused(line: bytes, code: str) -> None:
    with pytest.raises(BadDocument) as caught:
        list(FEED.read([line]))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "changes", "code"),
    [
        (DELIVERY, {"name": "../x"}, "document.field"),
        (DELIVERY, {"items": 0}, "document.field"),
        (DELIVERY, {"clips_bytes": 0}, "document.field"),
        (DELIVERY, {"recipe": {}}, "document.field"),
        (DELIVERY, {"derived": {}}, "document.field"),
        (DELIVERY, {"derived": {"../x": "c" * 64}}, "document.field"),
        (DELIVERY, {"derived": {**DELIVERY.derived, "more.csv": "c" * 64}}, "document.field"),
        (DELIVERY, {"snapshot": {"size": 0, "root": "d" * 64, "more": 1}}, "document.field"),
        (LEASE, {"ends_at": "1970-01-01T00:00:01.000Z"}, "document.field"),
        (LEASE, {"delivery": made("rel")}, "document.field"),
        (FEED, {"deliveries": [made("dlv")] * 2}, "document.field"),
        (FEED, {"deliveries": [made("lse")]}, "document.field"),
        (FEED, {"deliveries": [[]]}, "document.field"),
        (FEED, {"max_age_ms": 0}, "document.field"),
        (FEED, {"leases": ["%%%%"]}, "document.field"),
        (FEED, {"leases": [base64.b64encode(b"lease").decode() + "\n"]}, "document.field"),
        (FEED, {"entries": 0}, "document.field"),
        (FEED, {"entries": MAX_ENTRIES + 1}, "document.field"),
        (FEED, {"list": {**LIST, "more": 1}}, "document.field"),
        (FEED, {"list": {**LIST, "digest": "x"}}, "document.field"),
        (FEED, {"list": {**LIST, "bytes": -1}}, "document.field"),
        (GRANT, {"checkpoint": made("agr")}, "document.field"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_body_that_is_refused(body: Body, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BadDocument) as caught:
        type(body).from_json({**body.to_json(), **changes})
    assert caught.value.code == code
