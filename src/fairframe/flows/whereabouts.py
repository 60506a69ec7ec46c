"""Where an asset's clips are: the deliveries of which labs may still use some."""

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.dataset import revocation
from fairframe.dataset.tables import item
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx


@dataclass(frozen=True)
class Held:
    """Clips of one asset in one delivery. name: the release's; agreement: what it was delivered under; lab: a name."""

    name: str
    agreement: str
    lab: str
    clips: int


def whereabouts(tx: Tx, asset: Row) -> list[Held]:
    """The deliveries that hold clips of an asset that were not taken back, in the order of delivery."""
    ids = tx.execute(sa.select(item.c.id).where(item.c.asset_id == asset["id"]).order_by(item.c.id)).scalars().all()
    found = [one.delivery for one in revocation.delivered(tx, ids)]
    clips = Counter(row["id"] for row in found)
    rows = {row["id"]: row for row in found}
    return [
        Held(row["name"], row["agreement"], bundles.pinned(tx, row["party"]).name, clips[key])
        for key, row in sorted(rows.items())
    ]
