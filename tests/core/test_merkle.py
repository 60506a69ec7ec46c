from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.merkle import (
    EMPTY_ROOT,
    append,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots that the certificate-transparency implementations share as known answers.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

Get = Callable[[int, int], bytes]


def store(leaves: list[bytes]) -> Get:
    """A tree grown leaf by leaf; reading a node that append did not give raises KeyError."""
    nodes: dict[tuple[int, int], bytes] = {}
    for size, leaf in enumerate(leaves):
        for level, index, value in append(size, leaf, lambda *at: nodes[at]):
            assert (level, index) not in nodes
            nodes[level, index] = value
    return lambda level, index: nodes[level, index]


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162, section 2.1.1, writes it down."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_known_roots() -> None:
    hashes = [leaf_hash(data) for data in LEAVES]
    get = store(hashes)
    for size, expected in enumerate(ROOTS):
        assert root(size, get).hex() == root_of(hashes[:size]).hex() == expected


def test_the_known_proofs_of_rfc_9162_section_2_1_5() -> None:
    # the tree of seven: a-g are leaves hashes of d0-d6 except f = d5's; j, l as in the figure
    d = leaves_of(7)
    get = store(d)
    a, b, c, f, j = d[0], d[1], d[2], d[5], d[6]
    g, h, i = node_hash(a, b), node_hash(c, d[3]), node_hash(d[4], f)
    k, level_l = node_hash(g, h), node_hash(i, j)
    assert inclusion_proof(0, 7, get) == [b, h, level_l]
    assert inclusion_proof(3, 7, get) == [c, g, level_l]
    assert inclusion_proof(4, 7, get) == [f, j, k]
    assert inclusion_proof(6, 7, get) == [i, k]
    assert consistency_proof(3, 7, get) == [c, d[3], g, level_l]
    assert consistency_proof(4, 7, get) == [level_l]
    assert consistency_proof(6, 7, get) == [i, j, k]


def test_every_proof_of_every_small_tree() -> None:
    hashes = leaves_of(34)
    get = store(hashes)
    for size in range(len(hashes) + 1):
        top = root(size, get)
        assert top == root_of(hashes[:size]) == recursive_root(hashes[:size])
        for index in range(size):
            assert verify_inclusion(index, size, hashes[index], inclusion_proof(index, size, get), top)
        for old in range(size + 1):
            proof = consistency_proof(old, size, get)
            assert verify_consistency(old, size, root(old, get), top, proof)


@settings(max_examples=150)
@given(st.data(), st.integers(2, 300))
def test_a_changed_proof_fails(data: st.DataObject, size: int) -> None:
    hashes = leaves_of(size)
    get = store(hashes)
    index = data.draw(st.integers(0, size - 1))
    proof, top = inclusion_proof(index, size, get), root(size, get)
    assert verify_inclusion(index, size, hashes[index], proof, top)
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index))
    assert not verify_inclusion(other, size, hashes[index], proof, top)
    assert not verify_inclusion(index, size, hashes[other], proof, top)
    assert not verify_inclusion(index, size, hashes[index], proof[:-1], top)
    assert not verify_inclusion(index, size, hashes[index], [*proof, proof[0]], top)
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_inclusion(index, size, hashes[index], [*proof[:at], top, *proof[at + 1 :]], top)


@settings(max_examples=150)
@given(st.data(), st.integers(2, 300))
def test_a_rewritten_past_has_no_consistency_proof(data: st.DataObject, size: int) -> None:
    hashes = leaves_of(size)
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*hashes[:changed], leaf_hash(b"other"), *hashes[changed + 1 :]]
    get, get_rewritten = store(hashes), store(rewritten)
    old_root, new_root = root(old, get), root(size, get_rewritten)
    for proof in (consistency_proof(old, size, get), consistency_proof(old, size, get_rewritten)):
        assert not verify_consistency(old, size, old_root, new_root, proof)
        assert not verify_consistency(old, size, old_root, root(size, get), proof[:-1])


def test_ends_of_the_range() -> None:
    hashes = leaves_of(3)
    get = store(hashes)
    top = root(3, get)
    assert verify_consistency(0, 3, EMPTY_ROOT, top, [])
    assert not verify_consistency(0, 3, top, top, [])
    assert not verify_consistency(3, 3, top, EMPTY_ROOT, [])
    assert not verify_consistency(3, 2, top, root(2, get), [])
    assert not verify_inclusion(3, 3, hashes[2], [], top)
    assert not verify_inclusion(-1, 3, hashes[2], [], top)
    with pytest.raises(ValueError, match="leaf 3"):
        inclusion_proof(3, 3, get)
    with pytest.raises(ValueError, match="4 is not"):
        consistency_proof(4, 3, get)


def test_a_leaf_cannot_pose_as_a_node() -> None:
    left, right = leaves_of(2)
    assert leaf_hash(left + right) != node_hash(left, right)
