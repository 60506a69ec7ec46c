"""Everything that the library knows about one asset, with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairframe.core.errors import NotFound
from fairframe.library import assets, collections, facts, owners, releases, signals
from fairframe.library.facts import Said
from fairframe.platform.tx import Row, Tx

FOREVER_MS = 2**62


@dataclass(frozen=True)
class Shown:
    """One asset. `facts` hold now, or at the moment asked for; `history` is everything said about it by then, oldest
    first.

    ended_ms: of the document releases that no longer hold, by their BIGINT id.
    """

    asset: Row
    contributor: Row
    owners: Sequence[tuple[str, str]]
    collections: Sequence[Row]
    facts: dict[str, str]
    history: Sequence[Said]
    signals: Sequence[Row]
    releases: Sequence[Row]
    ended_ms: Mapping[int, int]


def show(tx: Tx, id_or_filename: str, *, at_ms: int | None = None, known_at_ms: int | None = None) -> Shown:
    """What is true at `at_ms` (now where None), as far as it was recorded by `known_at_ms` (all of it where None).

    `known_at_ms` alone also says when. `owners` are (ctr_ id, share such as "1/1"). Raises NotFound, Conflict (see
    assets.find), and NotFound (asset.not_yet) for what was taken in later.
    """
    row = assets.find(tx, id_or_filename)
    key = row["id"]
    known = FOREVER_MS if known_at_ms is None else known_at_ms
    at = at_ms if at_ms is not None else known_at_ms if known_at_ms is not None else tx.now_ms
    if row["recorded_at_ms"] > known:
        raise NotFound("the asset was not taken in by then", code="asset.not_yet", where=row["public_id"])
    held = owners.of_assets(tx, [key], at, known).get(key)
    papers = [one for one in releases.history(tx, key) if _said(one, at, known)]
    return Shown(
        asset=row,
        contributor=assets.owner(tx, row),
        owners=[] if held is None else [(one.contributor, str(one.share)) for one in held.parts],
        collections=collections.of_asset(tx, key, known),
        facts=facts.current(tx, key, at_ms=at, known_at_ms=known),
        history=[one for one in facts.history(tx, key) if one.recorded_at_ms <= known],
        signals=[one for one in signals.of_asset(tx, key) if _said(one, at, known)],
        releases=[one for one in papers if one["revokes_id"] is None],
        ended_ms={one["revokes_id"]: one["valid_from_ms"] for one in papers if one["revokes_id"] is not None},
    )


def _said(row: Row, at_ms: int, known_at_ms: int) -> bool:
    return row["valid_from_ms"] <= at_ms and row["recorded_at_ms"] <= known_at_ms
