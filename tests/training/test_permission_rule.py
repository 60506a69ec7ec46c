"""What a checkpoint may be used for: the rule alone, over every use, purpose, term and event."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairframe.core.ancestors import ROLES
from fairframe.core.territory import WORLD, Territory
from fairframe.rights.clearance import CODES, Decision, Finding
from fairframe.rights.upgrade import decide
from fairframe.rights.vocabulary import ACTIONS
from fairframe.training.permission_rule import (
    EXTERNAL,
    NEEDS,
    PURPOSES,
    USES,
    Answer,
    Asked,
    Elsewhere,
    Right,
    Use,
    Used,
    covering,
    judge,
)

ALL = frozenset(ACTIONS)
WIDE = Right("agr_x", "commercial", ALL, "active", True, "any")
places = st.just(WORLD) | st.frozensets(st.sampled_from(["US", "DE", "JP"])).map(Territory)
rights = st.builds(
    Right,
    agreement=st.just("agr_x"),
    purpose=st.sampled_from(PURPOSES),
    actions=st.frozensets(st.sampled_from(ACTIONS)),
    state=st.sampled_from(["active", "pending", "expired", "terminated", "offered"]),
    commercial_output=st.booleans(),
    model_scope=st.sampled_from(["licensee", "tenant", "any"]),
    territory=places,
    ends_ms=st.integers(0, 5),
    remedy=st.sampled_from(["grandfather", "stop_at_next_epoch", "withdraw"]),
    tenant=st.sampled_from(["", "agr_t", "agr_u"]),
    grant=st.none() | st.just("doc_x"),
    old_feed=st.sampled_from(["", "the feed is older than 7 days"]),
)
used = st.builds(
    Used,
    name=st.just("m"),
    rights=st.lists(rights | st.just(WIDE), max_size=3).map(tuple),
    deleted=st.sampled_from([False, False, True]),
    consumed=st.booleans(),
    taken_back=st.integers(0, 2),
    role=st.sampled_from(sorted(ROLES)),
)
words = st.sampled_from(["yes", "no", "unknown"])
elsewhere = st.builds(
    Elsewhere,
    kind=st.sampled_from(["house", "external", "checkpoint"]),
    name=st.just("e"),
    license=st.just("CC"),
    data=st.just("undisclosed"),
    role=st.sampled_from(sorted(ROLES)),
    commercial=words,
    release=words,
)
asked = st.builds(Asked, st.sampled_from(USES), st.sampled_from(PURPOSES), st.sampled_from(["", "agr_t", "agr_u"]))


def every_choice(wanted: Asked, tree: Sequence[Used]) -> list[tuple[Territory, float]]:
    """Where and until when a tree may be used, for each way to take one covering right of each checkpoint."""
    found: list[tuple[Territory, float]] = []
    for chosen in product(*(covering(wanted, one) or [None] for one in tree)):
        place, ends = WORLD, inf
        for right in chosen:
            if right is not None:
                place, ends = place.intersect(right.territory), min(ends, right.ends_ms)
        found.append((place, ends))
    return found


def grants_more(after: Answer, before: Answer, tree: Sequence[Used]) -> bool:
    """Whether an answer permits something that no choice of agreements did before: a use, or a country until a day."""
    if not after.ok:
        return False
    ends = inf if after.ends_ms is None else after.ends_ms
    fits = [place.contains(after.territory) and end >= ends for place, end in every_choice(before.asked, tree)]
    return not before.ok or not any(fits)


def test_the_table_of_purposes() -> None:
    yes = {
        (wanted, granted)
        for wanted, granted in product(PURPOSES, PURPOSES)
        if judge(
            Asked("generate", wanted),
            [Used("m", (replace(WIDE, purpose=granted, commercial_output=granted == "commercial"),))],
        ).ok
    }
    assert yes == {
        ("evaluate", "evaluate"),
        ("evaluate", "research"),
        ("evaluate", "commercial"),
        ("research", "research"),
        ("research", "commercial"),
        ("commercial", "commercial"),
    }


NEEDED: list[tuple[Use, dict[str, Any], str]] = [
    *((use, {"state": "expired"}, "guard.inactive") for use in USES),
    *((use, {"purpose": "research"}, "guard.purpose") for use in USES),
    *((use, {"tenant": "agr_t"}, "guard.tenant") for use in USES),
    ("generate", {"commercial_output": False}, "guard.output"),
    ("serve", {"commercial_output": False}, "guard.output"),
    ("serve", {"actions": ALL - {"serve"}}, "guard.action"),
    ("fine_tune", {"actions": ALL - {"fine_tune"}}, "guard.action"),
    ("merge", {"actions": ALL - {"fine_tune"}}, "guard.action"),
    ("distill", {"actions": ALL - {"distill"}}, "guard.action"),
    ("release_weights", {"actions": ALL - {"release_weights"}}, "guard.action"),
    ("release_weights", {"model_scope": "licensee"}, "guard.model_scope"),
    ("release_weights", {"old_feed": "no feed"}, "guard.feed_age"),
    *((use, {"remedy": "withdraw", "old_feed": "no feed"}, "guard.feed_age") for use in USES),
]


@pytest.mark.parametrize(("use", "change", "code"), NEEDED)
@pytest.mark.parametrize("role", sorted(ROLES))
def test_one_ancestor_of_any_role_that_lacks_one_thing_refuses(
    use: Use, change: dict[str, Any], code: str, role: str
) -> None:
    fine = Used("m", (WIDE,))
    for wanted in USES:
        assert judge(Asked(wanted, "commercial"), [fine, replace(fine, role=role)]).ok
    lacking = Used("old", (replace(WIDE, **change),), role=role)
    answer = judge(Asked(use, "commercial"), [fine, lacking])
    assert [(one.code, one.of, one.role) for one in answer.against] == [(code, "old", role)]


def test_what_was_taken_back_counts_under_withdraw_and_is_told_before_a_release() -> None:
    for use, remedy in product(USES, ("grandfather", "withdraw")):
        answer = judge(Asked(use, "research"), [Used("m", (replace(WIDE, remedy=remedy),), taken_back=2)])
        assert answer.ok == (remedy == "grandfather")
        assert {"guard.taken_back", "guard.withdrawn"} & {one.code for one in answer.findings}


def test_a_tenants_model_is_used_for_that_tenant_alone() -> None:
    theirs = Used("m", (replace(WIDE, tenant="agr_t", model_scope="tenant"),))
    for use, who in product(USES, ("", "agr_t", "agr_u")):
        answer = judge(Asked(use, "commercial", who), [theirs])
        assert answer.ok == (who == "agr_t" and use != "release_weights")
        refused = [one.text for one in answer.against if one.code == "guard.tenant"]
        assert bool(refused) == (who != "agr_t") and not any("agr_t" in text for text in refused)
    both = [theirs, Used("n", (replace(WIDE, tenant="agr_u", model_scope="tenant"),))]
    assert not any(judge(Asked("generate", "research", who), both).ok for who in ("", "agr_t", "agr_u"))


def test_where_and_until_when() -> None:
    here = replace(WIDE, territory=Territory.parse("US,DE"), ends_ms=50)
    there = replace(WIDE, territory=Territory.parse("DE,JP"), ends_ms=40)
    answer = judge(Asked("generate", "research"), [Used("m", (here,)), Used("n", (there,))])
    assert (answer.ok, str(answer.territory), answer.ends_ms) == (True, "DE", 40)
    wider = judge(Asked("generate", "research"), [Used("m", (here, there))])
    assert (str(wider.territory), wider.ends_ms) == ("DE,US", 50)
    apart = Used("n", (replace(WIDE, territory=Territory.parse("JP")),))
    assert [one.code for one in judge(Asked("generate", "research"), [Used("m", (here,)), apart]).against] == [
        "guard.territory"
    ]


def test_all_bounds_are_those_of_one_agreement() -> None:
    here = replace(WIDE, agreement="agr_a", ends_ms=1_000)
    there = replace(WIDE, agreement="agr_b", territory=Territory.parse("US"), ends_ms=9_000, grant="doc_b")
    for order in ((here, there), (there, here)):
        answer = judge(Asked("release_weights", "research"), [Used("m", order)])
        assert (answer.territory, answer.ends_ms, answer.by) == (WORLD, 1_000, (here,))
        assert ["agr_a" in one.text and "doc_b" not in one.text for one in answer.findings] == [True]
        # where an ancestor leaves one country alone, the other agreement is the longer one
        answer = judge(Asked("release_weights", "research"), [Used("m", order), Used("n", (there,))])
        assert (str(answer.territory), answer.ends_ms, answer.by) == ("US", 9_000, (there, there))
    # and what is taken of one does not stand in the way of what another allows
    japan = replace(WIDE, territory=Territory.parse("JP"))
    wide = replace(WIDE, territory=Territory.parse("DE,US"), ends_ms=9_000)
    answer = judge(
        Asked("generate", "research"), [Used("m", (wide, japan)), Used("n", (japan,)), Used("o", (), consumed=False)]
    )
    assert (answer.ok, str(answer.territory), answer.by) == (True, "JP", (japan, japan, None))


@given(asked, st.lists(used, min_size=1, max_size=3))
def test_no_choice_of_agreements_is_wider_or_longer(wanted: Asked, tree: list[Used]) -> None:
    answer = judge(wanted, tree)
    mine = answer.territory, inf if answer.ends_ms is None else answer.ends_ms
    choices = every_choice(wanted, tree)
    assert mine in choices

    def size(place: Territory) -> float:
        return inf if place.codes is None else len(place.codes)

    assert (size(mine[0]), mine[1]) == max((size(place), ends) for place, ends in choices)


@given(asked, used)
def test_only_a_standing_checkpoint_under_a_covering_agreement_in_force(wanted: Asked, one: Used) -> None:
    fits = [
        right
        for right in one.rights
        if right.state == "active"
        and not (right.remedy == "withdraw" and one.taken_back)
        and not (right.old_feed and (right.remedy == "withdraw" or wanted.use == "release_weights"))
        and PURPOSES.index(right.purpose) >= PURPOSES.index(wanted.purpose)
        and (wanted.purpose != "commercial" or wanted.use not in ("generate", "serve") or right.commercial_output)
        and (NEEDS[wanted.use] is None or NEEDS[wanted.use] in right.actions)
        and (wanted.use != "release_weights" or right.model_scope == "any")
        and right.tenant in ("", wanted.tenant)
    ]
    assert covering(wanted, one) == fits
    somewhere = any(right.territory for right in fits) or not fits
    assert judge(wanted, [one]).ok == (
        not one.deleted and (bool(fits) or (not one.rights and not one.consumed)) and somewhere
    )


@given(asked, used, st.lists(used, max_size=2), st.lists(elsewhere, max_size=2), used, elsewhere)
def test_an_ancestor_more_never_grants_more(
    wanted: Asked, one: Used, rest: list[Used], others: list[Elsewhere], more: Used, other: Elsewhere
) -> None:
    before = judge(wanted, [one, *rest], others)
    assert not grants_more(judge(wanted, [one, *rest, more], others), before, [one, *rest])
    assert not grants_more(judge(wanted, [one, *rest], [*others, other]), before, [one, *rest])


def restricted(right: Right) -> list[Right]:
    """A right with one restriction more, in every way there is."""
    narrower = WORLD if right.territory.codes is None else right.territory
    return [
        replace(right, state="expired"),
        replace(right, purpose=PURPOSES[max(0, PURPOSES.index(right.purpose) - 1)]),
        *(replace(right, actions=right.actions - {action}) for action in ACTIONS),
        replace(right, commercial_output=False),
        replace(right, model_scope="licensee"),
        replace(right, territory=narrower.intersect(Territory.parse("US"))),
        replace(right, ends_ms=right.ends_ms - 1),
        replace(right, remedy="withdraw"),
        replace(right, tenant=right.tenant or "agr_v"),
        replace(right, old_feed="no feed"),
    ]


@given(asked, st.lists(used, min_size=1, max_size=3), st.lists(elsewhere, max_size=2), st.data())
def test_a_restriction_more_never_grants_more(
    wanted: Asked, tree: list[Used], others: list[Elsewhere], data: st.DataObject
) -> None:
    before = judge(wanted, tree, others)
    place = data.draw(st.integers(0, len(tree) - 1))
    one = tree[place]
    worse = [replace(one, deleted=True), replace(one, taken_back=one.taken_back + 1), replace(one, consumed=True)]
    for index, right in enumerate(one.rights):
        for changed in restricted(right):
            worse.append(replace(one, rights=(*one.rights[:index], changed, *one.rights[index + 1 :])))
    for changed_one in worse:
        after = judge(wanted, [*tree[:place], changed_one, *tree[place + 1 :]], others)
        assert not grants_more(after, before, tree), changed_one
    for index, other in enumerate(others):
        for less in (
            replace(other, commercial="no"),
            replace(other, release="unknown" if other.release == "no" else "no"),
        ):
            after = judge(wanted, tree, [*others[:index], less, *others[index + 1 :]])
            assert not grants_more(after, before, tree)


@given(st.sampled_from(USES), st.sampled_from(PURPOSES), used, rights)
def test_one_more_right_never_forbids(use: Use, purpose: str, one: Used, more: Right) -> None:
    wider = replace(one, rights=(*one.rights, more))
    if one.rights:
        assert judge(Asked(use, purpose), [wider]).ok >= judge(Asked(use, purpose), [one]).ok


def test_ancestors_from_elsewhere() -> None:
    fine = Used("m", (replace(WIDE, purpose="research"),))
    external = Elsewhere("external", "T5-XXL", "other", "undisclosed")
    found = {f.code: f for f in judge(Asked("generate", "research"), (fine,), (external,)).findings}
    assert found[EXTERNAL].ok
    assert "license external" in found[EXTERNAL].text
    assert "data undisclosed" in found[EXTERNAL].text
    lost = Elsewhere("checkpoint", "theirs", "?", "undisclosed")
    answer = judge(Asked("generate", "research"), (fine,), (lost,))
    assert [f.code for f in answer.against] == ["guard.ancestor_unknown"]


def test_only_yes_permits_of_an_external_license() -> None:
    fine = Used("m", (WIDE,))
    for use, purpose, word, other in product(USES, PURPOSES, ("yes", "no", "unknown"), ("yes", "no", "unknown")):
        one = Elsewhere("external", "T5", "x", "undisclosed", "encoder", word, other)
        answer = judge(Asked(use, purpose), [fine], [one])
        wrong = {"guard.license_commercial"} if purpose == "commercial" and word != "yes" else set[str]()
        wrong |= {"guard.license_release"} if use == "release_weights" and other != "yes" else set()
        assert {found.code for found in answer.against} == wrong


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
