"""What part of a model each training in its lineage has."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.core.errors import Refused
from fairframe.royalties.lineage_parts import BY_FRAMES, TOLD, Ancestor, Node, divide

HALF = Fraction(1, 2)


def known(run: int, weight: Fraction | int = 0) -> Ancestor:
    return Ancestor(run, "checkpoint", f"run {run}", Fraction(weight))


def house(weight: Fraction | int = 0) -> Ancestor:
    return Ancestor(None, "house", "base", Fraction(weight))


def test_a_model_without_ancestors_is_all_its_own() -> None:
    assert divide({1: Node(10)}, 1).own == {1: Fraction(1)}


def test_weights_pass_on_along_the_tree() -> None:
    runs = {1: Node(10, [known(2, HALF)]), 2: Node(5, [known(3, Fraction(1, 3)), house(HALF)]), 3: Node(7)}
    found = divide(runs, 1)
    assert found.own == {1: HALF, 2: Fraction(1, 12), 3: Fraction(1, 6)}
    assert [(one.name, one.part) for one in found.outside] == [("base", Fraction(1, 4))]
    assert found.counted == {2: TOLD, 3: TOLD}


def test_a_merge_is_what_it_was_merged_from() -> None:
    runs = {1: Node(0, [known(2, Fraction(1, 4)), known(3, Fraction(3, 4))]), 2: Node(8), 3: Node(9)}
    assert divide(runs, 1).own == {1: 0, 2: Fraction(1, 4), 3: Fraction(3, 4)}


def test_what_is_not_told_goes_by_frames() -> None:
    runs = {1: Node(30, [known(2), house()]), 2: Node(50, [known(3)]), 3: Node(20)}
    found = divide(runs, 1)
    assert found.own == {1: Fraction(3, 10), 2: HALF, 3: Fraction(1, 5)}
    assert found.counted == {2: BY_FRAMES, 3: BY_FRAMES}
    assert found.outside[0].part is None


def test_told_and_not_told_together() -> None:
    runs = {1: Node(30, [known(2), house(HALF)]), 2: Node(10)}
    assert divide(runs, 1).own == {1: Fraction(3, 8), 2: Fraction(1, 8)}


def test_an_ancestor_on_two_ways_gets_both() -> None:
    runs = {1: Node(0, [known(2, HALF), known(3, HALF)]), 2: Node(1, [known(4, HALF)]), 3: Node(1, [known(4, HALF)])}
    assert divide(runs | {4: Node(5)}, 1).own[4] == HALF


@pytest.mark.parametrize(
    "runs",
    [
        {1: Node(1, [known(1, HALF)])},
        {1: Node(1, [known(2)]), 2: Node(1, [known(3)]), 3: Node(1, [known(2)])},
        {1: Node(1, [known(2, HALF), house(Fraction(2, 3))]), 2: Node(1)},
    ],
)
def test_what_no_lineage_can_be_is_refused(runs: dict[int, Node]) -> None:
    with pytest.raises(Refused) as caught:
        divide(runs, 1)
    assert caught.value.code == "allocate.lineage"


@settings(max_examples=60)
@given(st.data())
def test_parts_and_what_is_outside_sum_to_one(data: st.DataObject) -> None:
    """Whenever every run consumed something; a graph of up to eight runs, each made from later ones."""
    runs: dict[int, Node] = {}
    for run in range(8):
        later = data.draw(st.lists(st.integers(run + 1, 7), max_size=3, unique=True)) if run < 7 else []
        nums = data.draw(st.lists(st.integers(0, 4), min_size=len(later) + 1, max_size=len(later) + 1))
        weights = [Fraction(num, 4 * len(nums)) for num in nums]
        made_of = [known(one, weight) for one, weight in zip(later, weights, strict=False)]
        runs[run] = Node(data.draw(st.integers(1, 10**6)), [*made_of, house(weights[-1])])
    found = divide(runs, 0)
    outside = sum((one.part for one in found.outside if one.part is not None), Fraction(0))
    assert sum(found.own.values(), Fraction(0)) + outside == 1
    assert all(part >= 0 for part in found.own.values())


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_weights_by_frames_make_every_frame_count_alike(frames: list[int]) -> None:
    """A chain of fine-tunings whose reports weigh the base by all frames that it ever consumed."""
    runs: dict[int, Node] = {}
    for run, own in enumerate(frames):
        behind = sum(frames[run + 1 :])
        made_of = [known(run + 1, Fraction(behind, behind + own))] if behind else []
        runs[run] = Node(own, made_of)
    assert divide(runs, 0).own == {run: Fraction(own, sum(frames)) for run, own in enumerate(frames)}
