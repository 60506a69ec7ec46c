"""The laws of every split method and of blends, and that DuckDB and the plain Python reference say the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.errors import IntegrityFailure
from fairframe.core.split_basis import LINEAGE, NAMES
from fairframe.royalties import bulk
from fairframe.royalties.methods import METHODS, method, why_empty
from fairframe.royalties.methods.blend import SCALE, blended
from fairframe.royalties.methods.values import Delivered, Facts, Method, Run, Used
from fairframe.royalties.split import Claim, Owner, claims, split

from .test_split import fill_claims

BLENDS = [
    "1/2 delivered_ms + 1/2 usage",
    "1/3 clips + 2/3 scores",
    "1/7 clips + 2/7 delivered_ms + 3/7 scores + 1/7 usage",
]
ALL = [METHODS[name] for name in METHODS] + [method(basis) for basis in BLENDS]
SPANS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2), st.integers(0, 10**7)), min_size=1, max_size=12
)
USES = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 10**6), st.integers(0, 2)), max_size=12)
every_method = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)


@st.composite
def facts(draw: Any) -> Facts:
    delivered = [Delivered(f"i{n}", a, s, s + 1 + e, ms) for n, (a, s, e, ms) in enumerate(draw(SPANS))]
    used = [Used(f"i{n}", count, run) for n, count, run in draw(USES)]
    scores = draw(st.dictionaries(st.integers(0, 6), st.integers(0, 10**12)))
    runs = [
        Run(run, draw(st.integers(0, SCALE)), sum(u.frames for u in used if u.run == run) + draw(st.integers(0, 9)))
        for run in range(3)
    ]
    return Facts(delivered, used, scores, runs)


def spread(weights: Mapping[int, int]) -> list[Claim]:
    """Claims of three contributors, who share every third asset."""
    owners = {asset: [Owner(asset % 2, 1, 1)] for asset in weights}
    owners |= {asset: [Owner(0, 1, 3), Owner(2, 2, 3)] for asset in weights if asset % 3 == 0}
    return claims(weights, owners, 3, {n: f"c{n}" for n in range(3)}, {asset: f"a{asset}" for asset in weights})


def times(facts: Facts, by: int) -> Facts:
    """The same facts in a unit that is `by` times smaller."""
    return Facts(
        [replace(one, duration_ms=one.duration_ms * by) for one in facts.delivered],
        [replace(one, frames=one.frames * by) for one in facts.used],
        {asset: score * by for asset, score in facts.scores.items()},
        [replace(one, frames=one.frames * by) for one in facts.runs],
    )


@every_method
@settings(max_examples=40, deadline=None)
@given(found=facts(), pool=st.integers(0, 10**13), by=st.integers(2, 1000), seed=st.randoms(use_true_random=False))
def test_the_laws(one: Method, found: Facts, pool: int, by: int, seed: Random) -> None:
    weights = one.reference(found)
    assert weights.keys() == {d.asset for d in found.delivered} and min(weights.values()) >= 0
    if not any(weights.values()):
        return
    salt = b"s" * 16
    lines, assets = split(pool, spread(weights), salt)
    total = sum(line.weight for line in lines)
    assert total == 3 * sum(weights.values())
    assert sum(line.amount for line in lines) == pool
    for line in lines:
        quota = Fraction(pool * line.weight, total)
        assert abs(line.amount - quota) < 1
        assert line.weight or line.amount == 0
        assert sum(asset.amount for asset in assets if asset.contributor == line.contributor) == line.amount
        assert all(line.amount <= other.amount for other in lines if line.weight < other.weight)
    assert all(asset.weight or asset.amount == 0 for asset in assets)
    delivered = seed.sample(list(found.delivered), len(found.delivered))
    mixed = Facts(delivered, seed.sample(list(found.used), len(found.used)), found.scores, found.runs)
    assert one.reference(mixed) == weights
    scaled = split(pool, spread(one.reference(times(found, by))), salt)
    assert [(x.contributor, x.amount) for x in scaled[0]] == [(x.contributor, x.amount) for x in lines]
    assert [(x.asset, x.amount) for x in scaled[1]] == [(x.asset, x.amount) for x in assets]


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    with bulk.connection() as con:
        con.execute("set threads = 1")
        yield con


def fill(con: Any, found: Facts) -> None:
    rows = [(d.item, d.asset, 1, "k", d.start, d.end, d.duration_ms, 0) for d in found.delivered]
    bulk.fill(con, "delivered", rows)
    bulk.fill(con, "used", [(u.item, u.frames, u.run) for u in found.used])
    bulk.fill(con, "score", sorted(found.scores.items()))
    bulk.fill(con, "run", [(r.run, r.part, r.frames) for r in found.runs])


@every_method
@settings(max_examples=15, deadline=None)
@given(found=facts())
def test_sql_equals_the_reference(con: Any, one: Method, found: Facts) -> None:
    fill(con, found)
    assert dict(con.execute(one.sql).fetchall()) == one.reference(found)


@every_method
@settings(max_examples=8, deadline=None)
@given(found=facts(), pool=st.integers(0, 10**13), seed=st.randoms(use_true_random=False))
def test_a_replay_gives_the_same_bytes(con: Any, one: Method, found: Facts, pool: int, seed: Random) -> None:
    weights = one.reference(found)
    if not any(weights.values()):
        return
    rows = spread(weights)
    seen: set[str] = set()
    for _ in range(3):
        fill_claims(con, seed.sample(rows, len(rows)))
        total = bulk.split(con, pool, b"s" * 16)
        lines = con.execute("select * from line order by contributor").fetchall()
        assets = con.execute("select * from line_asset order by contributor, asset").fetchall()
        seen.add(json.dumps([total.weight, total.extra_units, str(total.cutoff), lines, assets]))
    assert len(seen) == 1


def test_the_registry_is_what_an_agreement_can_name_and_lineage() -> None:
    assert set(METHODS) == {*NAMES, LINEAGE}
    assert all(METHODS[name].name == name for name in METHODS)
    with pytest.raises(IntegrityFailure, match="unknown"):
        method(LINEAGE)
    for bad in (None, 7, "", "by taste"):
        with pytest.raises(IntegrityFailure):
            method(bad)


@given(
    st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1),
    st.integers(1, 10**6),
)
def test_a_blend_weighs_its_parts_alike_and_keeps_their_order(both: dict[int, tuple[int, int]], by: int) -> None:
    first, second = ({asset: pair[at] for asset, pair in both.items()} for at in (0, 1))
    found = blended([(1, first), (2, second)])
    if not (sum(first.values()) and sum(second.values())):
        assert not any(found.values())
        return
    assert found == blended([(1, {asset: weight * by for asset, weight in first.items()}), (2, second)])
    assert 3 * SCALE - 3 * len(both) < sum(found.values()) <= 3 * SCALE
    for one in both:
        for other in both:
            if first[one] <= first[other] and second[one] <= second[other]:
                assert found[one] <= found[other]


def test_a_blend_with_an_empty_part_says_which(con: Any) -> None:
    one = method("1/2 clips + 1/2 usage")
    fill(con, Facts([Delivered("i", 1, 0, 5, 9)]))
    assert dict(con.execute(one.sql).fetchall()) == {1: 0}
    assert "no usage report" in why_empty(con, one)
    assert why_empty(con, METHODS["scores"]) == METHODS["scores"].empty


def test_it_is_not_monotone() -> None:
    """The Alabama paradox: a larger pool takes a unit from somebody. No method that stays within quota is free of it
    (Balinski and Young 1982, chapter 9)."""
    found = [Claim(n, f"c{n}", n, f"a{n}", weight) for n, weight in enumerate((6, 6, 2))]
    smaller, larger = (split(pool, found, b"s" * 16)[0] for pool in (10, 11))
    assert [line.amount for line in smaller] == [4, 4, 2]
    assert [line.amount for line in larger] == [5, 5, 1]
