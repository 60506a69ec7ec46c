"""Milliseconds delivered: an asset weighs what its delivered spans last. The same span delivered again (a second
release, a second delivery) counts once, so that handing over a set twice moves nobody's money."""

from collections.abc import Mapping

from fairframe.royalties.methods.values import Facts

UNIT = "ms delivered"
EMPTY = "nothing that lasts was delivered"

SQL = """
select asset, sum(duration_ms)::bigint as weight
from (select asset, start_at, end_at, max(duration_ms) as duration_ms from delivered group by asset, start_at, end_at)
group by asset
"""


def reference(facts: Facts) -> Mapping[int, int]:
    """asset -> milliseconds over its distinct spans."""
    spans: dict[tuple[int, int, int], int] = {}
    for one in facts.delivered:
        key = (one.asset, one.start, one.end)
        spans[key] = max(spans.get(key, 0), one.duration_ms)
    weights: dict[int, int] = {}
    for (asset, _, _), duration_ms in spans.items():
        weights[asset] = weights.get(asset, 0) + duration_ms
    return weights
