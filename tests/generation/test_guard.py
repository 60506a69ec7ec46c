"""The rule alone: every combination of purposes, terms and events."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from fairframe.generation.guard import EXTERNAL, PURPOSES, Elsewhere, Right, Used, covering, judge
from fairframe.rights.clearance import CODES, Decision, Finding
from fairframe.rights.upgrade import decide

rights = st.builds(
    Right,
    st.just("agr_x"),
    st.sampled_from(PURPOSES),
    st.booleans(),
    st.sampled_from(["active", "pending", "expired", "terminated", "offered"]),
    st.none() | st.just("doc_x"),
    st.integers(0, 2),
    st.sampled_from(["", "the feed is older than 7 days"]),
)
used = st.builds(
    Used,
    st.just("m"),
    st.booleans(),
    st.lists(rights, max_size=3).map(tuple),
)


def allowed(purpose: str, one: Used) -> bool:
    return not [finding for finding in judge(purpose, (one,)) if not finding.ok]


def test_the_table_of_purposes() -> None:
    yes = {
        (asked, granted)
        for asked, granted in product(PURPOSES, PURPOSES)
        if covering(asked, (Right("agr_x", granted, granted == "commercial", "active"),))
    }
    assert yes == {
        ("evaluate", "evaluate"),
        ("evaluate", "research"),
        ("evaluate", "commercial"),
        ("research", "research"),
        ("research", "commercial"),
        ("commercial", "commercial"),
    }
    assert not covering("commercial", (Right("agr_x", "commercial", False, "active"),)), "no commercial output"


@given(st.sampled_from(PURPOSES), used)
def test_only_a_standing_checkpoint_under_a_covering_agreement_in_force(purpose: str, one: Used) -> None:
    fits = [
        right
        for right in one.rights
        if right.state == "active"
        and right.taken_back == 0
        and not right.old_feed
        and PURPOSES.index(right.purpose) >= PURPOSES.index(purpose)
        and (purpose != "commercial" or right.commercial_output)
    ]
    assert allowed(purpose, one) == (not one.deleted and bool(fits))


@given(st.sampled_from(PURPOSES), used, used)
def test_an_ancestor_counts_like_the_checkpoint(purpose: str, one: Used, other: Used) -> None:
    both = not [finding for finding in judge(purpose, (one, other)) if not finding.ok]
    assert both == (allowed(purpose, one) and allowed(purpose, other))


@given(used, rights)
def test_one_more_right_never_forbids(one: Used, more: Right) -> None:
    wider = Used(one.name, one.deleted, (*one.rights, more))
    assert all(allowed(purpose, wider) for purpose in PURPOSES if allowed(purpose, one))


def test_ancestors_from_elsewhere() -> None:
    fine = Used("m", False, (Right("agr_x", "research", False, "active"),))
    external = Elsewhere("external", "T5-XXL", "other", "undisclosed")
    found = {f.code: f for f in judge("research", (fine,), (external,))}
    assert found[EXTERNAL].ok
    assert "license external" in found[EXTERNAL].text
    assert "data undisclosed" in found[EXTERNAL].text
    lost = Elsewhere("checkpoint", "theirs", "?", "undisclosed")
    assert [f.code for f in judge("research", (fine,), (lost,)) if not f.ok] == ["guard.ancestor_unknown"]


def decision(*codes: str) -> Decision:
    findings = tuple(Finding(code, CODES[code], code) for code in codes)
    order = ("ALLOW", "REVIEW", "DENY")
    worst = max((order.index(f.outcome) for f in findings), default=0)
    return Decision(order[worst], findings)


def test_what_blocks_a_grant() -> None:
    yes, silent, open_, no = decision(), decision("no_consent"), decision("people_unknown"), decision("opted_out")
    noted = decision("signal_noted")
    for effect, blocked in (
        ("none", {"yes", "silent", "open", "no", "noted"}),
        ("grant_if_all_consent", {"silent", "open", "no"}),
        ("grant_if_none_refuses", {"no"}),
    ):
        named = {"yes": yes, "silent": silent, "open": open_, "no": no, "noted": noted}
        assert {name for name, one in named.items() if decide(effect, [name], {name: one}).reasons()} == blocked
