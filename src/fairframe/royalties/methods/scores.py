"""Scores from outside: an asset weighs what the agreement's score set says (royalties/scores.py), as a whole number.
A delivered asset that the set does not name weighs nothing."""

from collections.abc import Mapping

from fairframe.royalties.methods.values import Facts

UNIT = "points of score"
EMPTY = "no scores hold at the time of this revenue that give a delivered clip a weight"

SQL = """
select asset, coalesce(any_value(score), 0)::bigint as weight
from (select distinct asset from delivered) left join score using (asset)
group by asset
"""


def reference(facts: Facts) -> Mapping[int, int]:
    """asset -> score, zero where none is stated."""
    return {one.asset: facts.scores.get(one.asset, 0) for one in facts.delivered}
