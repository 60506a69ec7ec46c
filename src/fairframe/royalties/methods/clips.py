"""Clips delivered: every delivered asset weighs one, whatever its length and however often it was handed over."""

from collections.abc import Mapping

from fairframe.royalties.methods.values import Facts

UNIT = "clips delivered"
EMPTY = "nothing was delivered"

SQL = "select distinct asset, 1::bigint as weight from delivered"


def reference(facts: Facts) -> Mapping[int, int]:
    """asset -> 1."""
    return {one.asset: 1 for one in facts.delivered}
