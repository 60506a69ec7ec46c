"""When a delivery may be opened: a pure rule."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.time import DAY_MS
from fairframe.dataset.standing import Standing, findings

GOOD = Standing(
    now_ms=100 * DAY_MS,
    agreement_state="active",
    kept_until_ms=400 * DAY_MS,
    lease_starts_ms=90 * DAY_MS,
    lease_ends_ms=120 * DAY_MS,
    feed_issued_ms=95 * DAY_MS,
    feed_max_age_ms=7 * DAY_MS,
)


def codes(standing: Standing) -> list[str]:
    return [one.code for one in findings(standing)]


def test_a_live_lease_and_a_fresh_feed_open_it() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"agreement_state": "terminated"}, "agreement.inactive"),
        ({"kept_until_ms": 100 * DAY_MS}, "delivery.retention"),
        ({"lease_starts_ms": None, "lease_ends_ms": None}, "lease.missing"),
        ({"lease_ends_ms": 100 * DAY_MS}, "lease.ended"),
        ({"lease_starts_ms": 100 * DAY_MS + 1}, "lease.early"),
        ({"feed_issued_ms": None}, "feed.missing"),
        ({"feed_issued_ms": 93 * DAY_MS - 1}, "feed.old"),
    ],
)
def test_each_reason_is_told_with_its_remedy(change: dict[str, object], code: str) -> None:
    found = findings(replace(GOOD, **change))
    assert [one.code for one in found] == [code]
    assert found[0].remedy


def test_a_feed_of_exactly_the_greatest_age_is_fresh() -> None:
    assert codes(replace(GOOD, feed_issued_ms=93 * DAY_MS)) == []


@given(st.integers(0, 500 * DAY_MS), st.integers(0, 500 * DAY_MS))
def test_once_closed_by_time_it_stays_closed(early: int, later: int) -> None:
    early, later = sorted((early, later))
    ends = {"lease.ended", "feed.old", "delivery.retention"}
    before, after = codes(replace(GOOD, now_ms=early)), codes(replace(GOOD, now_ms=later))
    assert ends & set(before) <= ends & set(after)
