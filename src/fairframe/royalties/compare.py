"""The same pool under each split method, side by side: what would whom the choice of a method bring.

Nothing is written, and ties go by a fixed salt, so an allocation of the same pool may differ by one unit (10^-6 of a
minor unit) a person. Each method looks at what is there now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import NotFound, Refused
from fairframe.core.split_basis import LINEAGE
from fairframe.library.tables import contributor
from fairframe.platform.database import among
from fairframe.platform.tx import Row, Tx
from fairframe.royalties import bulk, facts, model_facts
from fairframe.royalties.deal_terms import find_agreement
from fairframe.royalties.methods import METHODS, method, why_empty
from fairframe.royalties.methods.values import Method
from fairframe.training.tables import checkpoint

SALT = b"fairframe salt 0"


@dataclass(frozen=True)
class Column:
    """One method. empty: why it gives nobody anything; "" where it does. holds: whether it is the one agreed on."""

    method: str
    unit: str
    holds: bool
    empty: str = ""


@dataclass(frozen=True)
class Line:
    """A contributor's amount under each method, in micro units, in the order of the columns; 0 under an empty one."""

    contributor: str
    name: str
    amounts: tuple[int, ...]


@dataclass(frozen=True)
class Comparison:
    """of: the id of the agreement or model. lines: by what the method that holds gives, largest first."""

    of: str
    pool_micro: int
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        names = [one.method for one in self.columns]
        return {
            "of": self.of,
            "pool_micro": str(self.pool_micro),
            "methods": [vars(one) for one in self.columns],
            "contributors": [
                {
                    "contributor": line.contributor,
                    "name": line.name,
                    "amounts_micro": dict(zip(names, map(str, line.amounts), strict=True)),
                }
                for line in self.lines
            ],
        }


def of_agreement(tx: Tx, deal: Row, pool: int) -> Comparison:
    """A pool of micro units under each method over what was delivered under an agreement (its row)."""
    held = method(deal["terms"].get("split_basis"))
    others = [one for name, one in METHODS.items() if name not in (LINEAGE, held.name)]
    with bulk.connection() as con:
        facts.load(con, tx, deal, tx.now_ms)
        return _compare(con, tx, deal, str(deal["public_id"]), [held, *others], pool)


def of_model(tx: Tx, deal: Row, model: Row, pool: int) -> Comparison:
    """A pool of micro units under a reported model's lineage, and under each method over the deliveries in it.

    deal: the agreement whose family names the contributors. Scores are an agreement's, so no model has any.
    """
    others = [one for name, one in METHODS.items() if name not in (LINEAGE, "scores")]
    with bulk.connection() as con:
        model_facts.load(con, tx, deal, model)
        return _compare(con, tx, deal, str(model["public_id"]), [METHODS[LINEAGE], *others], pool)


def find_model(tx: Tx, name_or_id: str) -> tuple[Row, Row]:
    """A reported model by name or id, and the agreement that its report names. Raises NotFound."""
    where = (checkpoint.c.name == name_or_id) | (checkpoint.c.public_id == name_or_id)
    rows = checkpoint.select().where(where, checkpoint.c.direction == "reported", checkpoint.c.agreement.is_not(None))
    row = tx.row(rows.order_by(checkpoint.c.id.desc()).limit(1))
    if row is None:
        raise NotFound(
            f"no lab reported a model {name_or_id[:60]!r}", code="model.missing", remedy="See: fairframe model list"
        )
    model = model_facts.find_model(tx, row["public_id"])
    return model, find_agreement(tx, str(model["agreement"]))


def _compare(con: Any, tx: Tx, deal: Row, of: str, methods: Sequence[Method], pool: int) -> Comparison:
    columns: list[Column] = []
    amounts: dict[int, list[int]] = {}
    for place, one in enumerate(methods):
        empty = ""
        try:
            facts.claim(con, tx, str(deal["family"]), one, tx.now_ms)
            bulk.split(con, pool, SALT)
        except ValueError:
            empty = why_empty(con, one)
        except Refused as error:
            if error.code != bulk.TOO_LARGE:
                raise
            empty = str(error)
        columns.append(Column(one.name, one.unit, place == 0, empty))
        for who, amount in bulk.stream(con, "select contributor, amount from line") if not empty else ():
            amounts.setdefault(who, [0] * len(methods))[place] = amount
    people = sa.select(contributor.c.id, contributor.c.public_id, contributor.c.name)
    rows = tx.rows(people.where(among(tx.conn, contributor.c.id, sorted(amounts))))
    lines = [Line(row["public_id"], row["name"], tuple(amounts[row["id"]])) for row in rows]
    lines.sort(key=lambda line: ([-amount for amount in line.amounts], line.name, line.contributor))
    return Comparison(of, pool, tuple(columns), tuple(lines))
