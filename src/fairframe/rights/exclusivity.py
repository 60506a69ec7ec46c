"""Exclusivity: whether two agreements may be in force beside each other. The rule, pure.

An exclusive agreement grants to one lab alone. It clashes with another lab's agreement where, at some time, both are in
force and their scopes meet in all of: purpose (not asked where exclusive is any_use), kinds, territory, assets. Of one
lab's own agreements none clash. Assets meet where one covers the whole library, or where collections that both name
share an asset or are the same; `shared` says so, since that is a question to the tables.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fairframe.core.territory import Territory
from fairframe.core.time import to_rfc3339
from fairframe.rights.offers import Terms

Shared = Callable[[frozenset[str], frozenset[str]], bool]
"""Whether two sets of collections (col_ ids) have an asset in common."""


@dataclass(frozen=True)
class Scope:
    """An agreement as far as exclusivity asks: who, what, where, when (half-open, milliseconds)."""

    agreement: str
    lab: str
    terms: Terms
    starts_ms: int
    ends_ms: int


def clash(new: Scope, held: Scope, shared: Shared) -> list[str]:
    """Why they cannot both be in force: one line for each dimension in which they meet, or nothing."""
    if new.lab == held.lab or "none" == new.terms.exclusive == held.terms.exclusive:
        return []
    found = [_who(new, held), *(_meets(new, held, shared) or [])]
    return found if len(found) > 1 else []


def _who(new: Scope, held: Scope) -> str:
    claims = [one for one in (held, new) if one.terms.exclusive != "none"]
    words = {"purpose": "for its purpose", "any_use": "for any purpose"}
    said = " and ".join(f"{one.agreement} is exclusive {words[one.terms.exclusive]}" for one in claims)
    return f"{said}; both cannot hold beside each other, because:"


def _meets(new: Scope, held: Scope, shared: Shared) -> list[str] | None:
    """Where they meet, one line each; None where they are apart in something."""
    a, b = new.terms, held.terms
    any_use = "any_use" in (a.exclusive, b.exclusive)
    if not any_use and a.purpose != b.purpose:
        return None
    kinds = sorted(set(a.kinds) & set(b.kinds))
    where = Territory.parse(a.territory).intersect(Territory.parse(b.territory))
    start, end = max(new.starts_ms, held.starts_ms), min(new.ends_ms, held.ends_ms)
    assets = _assets(a, b, shared)
    if not kinds or not where or start >= end or assets is None:
        return None
    purposes = a.purpose if a.purpose == b.purpose else f"{a.purpose} and {b.purpose}, of which one excludes the other"
    return [
        f"purpose: {purposes}",
        f"kinds: {', '.join(kinds)}",
        f"territory: {where}",
        f"time: {to_rfc3339(start)[:10]} to {to_rfc3339(end)[:10]}",
        f"assets: {assets}",
    ]


def _assets(a: Terms, b: Terms, shared: Shared) -> str | None:
    if "library" in (a.scope, b.scope):
        named = [one.title for terms in (a, b) for one in terms.collections]
        return f"of the collections {', '.join(named)}" if named else "the whole library"
    ours, theirs = (frozenset(one.id for one in terms.collections) for terms in (a, b))
    both = [one.title for one in a.collections if one.id in theirs]
    if both:
        return f"the collections {', '.join(both)}"
    return "assets that stand in collections of both" if shared(ours, theirs) else None
