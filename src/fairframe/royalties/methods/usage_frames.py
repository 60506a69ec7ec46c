"""Frames used: an asset weighs the frames of it that training really consumed, summed over the reported checkpoints.
A delivered asset that no training consumed weighs nothing."""

from collections.abc import Mapping

from fairframe.royalties.methods.values import Facts

UNIT = "frames used in training"
EMPTY = "no usage report tells of frames used from this delivery"

SQL = """
select asset, coalesce(sum(frames), 0)::bigint as weight
from (select distinct item, asset from delivered)
left join (select item, sum(frames) as frames from used group by item) using (item)
group by asset
"""


def reference(facts: Facts) -> Mapping[int, int]:
    """asset -> frames, zero for a delivered asset that was not used."""
    asset_of = {one.item: one.asset for one in facts.delivered}
    weights = dict.fromkeys(asset_of.values(), 0)
    for one in facts.used:
        if one.item in asset_of:
            weights[asset_of[one.item]] += one.frames
    return weights
