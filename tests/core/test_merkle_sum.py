import hashlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.errors import BadDocument
from fairframe.core.merkle_sum import SUM_LIMIT, Step, SumTree, proof_json, read_proof, verify

weights_of = st.integers(0, 10**18)
trees = st.dictionaries(st.text(max_size=12).filter(lambda text: text.isprintable()), weights_of, min_size=1)


def named(count: int) -> list[tuple[str, int]]:
    return [(f"psn_{number:03d}", number * number) for number in range(count)]


def naive(nodes: list[tuple[int, bytes]]) -> tuple[int, bytes]:
    """The sum and root as the module's words define them, level by level."""
    while len(nodes) > 1:
        above: list[tuple[int, bytes]] = []
        for at in range(0, len(nodes), 2):
            pair = nodes[at : at + 2]
            if len(pair) == 1:
                above += pair
                continue
            coded = b"".join(amount.to_bytes(16, "big") + value for amount, value in pair)
            above.append((pair[0][0] + pair[1][0], hashlib.sha256(b"\x01" + coded).digest()))
        nodes = above
    return nodes[0]


@pytest.mark.parametrize("count", range(1, 71))
def test_every_leaf_of_every_size_has_a_proof_under_the_defined_root(count: int) -> None:
    pairs = named(count)
    tree = SumTree(reversed(pairs))
    leaves = [(w, hashlib.sha256(b"\x00" + w.to_bytes(16, "big") + name.encode()).digest()) for name, w in pairs]
    assert (tree.total, tree.root) == naive(leaves)
    assert len(tree) == count
    for name, weight in pairs:
        proof = tree.proof(name)
        assert len(proof) <= (count - 1).bit_length()
        assert verify(name, weight, proof, tree.root, tree.total)
        assert read_proof(proof_json(proof)) == proof


@given(trees)
@settings(max_examples=60)
def test_any_names_and_weights(weights: dict[str, int]) -> None:
    tree = SumTree(weights.items())
    assert tree.total == sum(weights.values())
    assert all(verify(name, weight, tree.proof(name), tree.root, tree.total) for name, weight in weights.items())


@given(st.integers(2, 70), st.data())
@settings(max_examples=200)
def test_anything_altered_fails(count: int, data: st.DataObject) -> None:
    pairs = named(count)
    tree = SumTree(pairs)
    name, weight = data.draw(st.sampled_from(pairs))
    proof = tree.proof(name)
    at = data.draw(st.integers(0, len(proof) - 1))
    off = data.draw(st.integers(-(10**6), 10**6).filter(bool))
    step = proof[at]
    flipped = bytearray(step.hash)
    flipped[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))

    def put(**changed: Any) -> list[Step]:
        return [*proof[:at], step._replace(**changed), *proof[at + 1 :]]

    root, total = tree.root, tree.total
    other_side = "left" if step.side == "right" else "right"
    assert not verify(name, weight, put(sum=step.sum + off), root, total)
    assert not verify(name, weight, put(sum=step.sum + off), root, total + off)
    assert not verify(name, weight - off, put(sum=step.sum + off), root, total)
    assert not verify(name, weight, put(hash=bytes(flipped)), root, total)
    assert not verify(name, weight, put(hash=step.hash[:-1]), root, total)
    assert not verify(name, weight, put(side=other_side), root, total)
    assert not verify(name, weight, put(side="up"), root, total)
    assert not verify(name, weight + off, proof, root, total)
    assert not verify(name, weight + off, proof, root, total + off)
    assert not verify(name, weight, proof, root, total + off)
    assert not verify(name, weight, proof, bytes(flipped), total)
    assert not verify(name + "x", weight, proof, root, total)
    assert not verify("\ud800", weight, proof, root, total)
    assert not verify(name, weight, proof[:at] + proof[at + 1 :], root, total)
    assert not verify(name, weight, [*proof[: at + 1], *proof[at:]], root, total)
    assert not verify(name, weight, [*proof, Step("right", 0, bytes(32))], root, total)


def test_a_node_does_not_pass_as_a_leaf_nor_a_zero_tail_as_a_step() -> None:
    tree = SumTree([("a", 1), ("b", 2), ("c", 3)])
    assert not verify("a", 6, [], tree.root, 6)
    assert not verify("c", 3, [*tree.proof("c")] * 40, tree.root, 6)
    assert not verify("c", 3, tree.proof("c"), tree.root, SUM_LIMIT)


@pytest.mark.parametrize("pairs", [[], [("a", -1)], [("a", 1), ("a", 1)], [("a", SUM_LIMIT - 1), ("b", 1)]])
def test_what_is_no_tree(pairs: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"weight|total"):
        SumTree(pairs)


def test_a_name_outside_has_no_proof() -> None:
    for name in ("", "b", "z"):
        with pytest.raises(KeyError):
            SumTree([("a", 1), ("c", 2)]).proof(name)


@pytest.mark.parametrize(
    "value",
    [
        {},
        ["left"],
        [["left", "1"]],
        [["left", 1, "0" * 64]],
        [["up", "1", "0" * 64]],
        [["left", "01", "0" * 64]],
        [["left", "-1", "0" * 64]],
        [["left", "٣", "0" * 64]],
        [["left", str(SUM_LIMIT), "0" * 64]],
        [["left", "9" * 5000, "0" * 64]],
        [["left", "1", "0" * 63]],
        [["left", "1", "A" * 64]],
        [["left", "1", "0" * 64]] * 65,
    ],
)
def test_a_malformed_proof(value: object) -> None:
    with pytest.raises(BadDocument):
        read_proof(value)


def test_two_hundred_thousand_leaves_are_quick() -> None:
    pairs = [(f"psn_{number:026d}", number) for number in range(200_000)]
    began = time.process_time()
    tree = SumTree(pairs)
    built = time.process_time()
    for name, _ in pairs[::100]:
        tree.proof(name)
    assert built - began < 10
    assert time.process_time() - built < 1
