"""The line between who got an extra unit and who did not: it separates them, and says neither's remainder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.apportion import hamilton, tie_key
from fairframe.core.cutoff import Cutoff, roundest
from fairframe.royalties.denominators import cut

WEIGHTS = st.lists(st.integers(0, 30) | st.integers(0, 10**12), min_size=1, max_size=30).filter(any)


@given(st.integers(0, 10**15), WEIGHTS, st.binary(min_size=16, max_size=16))
def test_it_gives_what_hamilton_gives(pool: int, weights: list[int], salt: bytes) -> None:
    named = [(f"psn_{at}", weight) for at, weight in enumerate(weights)]
    keys, total = [tie_key(salt, name) for name, _ in named], sum(weights)
    left, line = cut(pool, total, salt, named)
    for weight, key, part in zip(weights, keys, hamilton(pool, weights, keys), strict=True):
        floor, rest = divmod(pool * weight, total)
        assert part - floor == (line is not None and line.passed(rest, key.hex()))
    assert (line is None) == (left == 0)
    if line is not None:
        assert 0 < line.remainder < total


@given(st.integers(0, 2**300), st.integers(1, 2**300))
def test_it_is_the_roundest_number_between(low: int, more: int) -> None:
    high = low + more
    found = roundest(low, high)
    step = (found & -found) * 2  # the next rounder numbers are outside
    assert low < found <= high
    assert high // step == low // step


def test_neither_of_two_neighbors_learns_the_others_remainder() -> None:
    """Who knows their own remainder and that they are at the line cannot tell the other's from it."""
    winner, losers = 987_654_321, (123_456_789, 234_567_890, 456_000_001)
    assert {Cutoff.between((winner, "0" * 64), (one, "0" * 64)).remainder for one in losers} == {2**29}


def test_equal_remainders_are_told_apart_by_a_tie_key_that_is_nobodys() -> None:
    first, second = sorted(tie_key(b"salt", name).hex() for name in ("psn_a", "psn_b"))
    line = Cutoff.between((7, first), (7, second))
    assert (line.remainder, line.tie_key not in (None, first, second)) == (7, True)
    assert (line.passed(7, first), line.passed(7, second), line.passed(8, second), line.passed(6, first)) == (
        True, False, True, False,
    )  # fmt: skip
    for wrong in ((6, first), (7, second)):
        with pytest.raises(ValueError, match="not before"):
            Cutoff.between(wrong, (7, first))
