"""What all contributors of an allocation share in their statements: the tree of weights, and where rounding was cut.

It is built once for each allocation, not once for each statement: a batch of statements is then linear.
"""

from collections import OrderedDict
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.apportion import tie_key
from fairframe.core.cutoff import Cutoff
from fairframe.core.errors import IntegrityFailure
from fairframe.core.merkle_sum import SumTree
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.tables import allocation_line

LEAVES_KEPT = 2_000_000
"""How many weights are kept between statements, in some 300 bytes each; the trees used longest ago are let go."""


@dataclass(frozen=True)
class Denominator:
    """tree: all weights. extra_units: pool less all floors. cutoff: who got one of them, None where there are none."""

    tree: SumTree
    extra_units: int
    cutoff: Cutoff | None


class Denominators:
    """Those that were built, by allocation. An allocation never changes, so neither does what is kept here."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Denominator] = OrderedDict()

    def of(self, tx: Tx, row: Row) -> Denominator:
        """Of an allocation's row. Raises IntegrityFailure where its lines are not those that it was recorded with."""
        found = self._kept.pop(row["id"], None) or _build(tx, row)
        self._kept[row["id"]] = found
        while len(self._kept) > 1 and sum(len(one.tree) for one in self._kept.values()) > LEAVES_KEPT:
            self._kept.popitem(last=False)
        return found


def _build(tx: Tx, row: Row) -> Denominator:
    statement = sa.select(allocation_line.c.contributor_pseudonym, allocation_line.c.weight)
    rows = tx.rows(statement.where(allocation_line.c.allocation_id == row["id"]))
    weights = [(str(one["contributor_pseudonym"]), int(one["weight"])) for one in rows]
    tree, detail = SumTree(weights), row["detail"]
    recorded = detail.get("weights_root", tree.root.hex())
    if tree.total != row["weight_total"] or tree.root.hex() != recorded:
        raise IntegrityFailure(
            "the weights of an allocation are not those that it was made with",
            code="statement.weights",
            where=row["public_id"],
            remedy="Run: fairframe verify audit",
        )
    extra, last = cut(abs(row["pool_micro"]), tree.total, bytes.fromhex(row["salt"]), weights)
    return Denominator(tree, extra, last)


def cut(pool: int, total: int, salt: bytes, weights: list[tuple[str, int]]) -> tuple[int, Cutoff | None]:
    """How many units are left after all floors, and where the line is between who gets one and who does not."""
    left = pool - sum(pool * weight // total for _, weight in weights)
    if left == 0:
        return 0, None
    order = sorted((-(pool * weight % total), tie_key(salt, key).hex()) for key, weight in weights)
    (winner, first), (loser, second) = order[left - 1 : left + 1]
    return left, Cutoff.between((-winner, first), (-loser, second))
