"""A model's lineage: each training that went into it has a part of it, and divides that among its clips by frames.

An asset weighs, summed over the runs, floor(its frames * the run's part / all frames of the run). House footage is
among a run's frames, so what it takes of the part goes to nobody here; the pool is split among those with a weight.
"""

from collections import Counter
from collections.abc import Mapping

from fairframe.royalties.methods.values import Facts

UNIT = "10^-12 of the model by its lineage"
EMPTY = "no usage report tells of frames that this model or its ancestors consumed"

SQL = """
with by_run as (
  select d.asset, (sum(u.frames)::hugeint * any_value(r.part)) // any_value(r.frames) as weight
  from (select distinct item, asset from delivered) d join used u using (item) join run r using (run)
  where r.frames > 0 group by d.asset, u.run
)
select asset, coalesce(sum(weight), 0)::bigint as weight
from (select distinct asset from delivered) left join by_run using (asset)
group by asset
"""


def reference(facts: Facts) -> Mapping[int, int]:
    """asset -> its part of the model in 10^-12, zero for a delivered asset that no run used."""
    asset_of = {one.item: one.asset for one in facts.delivered}
    weights = dict.fromkeys(asset_of.values(), 0)
    for run in facts.runs:
        frames = Counter[int]()
        for use in facts.used:
            if use.run == run.run and use.item in asset_of:
                frames[asset_of[use.item]] += use.frames
        for asset, count in frames.items():
            weights[asset] += count * run.part // run.frames if run.frames else 0
    return weights
