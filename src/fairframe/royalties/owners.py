"""Who owns an asset at a time: the newest set of ownership rows, as SQL for the set and as plain Python.

A set is the rows of an asset with the same (valid_from, recorded_at). Of the sets that are valid by then the newest
holds, whole; its shares sum to one. An asset without a valid set is its contributor's alone.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairframe.core.errors import Refused
from fairframe.royalties.split import Owner

if TYPE_CHECKING:
    import duckdb

MAX_SCALE = 1_000_000
"""The largest common denominator of shares: finer than any contract, and weights stay small integers."""

# delivered(asset, contributor, asset_key, since_ms, ...), owned(asset, contributor, num, den, valid_from_ms,
# recorded_at_ms) -> owner(asset, asset_key, contributor, num, den)
SQL = """
create or replace table owner as
with asset as (
  select asset, any_value(contributor) as contributor, max(asset_key) as asset_key, min(since_ms) as since_ms
  from delivered group by asset
), valid as (
  select o.asset, o.contributor, o.num, o.den, a.asset_key,
    rank() over (partition by o.asset order by o.valid_from_ms desc, o.recorded_at_ms desc) as place
  from owned o join asset a on a.asset = o.asset and o.valid_from_ms <= greatest(a.since_ms, $effective)
)
select asset, asset_key, contributor, num, den from valid where place = 1
union all
select asset, asset_key, contributor, 1, 1 from asset where asset not in (select asset from valid)
"""


def reference(rows: Iterable[Mapping[str, Any]], contributor: int, at_ms: int) -> list[Owner]:
    """The owners of one asset at a time. rows: its ownership rows; contributor: who delivered it to the library."""
    valid = [row for row in rows if row["valid_from_ms"] <= at_ms]
    if not valid:
        return [Owner(contributor, 1, 1)]
    newest = max((row["valid_from_ms"], row["recorded_at_ms"]) for row in valid)
    return [
        Owner(row["contributor_id"], row["share_num"], row["share_den"])
        for row in valid
        if (row["valid_from_ms"], row["recorded_at_ms"]) == newest
    ]


def common_scale(dens: Iterable[int]) -> int:
    """The least common multiple of the shares' denominators. Raises Refused beyond MAX_SCALE."""
    scale = 1
    for den in dens:
        scale = math.lcm(scale, den)
        if scale > MAX_SCALE:
            raise Refused(
                "the ownership shares of these assets have no small common denominator",
                code="allocate.shares",
                remedy="State the shares in hundredths or thousandths",
            )
    return scale


def scale(con: "duckdb.DuckDBPyConnection") -> tuple[int, int | None]:
    """The common scale of table owner, and an asset whose shares do not sum to one (None where all do)."""
    found = common_scale(int(den) for (den,) in con.execute("select distinct den from owner").fetchall())
    sql = "select min(asset) from (select asset from owner group by asset having sum(num::hugeint * ($1 // den)) <> $1)"
    row = con.execute(sql, [found]).fetchone()
    return found, row[0] if row else None
