"""The Merkle tree of RFC 9162 (section 2.1), over stored hashes of complete subtrees.

A node is addressed (level, index): level 0 are the leaves, and node (l, i) covers leaves i * 2**l up to, not
including, (i + 1) * 2**l. Only complete nodes are stored; whatever is ragged on the right is computed. `get`
returns a stored node's 32 bytes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

GetNode = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, leaf: bytes, get: GetNode) -> list[tuple[int, int, bytes]]:
    """The complete nodes (level, index, hash) that a leaf hash adds to a tree of `size` leaves."""
    level, index, current = 0, size, leaf
    added = [(level, index, current)]
    while index & 1:
        current = node_hash(get(level, index - 1), current)
        level, index = level + 1, index >> 1
        added.append((level, index, current))
    return added


def root(size: int, get: GetNode) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(0, size, get) if size else EMPTY_ROOT


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in memory that grows with their logarithm."""
    stack: list[tuple[int, bytes]] = []  # complete subtrees from left to right, as (level, hash)
    for leaf in leaves:
        level, current = 0, leaf
        while stack and stack[-1][0] == level:
            current = node_hash(stack.pop()[1], current)
            level += 1
        stack.append((level, current))
    if not stack:
        return EMPTY_ROOT
    current = stack.pop()[1]
    while stack:
        current = node_hash(stack.pop()[1], current)
    return current


def inclusion_proof(index: int, size: int, get: GetNode) -> list[bytes]:
    """The audit path of a leaf in the tree of `size` leaves, from the leaf up. ValueError if not inside."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, get))
            end = middle
        else:
            path.append(_range_root(start, middle, get))
            start = middle
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether the proof shows the leaf hash at `index` under the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == root_hash


def consistency_proof(old: int, new: int, get: GetNode) -> list[bytes]:
    """The proof that the tree of `old` leaves is a prefix of that of `new` leaves (RFC 9162, 2.1.4.1).

    Empty for old == 0 and old == new. ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"{old} is not a smaller tree than {new}")
    path: list[bytes] = []
    if old == 0:
        return path
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, get))
            end = middle
        else:
            path.append(_range_root(start, middle, get))
            start = middle
    if start:  # else the verifier knows this node: it is the old root itself
        path.append(_range_root(start, end, get))
    return path[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree only appended to the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0 or old == new:
        same = old_root == (new_root if old == new else EMPTY_ROOT)
        return same and not proof and (new > 0 or new_root == EMPTY_ROOT)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root


def _split(width: int) -> int:
    """The largest power of two smaller than `width` (which is at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_root(start: int, end: int, get: GetNode) -> bytes:
    """The root of a subtree that splits on powers of two: its complete nodes, folded from the right."""
    peaks: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(get(level, start >> level))
        start += 1 << level
    current = peaks.pop()
    while peaks:
        current = node_hash(peaks.pop(), current)
    return current
