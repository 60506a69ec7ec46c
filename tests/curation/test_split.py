"""The split: never through a group or an asset, about a fifth, the same everywhere."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fairframe.curation.split import MIN_UNITS, Member, split


def member(number: int, asset: int | None = None, group: str | None = None, ms: int = 1000) -> Member:
    return Member(
        f"s{number}", f"a{asset if asset is not None else number}", group or f"s{number}", f"{number:064x}", ms
    )


MEMBERS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 10_000)), max_size=40)


@given(MEMBERS, st.text(max_size=5), st.randoms())
@settings(max_examples=100, deadline=None)
def test_no_asset_and_no_group_is_cut(values: list[tuple[int, int, int]], seed: str, random: Any) -> None:
    members = [member(n, asset, f"g{group}", ms) for n, (asset, group, ms) in enumerate(values)]
    parts = split(members, seed)
    assert set(parts) == {m.shot for m in members}
    for name in ("asset", "group"):
        by_value: dict[str, set[str]] = {}
        for m in members:
            by_value.setdefault(getattr(m, name), set()).add(parts[m.shot])
        assert all(len(found) == 1 for found in by_value.values())
    random.shuffle(members)
    assert split(members, seed) == parts


@given(st.integers(MIN_UNITS, 100), st.text(max_size=5))
@settings(max_examples=50, deadline=None)
def test_about_a_fifth_is_held_out_and_at_least_one(count: int, seed: str) -> None:
    parts = split([member(n) for n in range(count)], seed)
    held = list(parts.values()).count("heldout")
    assert held == max(1, round(count / 5))


def test_fewer_than_four_units_are_all_trained_on() -> None:
    assert set(split([member(n) for n in range(3)]).values()) == {"train"}
    assert split([]) == {}


def test_one_long_film_is_not_held_out() -> None:
    members = [member(0, ms=1_000_000), *(member(n) for n in range(1, 20))]
    for seed in map(str, range(20)):
        parts = split(members, seed)
        assert parts["s0"] == "train"
        assert "heldout" in parts.values()


def test_four_long_units_still_hold_out_one() -> None:
    parts = split([member(0, ms=100), member(1, ms=300), member(2, ms=300), member(3, ms=300)])
    assert list(parts.values()).count("heldout") == 1


def test_seeds_differ_and_the_names_not_the_ids_decide() -> None:
    members = [member(n) for n in range(40)]
    other_ids = [Member("x" + m.shot, "x" + m.asset, "x" + m.group, m.name, m.duration_ms) for m in members]
    assert split(members, "1") != split(members, "2")
    assert {f"x{shot}": part for shot, part in split(members, "1").items()} == split(other_ids, "1")
