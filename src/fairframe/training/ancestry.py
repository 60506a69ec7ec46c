"""What a checkpoint is made of, as a tree: its ancestors, theirs, and so on, with roles and weights.

An ancestor's weight is its part of the checkpoint right above it. By frames: of all frames that the weights ever
consumed; of a merge: its part of the mean. 0 where a model from elsewhere or a role such as captioner has no frames.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fairframe.core.ancestors import BASE, AncestorRef
from fairframe.platform.tx import Row, Tx
from fairframe.training import registry

MOST_NODES = 1_000
"""More are not shown: an ancestor that is reached on many ways stands on each of them."""


@dataclass(frozen=True)
class Node:
    """A checkpoint or another ancestor. role: towards the one above it; empty for the one asked about.

    weight, own_weight: exact fractions as text. own_frames: what its own training consumed.
    """

    name: str
    id: str
    kind: str
    role: str
    weight: str
    license: str
    data: str
    hash: str
    own_frames: int = 0
    own_weight: str = ""
    made_of: tuple["Node", ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "made_of": [one.to_json() for one in self.made_of]}


def tree(tx: Tx, row: Row) -> Node:
    """A checkpoint's row with all its ancestors that are known here."""
    return _node(tx, row, "", Fraction(1), [MOST_NODES], frozenset())


def _node(tx: Tx, row: Row, role: str, weight: Fraction, left: list[int], below: frozenset[int]) -> Node:
    """below: the checkpoints on the way here. One of them is no ancestor of its own, whatever a report says."""
    made_of: list[Node] = []
    rest = Fraction(1)
    for one in registry.ancestors_of(tx, row["id"]):
        left[0] -= 1
        if left[0] < 0:
            break
        part = Fraction(one["weight_num"], one["weight_den"])
        rest -= part
        as_what = one["role"] or BASE
        known = registry.named_by(tx, one, row)
        if known is None or known["id"] in below | {row["id"]}:
            made_of.append(
                Node(one["name"], "", one["kind"], as_what, str(part), one["license"], one["data"], one["hash"])
            )
        else:
            made_of.append(_node(tx, known, as_what, part, left, below | {row["id"]}))
    return Node(
        name=row["name"],
        id=row["public_id"],
        kind="checkpoint",
        role=role,
        weight=str(weight),
        license=license_of(row),
        data="disclosed",
        hash=row["weights_hash"],
        own_frames=row["frames_seen"],
        own_weight=str(rest) if row["frames_seen"] else "0",
        made_of=tuple(made_of),
    )


def license_of(row: Row) -> str:
    """What an own checkpoint stands under, in a word for its descendants' lineages."""
    return f"agreement {row['agreement']}" if row["agreement"] else "its ancestors' agreements"


def frames_behind(tx: Tx, row: Row, below: frozenset[int] = frozenset()) -> int:
    """All frames that an own checkpoint's weights ever consumed, its ancestors' included.

    Of a merge: the mean over what it was merged from, by its weights. below: the checkpoints on the way here.
    """
    below |= {row["id"]}
    ancestors = registry.ancestors_of(tx, row["id"])
    parts = [Fraction(one["weight_num"], one["weight_den"]) for one in ancestors]
    if row["frames_seen"] > 0:
        own = 1 - sum(parts, Fraction(0))
        return round(row["frames_seen"] / own) if own > 0 else int(row["frames_seen"])
    known = [registry.named_by(tx, one, row) for one in ancestors]
    each = [
        part * frames_behind(tx, one, below)
        for part, one in zip(parts, known, strict=True)
        if one is not None and one["id"] not in below
    ]
    return round(sum(each, Fraction(0)))


def as_ancestor(row: Row, role: str, weight: Fraction) -> AncestorRef:
    """An own checkpoint as an ancestor."""
    return AncestorRef(
        kind="checkpoint",
        name=row["name"],
        hash=row["weights_hash"],
        license=license_of(row),
        data="disclosed",
        weight_num=weight.numerator,
        weight_den=weight.denominator,
        role=role,
    )


def upon(tx: Tx, row: Row, own_frames: int) -> AncestorRef:
    """The checkpoint of a row as the base of a training that consumed `own_frames` more."""
    behind = frames_behind(tx, row)
    return as_ancestor(row, BASE, Fraction(behind, behind + own_frames))


def roots(tx: Tx, row: Row) -> set[str]:
    """Hashes of the weights that a checkpoint was trained on or merged from, back to the first: all its bases."""
    found: set[str] = set()
    waiting, seen = [row], set[int]()
    while waiting:
        current = waiting.pop()
        if current["id"] in seen:
            continue
        seen.add(current["id"])
        found.add(current["weights_hash"])
        for one in registry.ancestors_of(tx, current["id"]):
            if (one["role"] or BASE) not in (BASE, "merge"):
                continue
            found.add(one["hash"])
            if one["kind"] == "checkpoint":
                waiting += registry.with_weights(tx, one["hash"], current)
    return found
