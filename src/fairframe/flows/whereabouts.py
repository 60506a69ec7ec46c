"""Where an asset's clips are: the deliveries of which labs may still use some."""

from dataclasses import dataclass

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
    found = revocation.delivered(tx, revocation.chosen(item.c.asset_id == asset["id"]))
    return [
        Held(
            one.delivery["name"],
            one.delivery["agreement"],
            bundles.pinned(tx, one.delivery["party"]).name,
            one.items,
        )
        for one in found
    ]
