"""Train or held out: whole units of shots that look alike or stem from one asset, never a part of one."""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Part = Literal["train", "heldout"]

HELDOUT = Fraction(1, 5)
MOST_HELDOUT = Fraction(1, 4)
"""Milliseconds that held-out units may have together: one long film must not leave little to train on."""
MIN_UNITS = 4
"""Fewer units than this are all trained on."""


@dataclass(frozen=True)
class Member:
    """A shot to be placed. `name` says which footage it is (content hash and first frame), not which row."""

    shot: str
    asset: str
    group: str
    name: str
    duration_ms: int


def split(members: Sequence[Member], seed: str = "") -> dict[str, Part]:
    """The part of every shot, by its id.

    A unit is all that hangs together by group or asset. Units are ordered by SHA-256 of the seed and their smallest
    name, so the same footage splits alike in every workspace; the first fifth of them (at least one) is held out,
    passing over units that would bring the held-out milliseconds above a quarter.
    """
    units = _units(members)
    ranked = sorted(units, key=lambda unit: _rank(seed, unit))
    held = set(map(id, _held_out(ranked)))
    return {member.shot: "heldout" if id(unit) in held else "train" for unit in units for member in unit}


def _held_out(ranked: list[list[Member]]) -> list[list[Member]]:
    if len(ranked) < MIN_UNITS:
        return []
    wanted = max(1, round(len(ranked) * HELDOUT))
    room = sum(_ms(unit) for unit in ranked) * MOST_HELDOUT
    chosen: list[list[Member]] = []
    for unit in ranked:
        if len(chosen) < wanted and _ms(unit) <= room:
            chosen.append(unit)
            room -= _ms(unit)
    return chosen or [min(ranked, key=_ms)]


def _units(members: Sequence[Member]) -> list[list[Member]]:
    """Connected components of shots over shared groups and shared assets (union-find, Tarjan 1975)."""
    parent: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for member in members:
        parent[root(("group", member.group))] = root(("asset", member.asset))
    units: dict[Hashable, list[Member]] = {}
    for member in members:
        units.setdefault(root(("asset", member.asset)), []).append(member)
    return list(units.values())


def _rank(seed: str, unit: Iterable[Member]) -> tuple[str, str]:
    name = min(member.name for member in unit)
    return hashlib.sha256(f"{seed}\n{name}".encode()).hexdigest(), name


def _ms(unit: Iterable[Member]) -> int:
    return sum(member.duration_ms for member in unit)
