"""When two agreements may be in force beside each other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fairframe.rights import offers
from fairframe.rights.exclusivity import Scope, clash
from fairframe.rights.offers import Terms

BASE = offers.load("research").terms.to_json()
IDS = ["col_" + letter * 26 for letter in "abc"]


def scope(lab: str = "pty_a", start: int = 0, end: int = 10, **changes: Any) -> Scope:
    named = changes.pop("collections", [])
    if named:
        changes |= {"scope": "collections", "collections": [{"id": one, "title": f"Title {one[-1]}"} for one in named]}
    return Scope("agr_" + lab, lab, Terms.from_json(BASE | changes), start, end)


def meets(new: Scope, held: Scope, shared: bool = False) -> bool:
    return bool(clash(new, held, lambda _a, _b: shared))


OTHER = scope("pty_b")


def test_each_dimension_keeps_them_apart() -> None:
    sole = scope(exclusive="purpose")
    assert meets(sole, OTHER) and meets(OTHER, sole)
    assert not meets(scope(), OTHER), "nobody is exclusive"
    assert not meets(sole, scope("pty_a")), "the same lab"
    assert not meets(sole, scope("pty_b", purpose="evaluate"))
    assert meets(scope(exclusive="any_use"), scope("pty_b", purpose="evaluate"))
    assert not meets(sole, scope("pty_b", kinds=["image"]))
    assert not meets(scope(exclusive="purpose", territory="US,DE"), scope("pty_b", territory="FR"))
    assert meets(scope(exclusive="purpose", territory="US,DE"), OTHER)
    assert not meets(scope(exclusive="purpose", start=10, end=20), OTHER), "one begins as the other ends"
    assert meets(scope(exclusive="purpose", start=9, end=20), OTHER)


def test_titles_keep_them_apart_unless_they_share_an_asset() -> None:
    sole = scope(exclusive="purpose", collections=IDS[:2])
    assert meets(sole, OTHER), "the whole library holds them too"
    assert not meets(sole, scope("pty_b", collections=IDS[2:]))
    assert meets(sole, scope("pty_b", collections=IDS[2:]), shared=True)
    assert "Title b" in clash(sole, scope("pty_b", collections=IDS[1:]), lambda _a, _b: False)[-1]


words = st.sampled_from(["none", "purpose", "any_use"])
places = st.sampled_from(["world", "US", "US,DE", "FR"])
scopes = st.builds(
    scope,
    lab=st.sampled_from(["pty_a", "pty_b"]),
    start=st.integers(0, 3),
    end=st.integers(4, 8),
    exclusive=words,
    territory=places,
    purpose=st.sampled_from(["research", "evaluate"]),
    collections=st.lists(st.sampled_from(IDS), max_size=2, unique=True),
)


@given(a=scopes, b=scopes, shared=st.booleans())
def test_a_clash_is_mutual_and_a_narrower_exclusivity_clashes_less(a: Scope, b: Scope, shared: bool) -> None:
    assert meets(a, b, shared) == meets(b, a, shared)
    open_ = Scope(
        a.agreement, a.lab, Terms.from_json(a.terms.to_json() | {"exclusive": "none"}), a.starts_ms, a.ends_ms
    )
    if meets(open_, b, shared):
        assert meets(a, b, shared)
