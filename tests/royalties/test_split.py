"""Splitting a pool: what must always hold, and that DuckDB and the plain Python reference say the same."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.apportion import tie_key
from fairframe.royalties import bulk, owners
from fairframe.royalties.split import Claim, Owner, claims, split

WEIGHT = st.one_of(st.integers(0, 5), st.integers(0, 10**9), st.just(2**40))


@st.composite
def claim_lists(draw: Any) -> list[Claim]:
    """Up to 8 contributors with up to 6 assets each, some weighing nothing, at least one weight above zero."""
    found: list[Claim] = []
    for contributor in range(draw(st.integers(1, 8))):
        for asset in range(draw(st.integers(1, 6))):
            weight = draw(WEIGHT)
            found.append(
                Claim(contributor, f"c{contributor}", contributor * 10 + asset, f"a{contributor}{asset}", weight)
            )
    if not any(claim.weight for claim in found):
        found.append(Claim(99, "c99", 990, "a990", 1))
    return found


POOL = st.one_of(st.integers(0, 50), st.integers(0, 2 * 10**15), st.just(2**62))


@settings(max_examples=80, deadline=None)
@given(
    found=claim_lists(), pool=POOL, salt=st.binary(min_size=16, max_size=16), mixed=st.randoms(use_true_random=False)
)
def test_what_always_holds(found: list[Claim], pool: int, salt: bytes, mixed: Any) -> None:
    lines, assets = split(pool, found, salt)
    total = sum(claim.weight for claim in found)
    assert sum(line.amount for line in lines) == pool
    for line in lines:
        floor = pool * line.weight // total
        assert floor <= line.amount <= floor + 1
        assert line.weight or line.amount == 0
        own = [one for one in assets if one.contributor == line.contributor]
        assert sum(one.amount for one in own) == line.amount
        assert sum(one.weight for one in own) == line.weight
        for one in own:
            floor = line.amount * one.weight // line.weight if line.weight else 0
            assert floor <= one.amount <= floor + 1
            assert one.weight or one.amount == 0
    for one in lines:
        for other in lines:
            assert one.weight <= other.weight or one.amount >= other.amount
    again = list(found)
    mixed.shuffle(again)
    assert split(pool, again, salt) == (lines, assets)
    scaled = [Claim(c.contributor, c.contributor_key, c.asset, c.asset_key, c.weight * 7) for c in found]
    assert [line.amount for line in split(pool, scaled, salt)[0]] == [line.amount for line in lines]


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    with bulk.connection() as con:
        con.execute("set threads = 1")
        yield con


def fill_claims(con: Any, found: list[Claim]) -> None:
    bulk.fill(con, "claim", [(c.contributor, c.asset, c.weight) for c in found])
    bulk.fill(con, "name", sorted({(c.contributor, c.contributor_key) for c in found}))
    bulk.fill(con, "key", sorted({(c.asset, c.asset_key) for c in found}))


@settings(max_examples=60, deadline=None)
@given(found=claim_lists(), pool=POOL, salt=st.binary(min_size=16, max_size=16))
def test_duckdb_equals_the_reference(con: Any, found: list[Claim], pool: int, salt: bytes) -> None:
    fill_claims(con, found)
    assert bulk.split(con, pool, salt).weight == sum(claim.weight for claim in found)
    lines = list(bulk.stream(con, "select contributor, contributor_key, weight, amount from line order by contributor"))
    assets = list(
        bulk.stream(con, "select contributor, asset, weight, amount from line_asset order by contributor, asset")
    )
    expected = split(pool, found, salt)
    assert lines == [(x.contributor, x.contributor_key, x.weight, x.amount) for x in expected[0]]
    assert assets == [(x.contributor, x.asset, x.weight, x.amount) for x in sorted(expected[1])]


def test_ties_go_by_the_salted_hash() -> None:
    found = [Claim(n, f"c{n}", n, f"a{n}", 1) for n in range(3)]
    winners = set()
    for n in range(20):
        salt = hashlib.sha256(bytes([n])).digest()[:16]
        lines, _ = split(1, found, salt)
        first = min(range(3), key=lambda at: tie_key(salt, f"c{at}"))
        assert [line.amount for line in lines] == [int(at == first) for at in range(3)]
        winners.add(first)
    assert winners == {0, 1, 2}


def test_no_weight_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        split(5, [Claim(1, "c", 1, "a", 0)], b"s" * 16)


OWNED = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 2)),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(rows=OWNED, since=st.lists(st.integers(0, 3), min_size=3, max_size=3), effective=st.integers(0, 3))
def test_owners_in_sql_equal_their_reference(con: Any, rows: list[Any], since: list[int], effective: int) -> None:
    bulk.fill(con, "delivered", [(f"i{a}", a, 9, "k", 0, 1, 1, since[a]) for a in range(3)])
    bulk.fill(con, "owned", [(a, who, 1, den, valid, at) for a, who, den, valid, at in rows])
    con.execute(owners.SQL, {"effective": effective})
    found = sorted(con.execute("select asset, contributor, num, den from owner").fetchall())
    expected: list[Any] = []
    for asset in range(3):
        own = [
            {"contributor_id": who, "share_num": 1, "share_den": den, "valid_from_ms": valid, "recorded_at_ms": at}
            for a, who, den, valid, at in rows
            if a == asset
        ]
        at_ms = max(since[asset], effective)
        expected += [(asset, o.contributor, o.num, o.den) for o in owners.reference(own, 9, at_ms)]
    assert found == sorted(expected)


def test_claims_of_shared_assets_are_whole_numbers() -> None:
    shared = {1: [Owner(1, 1, 3), Owner(2, 2, 3)], 2: [Owner(1, 1, 1)]}
    found = claims({1: 10, 2: 4}, shared, owners.common_scale([3, 1]), {1: "c1", 2: "c2"}, {1: "a1", 2: "a2"})
    assert [(c.contributor, c.asset, c.weight) for c in sorted(found)] == [(1, 1, 10), (1, 2, 12), (2, 1, 20)]
