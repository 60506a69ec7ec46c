"""Split methods: one file each, and one line here. The agreement's term split_basis names one, or blends several.

A method turns what was delivered and used into a whole-number weight per asset. It is written twice: `SQL` for the
set (DuckDB over the tables that facts.py fills, giving asset, weight), and `reference`, the plain Python that says
what it means. Tests hold them equal.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from fairframe.core.errors import FairframeError, IntegrityFailure
from fairframe.core.split_basis import LINEAGE, SplitBasis
from fairframe.royalties.methods import clips, delivered_ms, lineage, scores, usage_frames
from fairframe.royalties.methods.blend import blend
from fairframe.royalties.methods.values import Method

if TYPE_CHECKING:
    import duckdb


def _made(name: str, file: ModuleType) -> Method:
    return Method(name, file.UNIT, file.EMPTY, file.SQL, file.reference)


METHODS = {
    "clips": _made("clips", clips),
    "delivered_ms": _made("delivered_ms", delivered_ms),
    LINEAGE: _made(LINEAGE, lineage),
    "scores": _made("scores", scores),
    "usage": _made("usage", usage_frames),
}


def method(split_basis: object) -> Method:
    """The method of a split_basis. Raises IntegrityFailure for one that this version does not know."""
    try:
        basis = SplitBasis.parse(split_basis if isinstance(split_basis, str) else "")
    except FairframeError as error:
        raise IntegrityFailure(
            f"the split basis {split_basis!r} is unknown here: {error.message}",
            code="allocate.unknown_method",
            remedy=f"{error.remedy}; or upgrade fairframe",
        ) from error
    if len(basis.parts) == 1:
        return METHODS[basis.names[0]]
    return blend(str(basis), [(share.num * (basis.den // share.den), METHODS[name]) for share, name in basis.parts])


def why_empty(con: "duckdb.DuckDBPyConnection", method: Method) -> str:
    """Why a method gives nobody a weight; of a blend, the part that does not."""
    for one in method.blend_of:
        row = con.execute(f"select coalesce(sum(weight::hugeint), 0) from ({one.sql})").fetchone()  # noqa: S608
        if row is None or row[0] == 0:
            return one.empty
    return method.empty
