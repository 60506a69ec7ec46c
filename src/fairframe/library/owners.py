"""Who owns an asset, in which shares. Append-only: a later statement is a new set, and the older ones stay.

A set is the rows of an asset with the same (valid_from, recorded_at). Of the sets that are valid by then the newest
holds, whole; its shares sum to one. What is stated now is stated again for each later day for which a set was there,
so that nobody who is named falls out by what was said before; another set for such a day is stated anew. Every owner
must permit a use, and so must who brought the asset, owner or not (rights/clearance.py); receipts are split by shares
(royalties/owners.py).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import Conflict, InputError
from fairframe.core.rational import Share
from fairframe.library.tables import contributor, ownership
from fairframe.platform.tx import Row, Tx, WriteTx

CHUNK = 400
MAX_OWNERS = 100
MAX_SCALE = 1_000_000
"""The largest common denominator of shares, which allocation keeps to as well."""


@dataclass(frozen=True)
class Part:
    """An owner and their share. contributor: public id."""

    contributor: str
    name: str
    share: Share


@dataclass(frozen=True)
class Owners:
    """One set: since when it is to hold, and when it was said."""

    parts: tuple[Part, ...]
    valid_from_ms: int
    recorded_at_ms: int

    def __str__(self) -> str:
        return ", ".join(f"{one.name} {one.share}" for one in self.parts)


def state(tx: WriteTx, asset: Row, parts: Sequence[tuple[Row, Share]], valid_from_ms: int | None = None) -> None:
    """State all owners of an asset anew, from now on or from when they say. What follows is done in flows/owners.py.

    Raises InputError (input.bad_owners): shares that are zero, do not sum to one, name one person twice or have no
    small common denominator; Conflict (owners.same_moment) where a set with such two times is there.
    """
    check(parts, asset["public_id"])
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    c = ownership.c
    sets = sa.select(c.valid_from_ms, c.recorded_at_ms).where(c.asset_id == asset["id"], c.valid_from_ms >= valid)
    held = {(row["valid_from_ms"], row["recorded_at_ms"]) for row in tx.rows(sets.distinct())}
    moments = sorted({valid, *(of for of, _ in held if of > tx.now_ms)})
    if any((one, tx.now_ms) in held for one in moments):
        raise Conflict(
            "its owners were stated at this very moment",
            code="owners.same_moment",
            where=asset["public_id"],
            remedy="Say it again",
        )
    shares = [
        {"contributor_id": who["id"], "share_num": share.num, "share_den": share.den, "valid_from_ms": one}
        for one in moments
        for who, share in parts
    ]
    tx.insert_many(ownership, [{"asset_id": asset["id"], **one} for one in shares])
    said = [{"contributor": who["public_id"], "share": str(share)} for who, share in parts]
    for one in moments:
        tx.record("asset.owners", asset["public_id"], {"owners": said, "valid_from_ms": one})


def check(parts: Sequence[tuple[Row, Share]], where: str) -> None:
    """Raises InputError (input.bad_owners) unless these can be all the owners of an asset."""
    total = sum((share.fraction for _, share in parts), Fraction(0))
    wrong = ""
    if not 0 < len(parts) <= MAX_OWNERS:
        wrong = f"an asset has 1 to {MAX_OWNERS} owners, not {len(parts)}"
    elif any(share.num == 0 for _, share in parts):
        wrong = "a share is zero: who owns nothing is left out"
    elif len({who["id"] for who, _ in parts}) != len(parts):
        wrong = "somebody is named twice"
    elif total != 1:
        wrong = f"the shares sum to {total}, not to 1"
    elif math.lcm(*(share.den for _, share in parts)) > MAX_SCALE:
        wrong = "the shares have no small common denominator"
    if wrong:
        raise InputError(wrong, code="input.bad_owners", where=where, remedy="Name all owners, such as Ana=2/3 Bo=1/3")


def of_assets(
    tx: Tx, asset_ids: Iterable[int], at_ms: int | None = None, known_at_ms: int | None = None
) -> dict[int, Owners]:
    """asset id -> the set that holds at a time (now where None), as far as was recorded by `known_at_ms` (all of it
    where None). An asset of which nobody said anything by then is left out."""
    at = tx.now_ms if at_ms is None else at_ms
    found: dict[int, Owners] = {}
    ids = sorted(set(asset_ids))
    for start in range(0, len(ids), CHUNK):
        for key, sets in _sets(tx, ids[start : start + CHUNK]).items():
            held = [one for one in sets if one.valid_from_ms <= at]
            held = [one for one in held if known_at_ms is None or one.recorded_at_ms <= known_at_ms]
            if held:
                found[key] = max(held, key=lambda one: (one.valid_from_ms, one.recorded_at_ms))
    return found


def history(tx: Tx, asset_id: int) -> list[Owners]:
    """Every set that was ever stated, in the order of statement."""
    return sorted(_sets(tx, [asset_id]).get(asset_id, []), key=lambda one: (one.recorded_at_ms, one.valid_from_ms))


def _sets(tx: Tx, ids: Sequence[int]) -> dict[int, list[Owners]]:
    joined = ownership.join(contributor, contributor.c.id == ownership.c.contributor_id)
    statement = ownership.select().add_columns(contributor.c.public_id, contributor.c.name).select_from(joined)
    grouped: dict[tuple[int, int, int], list[Part]] = defaultdict(list)
    for row in tx.rows(statement.where(ownership.c.asset_id.in_(ids)).order_by(ownership.c.id)):
        part = Part(row["public_id"], row["name"], Share(row["share_num"], row["share_den"]))
        grouped[row["asset_id"], row["valid_from_ms"], row["recorded_at_ms"]].append(part)
    sets: dict[int, list[Owners]] = defaultdict(list)
    for (key, valid, recorded), parts in grouped.items():
        sets[key].append(Owners(tuple(parts), valid, recorded))
    return sets


def to_json(one: Owners) -> dict[str, Any]:
    return {
        "owners": [{"contributor": p.contributor, "name": p.name, "share": str(p.share)} for p in one.parts],
        "valid_from_ms": one.valid_from_ms,
        "recorded_at_ms": one.recorded_at_ms,
    }
