"""Splitting a pool, in plain Python: what the bulk path (bulk.py) must equal, and what a statement is checked by.

Hamilton's method twice, in whole micro units: first among contributors, then among the assets inside each share
(assets first would leave contributors of many small shares with nothing). Ties go by SHA-256(salt, key).
Not monotone, as no quota method is: a larger pool can take one unit from somebody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fairframe.core.apportion import hamilton, tie_key


@dataclass(frozen=True, order=True)
class Claim:
    """A contributor's weight in one asset. The keys are pseudonyms: what ties are broken by."""

    contributor: int
    contributor_key: str
    asset: int
    asset_key: str
    weight: int


@dataclass(frozen=True, order=True)
class Line:
    contributor: int
    contributor_key: str
    weight: int
    amount: int


@dataclass(frozen=True, order=True)
class AssetLine:
    contributor: int
    asset: int
    asset_key: str
    weight: int
    amount: int


@dataclass(frozen=True)
class Owner:
    """A contributor's part of an asset: num/den."""

    contributor: int
    num: int
    den: int


def claims(
    weights: Mapping[int, int],
    owners: Mapping[int, Sequence[Owner]],
    scale: int,
    contributor_keys: Mapping[int, str],
    asset_keys: Mapping[int, str],
) -> list[Claim]:
    """Asset weights spread over owners, as whole numbers: weight * num * scale / den, where every den divides scale."""
    return [
        Claim(
            one.contributor,
            contributor_keys[one.contributor],
            asset,
            asset_keys[asset],
            weight * one.num * (scale // one.den),
        )
        for asset, weight in weights.items()
        for one in owners[asset]
    ]


def split(pool: int, claimed: Iterable[Claim], salt: bytes) -> tuple[list[Line], list[AssetLine]]:
    """Lines by contributor and asset lines by (contributor, asset). ValueError where no weight is above zero."""
    by_contributor: dict[int, list[Claim]] = {}
    for claim in sorted(claimed):
        by_contributor.setdefault(claim.contributor, []).append(claim)
    groups = list(by_contributor.values())
    weights = [sum(claim.weight for claim in group) for group in groups]
    amounts = hamilton(pool, weights, [tie_key(salt, group[0].contributor_key) for group in groups])
    lines: list[Line] = []
    asset_lines: list[AssetLine] = []
    for group, weight, amount in zip(groups, weights, amounts, strict=True):
        lines.append(Line(group[0].contributor, group[0].contributor_key, weight, amount))
        asset_lines += _inside(group, weight, amount, salt)
    return lines, asset_lines


def _inside(group: Sequence[Claim], weight: int, amount: int, salt: bytes) -> list[AssetLine]:
    parts = [0] * len(group)
    if weight:
        keys = [tie_key(salt, claim.asset_key) for claim in group]
        parts = hamilton(amount, [claim.weight for claim in group], keys)
    return [
        AssetLine(claim.contributor, claim.asset, claim.asset_key, claim.weight, part)
        for claim, part in zip(group, parts, strict=True)
    ]
