"""A rational blend of methods: each part's weights are scaled to the same whole before its share is taken.

weight = sum over the parts of num * floor(w * 10^12 / total), the shares being num over one common denominator. So it
stays a whole number, and a method whose unit is a thousand times larger counts no more for it. Where a part gives
nobody a weight, nobody has one.
"""

from collections.abc import Mapping, Sequence

from fairframe.royalties.methods.values import Facts, Method

SCALE = 10**12
UNIT = "10^-12 of the blend"


def blend(name: str, parts: Sequence[tuple[int, Method]]) -> Method:
    """The method of (num, method) parts. name: the split basis as an agreement spells it."""

    def reference(facts: Facts) -> Mapping[int, int]:
        return blended([(num, one.reference(facts)) for num, one in parts])

    methods = tuple(one for _, one in parts)
    nums = tuple(num for num, _ in parts)
    return Method(name, UNIT, "a part of the blend gives nobody a weight", _sql(parts), reference, methods, nums)


def blended(parts: Sequence[tuple[int, Mapping[int, int]]]) -> dict[int, int]:
    """asset -> weight, from each part's num and its weights."""
    found: dict[int, int] = {asset: 0 for _, weights in parts for asset in weights}
    totals = [sum(weights.values()) for _, weights in parts]
    if all(totals):
        for (num, weights), total in zip(parts, totals, strict=True):
            for asset, weight in weights.items():
                found[asset] += num * (weight * SCALE // total)
    return found


def _sql(parts: Sequence[tuple[int, Method]]) -> str:
    tables: list[str] = []
    scaled: list[str] = []
    for at, (num, one) in enumerate(parts):
        tables.append(f"part_{at} as materialized ({one.sql})")
        tables.append(f"total_{at} as (select coalesce(sum(weight::hugeint), 0) as total from part_{at})")  # noqa: S608
        part = f"(weight::hugeint * {SCALE}) // greatest(total, 1)"
        scaled.append(f"select asset, {num} * ({part}) as weight from part_{at}, total_{at}")  # noqa: S608
    empty = " union all ".join(f"select total from total_{at}" for at in range(len(parts)))  # noqa: S608
    return f"""
with {", ".join(tables)}, least as (select min(total) as total from ({empty}))
select asset, (case when any_value(least.total) > 0 then sum(weight) else 0 end)::bigint as weight
from ({" union all ".join(scaled)}), least group by asset
"""  # noqa: S608 - methods of our own and whole numbers
