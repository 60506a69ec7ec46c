"""What part of a model each training in its lineage has: a pure rule over its ancestors' weights.

A run's part passes on to its ancestors as its report weighs them: of all frames that its weights ever consumed, or of
a merge its part of the mean. An ancestor of weight zero is one whose part was not told: what no other ancestor is told
to have is then divided between it and the run itself, by frames consumed. What comes of house footage or of a model
from elsewhere belongs to nobody here, and is told as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fairframe.core.errors import Refused

TOLD, BY_FRAMES = "told", "frames"


@dataclass(frozen=True)
class Ancestor:
    """run: the training that it is, where the library knows it by a report; None otherwise. weight: 0 is not told."""

    run: int | None
    kind: str
    name: str
    weight: Fraction


@dataclass(frozen=True)
class Node:
    """A run: all frames that it consumed itself (0 for a merge), and what it was made from."""

    frames: int
    ancestors: Sequence[Ancestor] = ()


@dataclass(frozen=True)
class Outside:
    """An ancestor that is not paid. part: of the model; None where that cannot be told."""

    kind: str
    name: str
    part: Fraction | None


@dataclass(frozen=True)
class Parts:
    """own: run -> its part of the model. counted: run -> how the part that it has as an ancestor was found."""

    own: dict[int, Fraction]
    counted: dict[int, str]
    outside: list[Outside]


def divide(runs: Mapping[int, Node], root: int) -> Parts:
    """The parts of a model; with what is outside they sum to one, unless a run consumed nothing and is no merge.

    Raises Refused (allocate.lineage) where a run is its own ancestor, or ancestors weigh more than 1 together.
    """
    order = _order(runs, root)
    behind = _frames_behind(runs, order)
    whole = {run: Fraction(0) for run in order} | {root: Fraction(1)}
    own: dict[int, Fraction] = {}
    counted: dict[int, str] = {}
    outside: list[Outside] = []
    for run in order:
        node = runs[run]
        rest = 1 - _told(node)
        untold = [one.run for one in node.ancestors if not one.weight and one.run is not None]
        frames = node.frames + sum(behind[one] for one in untold)
        own[run] = whole[run] * rest * Fraction(node.frames, frames) if frames else Fraction(0)
        for one in node.ancestors:
            if one.run is None:
                outside.append(Outside(one.kind, one.name, whole[run] * one.weight if one.weight else None))
                continue
            part = one.weight or (rest * Fraction(behind[one.run], frames) if frames else Fraction(0))
            whole[one.run] += whole[run] * part
            counted[one.run] = TOLD if one.weight and counted.get(one.run, TOLD) == TOLD else BY_FRAMES
    return Parts(own, counted, outside)


def _told(node: Node) -> Fraction:
    total = sum((one.weight for one in node.ancestors), Fraction(0))
    if total > 1:
        raise _refused("the weights of its ancestors sum to more than 1")
    return total


def _order(runs: Mapping[int, Node], root: int) -> list[int]:
    """The runs that are reached from the root, each after all that were made from it."""
    state: dict[int, bool] = {}  # False while its ancestors are being visited
    order: list[int] = []
    stack = [(root, False)]
    while stack:
        run, left = stack.pop()
        if left:
            state[run] = True
            order.append(run)
        elif run not in state:
            state[run] = False
            stack.append((run, True))
            for one in runs[run].ancestors:
                if one.run is not None and state.get(one.run) is not True:
                    if state.get(one.run) is False:
                        raise _refused("a checkpoint in it is its own ancestor")
                    stack.append((one.run, False))
    return order[::-1]


def _frames_behind(runs: Mapping[int, Node], order: Sequence[int]) -> dict[int, int]:
    """run -> all frames that its weights ever consumed, as far as it can be told, rounded down."""
    behind: dict[int, int] = {}
    for run in reversed(order):
        node = runs[run]
        known = [one for one in node.ancestors if one.run is not None]
        frames = node.frames + sum(behind[one.run] for one in known if one.run is not None and not one.weight)
        rest = 1 - _told(node)
        if frames and rest:
            behind[run] = int(frames / rest)
        else:
            mean = (one.weight * behind[one.run] for one in known if one.run is not None)
            behind[run] = int(sum(mean, Fraction(node.frames)))
    return behind


def _refused(why: str) -> Refused:
    return Refused(
        f"the lineage of this model cannot be counted: {why}",
        code="allocate.lineage",
        remedy="Ask the lab for a corrected usage report",
    )
