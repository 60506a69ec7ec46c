from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.apportion import hamilton, tie_key

weights = st.lists(st.integers(0, 10**15), min_size=1, max_size=30).filter(any)
totals = st.integers(0, 10**18)


def keys_for(count: int) -> list[bytes]:
    return [tie_key(b"salt", f"ctr_{number}") for number in range(count)]


@given(totals, weights)
def test_parts_sum_to_the_total_and_stay_within_quota(total: int, claims: list[int]) -> None:
    parts = hamilton(total, claims, keys_for(len(claims)))
    assert sum(parts) == total
    for part, claim in zip(parts, claims, strict=True):
        quota = Fraction(total * claim, sum(claims))
        assert quota - 1 < part < quota + 1
        assert claim or part == 0


@given(totals, weights, st.randoms(use_true_random=False))
def test_the_order_of_the_claimants_does_not_matter(total: int, claims: list[int], random: object) -> None:
    keys = keys_for(len(claims))
    order = list(range(len(claims)))
    random.shuffle(order)  # type: ignore[attr-defined]
    parts = hamilton(total, claims, keys)
    shuffled = hamilton(total, [claims[at] for at in order], [keys[at] for at in order])
    assert shuffled == [parts[at] for at in order]


@given(totals, weights)
def test_a_larger_claim_never_gets_less(total: int, claims: list[int]) -> None:
    parts = hamilton(total, claims, keys_for(len(claims)))
    ranked = sorted(zip(claims, parts, strict=True))
    for (claim, part), (larger, more) in pairwise(ranked):
        assert claim == larger or part <= more


@given(totals, weights, st.integers(2, 1000))
def test_only_proportions_count(total: int, claims: list[int], factor: int) -> None:
    keys = keys_for(len(claims))
    assert hamilton(total, [claim * factor for claim in claims], keys) == hamilton(total, claims, keys)


def test_by_hand() -> None:
    assert hamilton(10, [5, 3, 2], [b"a", b"b", b"c"]) == [5, 3, 2]
    assert hamilton(100, [1, 1, 1], [b"b", b"c", b"a"]) == [33, 33, 34]
    assert hamilton(2, [1, 1, 1, 0], [b"d", b"c", b"b", b"a"]) == [0, 1, 1, 0]
    # quotas 1.50, 9.25, 9.25: the largest remainder is the smallest claim's
    assert hamilton(20, [6, 37, 37], [b"a", b"b", b"c"]) == [2, 9, 9]
    assert hamilton(0, [1, 2], [b"a", b"b"]) == [0, 0]


def test_tie_keys_are_the_documented_hash() -> None:
    assert tie_key(b"salt", "ctr_1").hex() == ("444af5fe8e81c708c20be1049af1921c563e02e99d17ec8f9a38ded5357ab664")


@pytest.mark.parametrize(
    ("total", "claims", "keys"),
    [
        (1, [], []),
        (1, [0, 0], [b"a", b"b"]),
        (-1, [1], [b"a"]),
        (1, [2, -1], [b"a", b"b"]),
        (1, [1, 1], [b"a"]),
        (1, [1, 1], [b"a", b"a"]),
    ],
)
def test_refuses_claims_that_cannot_be_split(total: int, claims: list[int], keys: list[bytes]) -> None:
    with pytest.raises(ValueError):
        hamilton(total, claims, keys)
