"""Near-duplicates: everything within seven bits is found, groups are closed, named and stable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.curation import duplicates


def _hashes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def _flip(hash_: np.ndarray, bits: list[int]) -> np.ndarray:
    unpacked = np.unpackbits(hash_)
    unpacked[bits] ^= 1
    return np.packbits(unpacked)


def _brute(hashes: np.ndarray, most: int) -> set[tuple[int, int, int]]:
    words = hashes.view(np.uint64)
    found = set()
    for i in range(len(hashes)):
        distance = np.bitwise_count(words[i] ^ words[i + 1 :]).sum(axis=1)
        found |= {(i, i + 1 + int(j), int(distance[j])) for j in np.flatnonzero(distance <= most)}
    return found


@given(st.sets(st.integers(0, 255), min_size=1, max_size=7), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_copy_with_up_to_seven_flipped_bits_is_always_found(bits: set[int], seed: int) -> None:
    hashes = _hashes(40, seed)
    hashes[31] = _flip(hashes[3], sorted(bits))
    pairs = duplicates.near(hashes)
    assert (3, 31, len(bits)) in set(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist()))


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_near_finds_what_comparing_everything_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = _hashes(150, seed)
    for target in rng.choice(150, 60, replace=False):
        source = int(rng.integers(150))
        hashes[target] = _flip(hashes[source], rng.choice(256, int(rng.integers(1, 4)), replace=False).tolist())
    hashes = np.unique(hashes, axis=0)
    pairs = duplicates.near(hashes, 7)
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist())) == _brute(hashes, 7)


def test_a_bucket_is_compared_whole_not_neighbor_by_neighbor() -> None:
    """Forty hashes share one band and differ elsewhere; two that lie far apart in it are the only match."""
    hashes = _hashes(40, 5)
    hashes[:, :: duplicates.BANDS] = 9
    hashes[37] = hashes[2]
    for band in range(1, duplicates.BANDS):  # one flipped bit in every other band: only the first can find it
        hashes[37, band] ^= 1
    pairs = duplicates.near(hashes)
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist())) == [(2, 37, 7)]


def test_many_equal_hashes_cost_a_chain_not_a_square() -> None:
    hashes = np.repeat(_hashes(1), 5000, axis=0)
    pairs = duplicates.near(hashes)
    assert len(pairs.left) == 4999
    assert not pairs.distance.any()


@pytest.mark.parametrize("batch", [1, 7, 1 << 20])
def test_batches_do_not_change_the_answer(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = _hashes(60, 2)
    hashes[20:40] = [_flip(hashes[0], [i]) for i in range(20)]
    want = duplicates.near(hashes)
    monkeypatch.setattr(duplicates, "BATCH_PAIRS", batch)
    got = duplicates.near(hashes)
    assert np.array_equal(got.left, want.left) and np.array_equal(got.right, want.right)
    assert len(got.left) == 20 + 20 * 19 // 2


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_components_are_those_of_a_plain_search(edges: list[tuple[int, int]]) -> None:
    left = np.array([a for a, _ in edges], np.int64)
    right = np.array([b for _, b in edges], np.int64)
    labels = duplicates.components(31, left, right)
    reach = {i: {i} for i in range(31)}
    for a, b in edges:
        union = reach[a] | reach[b]
        for node in union:
            reach[node] = union
    assert [int(label) for label in labels] == [min(reach[i]) for i in range(31)]


def test_groups_are_closed_and_named_by_their_smallest_member() -> None:
    base = _hashes(1)[0]
    other = _hashes(1, 9)[0]
    one, two = _flip(base, [0, 1, 2, 3, 4]), _flip(base, [0, 1, 2, 3, 4, 10, 20, 30, 40, 50])
    hashes = np.stack([two, base, one, other])
    found = duplicates.groups(["d", "c", "a", "b"], np.arange(4), hashes, max_distance=7)
    assert found == [duplicates.Group("a", ("a", "c", "d"), (5, 5, 5))]


def test_groups_do_not_depend_on_order() -> None:
    hashes = _hashes(30, 3)
    hashes[10], hashes[20] = _flip(hashes[1], [5]), _flip(hashes[2], [6, 7])
    ids = [f"s{i:02d}" for i in range(30)]
    want = duplicates.groups(ids, np.arange(30), hashes)
    shuffled = np.random.default_rng(1).permutation(30)
    got = duplicates.groups([ids[i] for i in shuffled], np.arange(30), hashes[shuffled])
    assert got == want
    assert [g.members for g in want] == [("s01", "s10"), ("s02", "s20")]


def test_frames_of_one_shot_do_not_group_it_with_itself() -> None:
    base = _hashes(1)[0]
    assert duplicates.groups(["a"], np.zeros(3, np.int64), np.stack([base, base, _flip(base, [1])])) == []


def test_nothing_to_compare() -> None:
    empty = np.empty((0, 32), np.uint8)
    assert len(duplicates.near(empty).left) == 0
    assert duplicates.groups(["a"], np.empty(0, np.int64), empty) == []
