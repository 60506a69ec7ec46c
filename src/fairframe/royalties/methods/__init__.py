"""Split methods: one file each, and one line here. The agreement's term split_basis names the one that holds.

A method turns what was delivered and used into a whole-number weight per asset. It is written twice: `SQL` for the
set (DuckDB over the tables delivered and used of facts.py, giving asset, weight), and `reference`, the plain Python
that says what it means. Tests hold them equal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairframe.core.errors import IntegrityFailure
from fairframe.royalties.methods import delivered_ms, usage_frames
from fairframe.royalties.methods.values import Delivered, Used

Reference = Callable[[Sequence[Delivered], Sequence[Used]], Mapping[int, int]]


@dataclass(frozen=True)
class Method:
    """unit: of the weights, in words. empty: why nobody has a weight, where that is so."""

    name: str
    unit: str
    empty: str
    sql: str
    reference: Reference


METHODS = {
    "delivered_ms": Method(
        "delivered_ms", delivered_ms.UNIT, delivered_ms.EMPTY, delivered_ms.SQL, delivered_ms.reference
    ),
    "usage": Method("usage", usage_frames.UNIT, usage_frames.EMPTY, usage_frames.SQL, usage_frames.reference),
}


def method(name: object) -> Method:
    """The method of a split_basis. Raises IntegrityFailure for one that this version does not know."""
    found = METHODS.get(name) if isinstance(name, str) else None
    if found is None:
        raise IntegrityFailure(
            f"the split basis {name!r} is unknown here",
            code="allocate.unknown_method",
            remedy=f"Known are {', '.join(METHODS)}; upgrade fairframe",
        )
    return found
