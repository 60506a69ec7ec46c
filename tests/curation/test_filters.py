"""Filters: each family's rule and code; integers only; unknown keys refused; a shot falls out once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fairframe.core.canonical import canonical
from fairframe.curation import filters
from fairframe.curation.filters import FAMILIES, Candidate, Filters
from fairframe.curation.filters.words import words


def shot(number: int = 1, **changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "shot_id": number,
        "shot": f"sht_{number:03d}",
        "asset_id": number,
        "asset": f"ast_{number:03d}",
        "contributor_id": number,
        "start": 0,
        "end": 48,
        "start_ms": 0,
        "end_ms": 2000,
        "width": 640,
        "height": 360,
        "motion_milli": 500,
        "sharpness_milli": 500,
        "luma_milli": 500,
        "black_milli": 0,
        "frozen_milli": 0,
        "words": frozenset({"dog", "city at night"}),
        "group": f"sht_{number:03d}",
    }
    return Candidate(**(values | changes))


@pytest.mark.parametrize(
    ("options", "changes", "code"),
    [
        ({"min_short_side": 361}, {}, "too_small"),
        ({"min_short_side": 361}, {"width": 360, "height": 640}, "too_small"),
        ({"min_frames": 49}, {}, "too_few_frames"),
        ({"min_ms": 2001}, {}, "too_short"),
        ({"max_black_milli": 99}, {"black_milli": 100}, "black"),
        ({"max_frozen_milli": 99}, {"frozen_milli": 100}, "frozen"),
        ({"min_motion_milli": 501}, {}, "still"),
        ({"min_sharpness_milli": 501}, {}, "blurred"),
        ({"include": ["cat", "bird"]}, {}, "keyword_missing"),
        ({"exclude": ["City at Night"]}, {}, "keyword_excluded"),
    ],
)
def test_each_filter_drops_with_its_code(options: dict[str, Any], changes: dict[str, Any], code: str) -> None:
    found = filters.apply(Filters(**options), [shot(**changes)])
    assert found.dropped == {1: code}
    assert found.kept == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_short_side": 360, "min_frames": 48, "min_ms": 2000},
        {"max_black_milli": 0, "max_frozen_milli": 0, "min_motion_milli": 500, "min_sharpness_milli": 500},
        {"include": ["DOG "], "exclude": ["do", "city"]},
        {"one_per_group": True, "max_contributor_milli": 1000},
    ],
)
def test_a_limit_itself_is_allowed(options: dict[str, Any]) -> None:
    assert filters.apply(Filters(**options), [shot()]).dropped == {}


@pytest.mark.parametrize(
    "options", [{"min_sharpnes": 1}, {"min_ms": -1}, {"min_ms": 1.5}, {"max_black_milli": 1001}, {"include": [""]}]
)
def test_a_wrong_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters(**options)


def test_filters_fit_a_signed_document_and_come_back() -> None:
    made = Filters(min_ms=700, include=("dog",), one_per_group=True)
    assert canonical(made.model_dump(mode="json"))
    assert Filters(**made.model_dump(mode="json")) == made


def test_filters_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Filters().min_ms = 3  # type: ignore[misc]


def test_one_of_a_group_stays_and_it_is_the_largest_then_the_longest() -> None:
    small = shot(1, group="g", end_ms=9000)
    large = shot(2, group="g", width=1280, height=720)
    longer = shot(3, group="g", width=1280, height=720, end_ms=2001)
    twin = shot(4, group="g", width=1280, height=720, end_ms=2001)
    alone = shot(5)
    found = filters.apply(Filters(one_per_group=True), [small, large, longer, twin, alone])
    assert [kept.shot_id for kept in found.kept] == [3, 5]
    assert set(found.dropped.values()) == {"near_duplicate"}


def test_the_best_of_a_group_is_chosen_among_those_that_pass_the_other_filters() -> None:
    large = shot(1, group="g", width=1280, height=720, black_milli=900)
    small = shot(2, group="g")
    found = filters.apply(Filters(one_per_group=True, max_black_milli=500), [large, small])
    assert found.dropped == {1: "black"}


def test_no_contributor_keeps_more_than_the_share() -> None:
    shots = [shot(n, contributor_id=1) for n in range(1, 9)] + [shot(9, contributor_id=2), shot(10, contributor_id=3)]
    found = filters.apply(Filters(max_contributor_milli=500), shots)
    assert [kept.shot_id for kept in found.kept] == [1, 2, 3, 4, 5, 9, 10]
    assert set(found.dropped.values()) == {"contributor_share"}


SHOTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4000), st.integers(0, 1000)), max_size=12
)


@given(SHOTS, st.booleans(), st.integers(1, 1000), st.integers(0, 2000), st.randoms())
@settings(max_examples=80, deadline=None)
def test_every_shot_is_kept_or_dropped_once_and_order_does_not_matter(
    values: list[tuple[int, int, int, int]], once: bool, share: int, least_ms: int, random: Any
) -> None:
    shots = [
        shot(n, contributor_id=c, group=f"g{g}", end_ms=ms, black_milli=black)
        for n, (c, g, ms, black) in enumerate(values)
    ]
    chosen = Filters(one_per_group=once, max_contributor_milli=share, min_ms=least_ms, max_black_milli=500)
    found = filters.apply(chosen, shots)
    assert sorted([s.shot_id for s in found.kept] + list(found.dropped)) == [s.shot_id for s in shots]
    known = {code for family in FAMILIES for code in family.codes}
    assert set(found.dropped.values()) <= known
    random.shuffle(shots)
    assert filters.apply(chosen, shots) == found


def test_reason_codes_are_unique_and_options_belong_to_one_family() -> None:
    codes = [code for family in FAMILIES for code in family.codes]
    assert len(codes) == len(set(codes))
    options = [name for family in FAMILIES for name in family.model_fields]
    assert sorted(options) == sorted(Filters.model_fields)
    assert len(options) == len(set(options))


def test_keywords_are_compared_in_lower_case_and_single_spaces() -> None:
    assert words([" City  at Night", "", "DOG"]) == {"city at night", "dog"}


def test_no_options_drop_nothing() -> None:
    assert filters.apply(Filters(), [shot(1), shot(2)]).dropped == {}
