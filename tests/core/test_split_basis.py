import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.errors import InputError
from fairframe.core.rational import Share
from fairframe.core.split_basis import MOST_DEN, NAMES, PATTERN, SplitBasis


@pytest.mark.parametrize("name", NAMES)
def test_one_method_is_its_name(name: str) -> None:
    assert SplitBasis.parse(name) == SplitBasis(((Share(1), name),)) == SplitBasis.parse(f"1 {name}")
    assert str(SplitBasis.parse(name)) == name


@given(st.permutations(NAMES), st.lists(st.integers(1, 250), min_size=1, max_size=4), st.sampled_from(["+", " +  "]))
def test_a_blend_has_one_spelling(names: list[str], nums: list[int], plus: str) -> None:
    den = sum(nums)
    text = plus.join(f"{num}/{den}  {name}" for num, name in zip(nums, names, strict=False))
    found = SplitBasis.parse(text)
    assert re.fullmatch(PATTERN, text) and re.fullmatch(PATTERN, str(found))
    assert SplitBasis.parse(str(found)) == found
    assert sum((share.fraction for share, _ in found.parts), Fraction(0)) == 1
    assert list(found.names) == sorted(names[: len(nums)])
    assert den % found.den == 0 and found.den <= MOST_DEN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "form"),
        ("Usage", "form"),
        ("usage ", "form"),
        ("0.5 usage + 0.5 clips", "form"),
        ("1/2 usage + 1/2 clips +", "form"),
        ("1/2 usage\n+ 1/2 clips", None),
        ("-1/2 usage + 3/2 clips", "form"),
        ("1/2 usage + " + "x" * 200, "form"),
        ("by_taste", "unknown"),
        ("lineage", "unknown"),
        ("1/2 usage + 1/2 taste", "unknown"),
        ("1/2 usage + 1/2 usage", "repeated"),
        ("0 usage + 1 clips", "zero"),
        ("1/2 usage + 1/3 clips", "sum"),
        ("1/2 usage", "sum"),
        ("1/1001 usage + 1000/1001 clips", "fine"),
    ],
)
def test_what_is_no_basis(text: str, code: str | None) -> None:
    if code is None:  # white space around a plus is free
        assert str(SplitBasis.parse(text)) == "1/2 clips + 1/2 usage"
        return
    with pytest.raises(InputError) as caught:
        SplitBasis.parse(text)
    assert caught.value.code == f"split_basis.{code}"


def test_a_share_above_one_is_no_share() -> None:
    with pytest.raises(InputError) as caught:
        SplitBasis.parse("3/2 usage + 1/2 clips")
    assert caught.value.code == "input.bad_share"
