"""A Merkle tree over weights: proves that one weight is counted in a stated total, with few of the others shown.

Leaves are ordered by pseudonym. A node is a sum of 16 bytes, big-endian, and a hash:

    leaf = SHA-256(0x00 || weight || pseudonym in UTF-8)
    node = SHA-256(0x01 || left sum || left hash || right sum || right hash), its sum being left + right

and the last node of an odd level is carried up as it is. Source: Maxwell's proof of liabilities, with both sums hashed
apart, without which a prover could state a smaller total (Chalkias, Lewi, Mohassel, Nikolaenko: DAPOL, 2020).

So the total is at least the sum of all weights that have a proof under its root. It can be larger: a proof can't show
that the other leaves are people, and invented ones need an audit. Nor can it show that others were given this root:
two roots for one split are found where two people compare theirs, or with what the audit tree holds. What it shows of
others are sums on the way up, the first of which can be the weight of one other.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from fairframe.core.errors import BadDocument

SUM_BYTES = 16
SUM_LIMIT = 1 << 8 * SUM_BYTES
MAX_STEPS = 64
LEFT = "left"
RIGHT = "right"


class Step(NamedTuple):
    """The sibling on the way up: the side on which it stands, its sum and its hash of 32 bytes."""

    side: str
    sum: int
    hash: bytes


class SumTree:
    """The tree of (pseudonym, weight) pairs in any order: built once, then a proof costs its length.

    Raises ValueError without a pair, with a pseudonym twice, with a negative weight, or from a total of 2**128 on.
    """

    def __init__(self, weights: Iterable[tuple[str, int]]) -> None:
        pairs = sorted(weights)
        self._names = [name for name, _ in pairs]
        if not pairs or min(weight for _, weight in pairs) < 0:
            raise ValueError("a tree of weights needs a weight, and none below zero")
        if any(one == other for one, other in zip(self._names, self._names[1:], strict=False)):
            raise ValueError("a pseudonym stands twice in a tree of weights")
        sums = [weight for _, weight in pairs]
        if sum(sums) >= SUM_LIMIT:
            raise ValueError("the total of the weights is too large")
        nodes = [_coded(weight) + leaf_hash(name, weight) for name, weight in pairs]
        self._levels = [nodes]
        while len(nodes) > 1:
            nodes, sums = _above(nodes, sums)
            self._levels.append(nodes)
        self.total = sums[0]
        self.root = nodes[0][SUM_BYTES:]

    def __len__(self) -> int:
        return len(self._names)

    def proof(self, pseudonym: str) -> list[Step]:
        """The siblings from the leaf up. Raises KeyError if the pseudonym has no leaf."""
        index = bisect_left(self._names, pseudonym)
        if index == len(self._names) or self._names[index] != pseudonym:
            raise KeyError(pseudonym)
        steps: list[Step] = []
        for nodes in self._levels[:-1]:
            beside = index ^ 1
            if beside < len(nodes):  # else it is the odd one, carried up
                node = nodes[beside]
                side = RIGHT if beside > index else LEFT
                steps.append(Step(side, int.from_bytes(node[:SUM_BYTES]), node[SUM_BYTES:]))
            index >>= 1
        return steps


def leaf_hash(pseudonym: str, weight: int) -> bytes:
    """SHA-256(0x00 || weight || pseudonym)."""
    return hashlib.sha256(b"\x00" + _coded(weight) + pseudonym.encode()).digest()


def verify(pseudonym: str, weight: int, proof: Sequence[Step], root: bytes, total: int) -> bool:
    """Whether the proof shows `pseudonym` with `weight` among weights of this total under the root."""
    if not 0 <= weight <= total < SUM_LIMIT or len(proof) > MAX_STEPS:
        return False
    try:
        held, current = weight, leaf_hash(pseudonym, weight)
    except UnicodeEncodeError:
        return False
    for side, beside, value in proof:
        if side not in (LEFT, RIGHT) or not 0 <= beside <= total - held or len(value) != len(root):
            return False
        here, other = _coded(held) + current, _coded(beside) + value
        current = _node_hash(other, here) if side == LEFT else _node_hash(here, other)
        held += beside
    return held == total and current == root


def proof_json(proof: Sequence[Step]) -> list[list[str]]:
    """As documents carry it: [side, sum in decimals, hash in hex] from the leaf up."""
    return [[step.side, str(step.sum), step.hash.hex()] for step in proof]


def read_proof(value: object) -> list[Step]:
    """The proof in a document. Raises BadDocument on any other form than proof_json's."""
    if not isinstance(value, list) or len(cast("list[object]", value)) > MAX_STEPS:
        raise _bad(f"a list of at most {MAX_STEPS} steps")
    return [_read_step(one) for one in cast("list[object]", value)]


def _read_step(value: object) -> Step:
    if not isinstance(value, list):
        raise _bad("[side, sum, hash]")
    fields = cast("list[object]", value)
    if len(fields) != 3 or not all(isinstance(one, str) for one in fields):
        raise _bad("[side, sum, hash], each as text")
    side, amount, value_hex = cast("list[str]", fields)
    if side not in (LEFT, RIGHT):
        raise _bad('"left" or "right"')
    if not (amount.isascii() and amount.isdigit()) or len(amount) > 39 or str(int(amount)) != amount:
        raise _bad("a sum in decimals without leading zeros")
    if int(amount) >= SUM_LIMIT:
        raise _bad("a sum below 2**128")
    if len(value_hex) != 64 or not set(value_hex) <= set("0123456789abcdef"):
        raise _bad("a hash of 64 digits, lower-case")
    return Step(side, int(amount), bytes.fromhex(value_hex))


def _bad(expected: str) -> BadDocument:
    return BadDocument(f"a proof of a weight is malformed: expected {expected}", code="weight_proof.malformed")


def _above(nodes: list[bytes], sums: list[int]) -> tuple[list[bytes], list[int]]:
    """The level above, with its sums."""
    even = len(nodes) & ~1
    upper = [sums[at] + sums[at + 1] for at in range(0, even, 2)]
    above = [_coded(upper[at // 2]) + _node_hash(nodes[at], nodes[at + 1]) for at in range(0, even, 2)]
    if even < len(nodes):
        return [*above, nodes[-1]], [*upper, sums[-1]]
    return above, upper


def _coded(amount: int) -> bytes:
    return amount.to_bytes(SUM_BYTES)


def _node_hash(left: bytes, right: bytes) -> bytes:
    """Of two nodes, each given as sum || hash."""
    return hashlib.sha256(b"\x01" + left + right).digest()
