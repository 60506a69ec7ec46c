"""Everything that the library knows about one asset, with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairframe.library import assets, collections, facts, releases, signals
from fairframe.library.facts import Said
from fairframe.library.tables import contributor, ownership
from fairframe.platform.tx import Row, Tx


@dataclass(frozen=True)
class Shown:
    """One asset. `facts` hold now; `history` is everything ever said about it, oldest first.

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


def show(tx: Tx, id_or_filename: str) -> Shown:
    """Raises NotFound, Conflict (see assets.find). `owners` are (ctr_ id, share such as "1/1")."""
    row = assets.find(tx, id_or_filename)
    key = row["id"]
    papers = releases.history(tx, key)
    return Shown(
        asset=row,
        contributor=assets.owner(tx, row),
        owners=_owners(tx, key),
        collections=collections.of_asset(tx, key),
        facts=facts.current(tx, key),
        history=facts.history(tx, key),
        signals=signals.of_asset(tx, key),
        releases=[one for one in papers if one["revokes_id"] is None],
        ended_ms={one["revokes_id"]: one["valid_from_ms"] for one in papers if one["revokes_id"] is not None},
    )


def _owners(tx: Tx, asset_id: int) -> list[tuple[str, str]]:
    """The newest set of shares in force: rows with the same (valid_from, recorded_at) belong together."""
    joined = ownership.join(contributor, contributor.c.id == ownership.c.contributor_id)
    statement = ownership.select().add_columns(contributor.c.public_id).select_from(joined)
    where = (ownership.c.asset_id == asset_id) & (ownership.c.valid_from_ms <= tx.now_ms)
    rows = tx.rows(statement.where(where).order_by(ownership.c.id))
    newest = max(((row["valid_from_ms"], row["recorded_at_ms"]) for row in rows), default=None)
    return [
        (row["public_id"], f"{row['share_num']}/{row['share_den']}")
        for row in rows
        if (row["valid_from_ms"], row["recorded_at_ms"]) == newest
    ]
