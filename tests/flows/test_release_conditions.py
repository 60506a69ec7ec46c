"""Which license texts can be granted: the rule alone, and how figures are written."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.territory import WORLD, Territory
from fairframe.flows.disclosures.conditions import LICENSES, OWN, Conditions, Passed, choices
from fairframe.flows.disclosures.sheet import outside, span

WIDEST = Conditions(frozenset({"evaluate", "research", "commercial"}))

conditions = st.builds(
    Conditions,
    st.frozensets(st.sampled_from(["evaluate", "research", "commercial"])),
    st.booleans(),
    st.sampled_from([WORLD, Territory.parse("DE,US"), Territory.parse("US")]),
    st.none() | st.integers(0, 10**13),
    st.booleans(),
    st.lists(st.sampled_from([Passed("a", "Apache-2.0", ""), Passed("b", "some terms", "")]), max_size=2).map(tuple),
)
RESTRICTIONS: dict[str, Any] = {
    "no commercial release": lambda c: replace(c, purposes=c.purposes - {"commercial"}),
    "no release for research": lambda c: replace(c, purposes=c.purposes - {"commercial", "research"}),
    "no release": lambda c: replace(c, purposes=frozenset()),
    "no commercial output": lambda c: replace(c, commercial_output=False),
    "one country": lambda c: replace(c, territory=c.territory.intersect(Territory.parse("US"))),
    "an end": lambda c: replace(c, ends_ms=0 if c.ends_ms is None else c.ends_ms),
    "deletion on opt-out": lambda c: replace(c, delete_on_opt_out=True),
    "another license": lambda c: replace(c, passed=(*c.passed, Passed("x", "other terms", ""))),
}


def granted(found: Conditions) -> set[str]:
    return {one.license.id for one in choices(found) if one.can}


@given(conditions, st.sampled_from(sorted(RESTRICTIONS)))
def test_a_restriction_more_never_grants_more(found: Conditions, name: str) -> None:
    assert granted(RESTRICTIONS[name](found)) <= granted(found)


def test_without_any_bound_everything_can_be_granted() -> None:
    assert granted(WIDEST) == {one.id for one in LICENSES}
    assert granted(replace(WIDEST, passed=(Passed("base", "Apache-2.0", ""),))) == {one.id for one in LICENSES}


@pytest.mark.parametrize("name", sorted(set(RESTRICTIONS) - {"no release", "no release for research"}))
def test_each_bound_alone_leaves_less(name: str) -> None:
    left = granted(RESTRICTIONS[name](WIDEST))
    assert OWN in left
    assert left < {one.id for one in LICENSES}


def test_what_may_not_leave_gets_no_license_at_all() -> None:
    assert granted(replace(WIDEST, purposes=frozenset())) == set()
    assert granted(replace(WIDEST, purposes=frozenset({"evaluate"}))) == {OWN}


def test_text_from_outside_is_no_markup() -> None:
    assert outside("a|b\n<b>[x](y)</b> `c` _d_ e_f") == r"a\|b�\<b\>\[x\](y)\</b\> \`c\` \_d\_ e_f"
    assert outside("see ckp_" + "0" * 26) == "see `ckp_" + "0" * 26 + "`"


@pytest.mark.parametrize(
    ("ms", "text"),
    [(4_332, "4.3 s (4,332 ms)"), (180_000, "3.0 min (180,000 ms)"), (10**8, "27.8 hours (100,000,000 ms)")],
)
def test_a_duration_in_the_unit_that_fits(ms: int, text: str) -> None:
    assert span(ms) == text
