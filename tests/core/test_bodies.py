"""What a library signs for a lab reads back as it was written, and in no other form."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.bundle import Head
from fairframe.core.canonical import MAX_BYTES, canonical, digest, parse
from fairframe.core.delivery_body import DeliveryBody, LeaseBody
from fairframe.core.errors import BadDocument
from fairframe.core.feed_body import MAX_DELIVERIES, MAX_ENTRIES, MAX_ITEMS, FeedBody, FeedEntry
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
FEED = FeedBody(made("agr"), (made("dlv"),), (FeedEntry(1, made("dlv"), made("itm"), "opt-out", 5),), 1, (b"lease",))
RUN = FEED.to_json()["entries"][0]
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


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 255)), max_size=8), st.lists(st.binary(max_size=9)))
def test_a_feed_reads_back_and_tells_what_it_takes_back(back: list[tuple[int, int]], leases: list[bytes]) -> None:
    entries = tuple(FeedEntry(n, made("dlv", d), made("itm", i), "opt-out", n) for n, (d, i) in enumerate(back, 1))
    feed = FeedBody(made("agr"), tuple(made("dlv", n) for n in range(3)), entries, 1, tuple(leases))
    assert FeedBody.from_json(feed.to_json()) == feed
    for n in range(3):
        assert feed.taken_back(made("dlv", n)) == {made("itm", i) for d, i in back if d == n}


def test_one_feed_takes_back_all_that_a_family_may_hold_and_renews_all_leases() -> None:
    deliveries = [encode_id("dlv", n.to_bytes(16)) for n in range(MAX_DELIVERIES)]
    # an item falls back at most by a no of its own, and before and after it with all others of its delivery
    reasons = (("it may be kept no longer " * 3, 0), ("the contributor opted out", 1), ("the agreement ended " * 3, 0))
    items = ((n, reason, n * apart) for reason, apart in reasons for n in range(MAX_ITEMS))
    entries = (
        FeedEntry(seq, deliveries[n * MAX_DELIVERIES // MAX_ITEMS], encode_id("itm", n.to_bytes(16)), reason, since_ms)
        for seq, (n, reason, since_ms) in enumerate(items, 1)
    )
    feed = FeedBody(made("agr"), tuple(deliveries), tuple(entries), 1, (bytes(1_000),) * MAX_DELIVERIES)
    assert len(feed.entries) == MAX_ENTRIES
    data = canonical(feed.to_json())
    assert len(data) < MAX_BYTES * 0.99
    assert FeedBody.from_json(parse(data)) == feed


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
        (FEED, {"entries": [{**RUN, "more": 2}]}, "document.field"),
        (FEED, {"entries": [{**RUN, "items": [made("dlv")]}]}, "document.field"),
        (FEED, {"entries": [{**RUN, "items": {}}]}, "document.field"),
        (GRANT, {"checkpoint": made("agr")}, "document.field"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_body_that_is_refused(body: Body, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BadDocument) as caught:
        type(body).from_json({**body.to_json(), **changes})
    assert caught.value.code == code
