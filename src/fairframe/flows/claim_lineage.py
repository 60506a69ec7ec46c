"""What the model behind a film consumed of a contributor's clips: by the lab's reports, else by the film's own lineage.

A film that was generated resembles its training clips by chance or by memory; whether the model saw a clip, and how
often, is what its lineage can add to what the eye sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import FairframeError
from fairframe.dataset.tables import item
from fairframe.flows.impact import among_them, items_of
from fairframe.generation.checks import Origin
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx
from fairframe.training.tables import checkpoint, usage
from fairframe.verify.lineage import read_lineage

REPORTED, CARRIED = "usage report", "lineage in the film's sidecar"
CHUNK = 500


@dataclass(frozen=True)
class Seen:
    """Frames that the model behind a film consumed, by `source`; None of them all where nothing tells.

    theirs: of the contributor's clips; of_asset: of the named clip (None where none is named); total: of all.
    known: whether anything here tells what the model consumed.
    """

    known: bool
    source: str
    method: str
    theirs: int
    of_asset: int | None
    total: int


def seen(tx: Tx, origin: Origin, who: Row, of: Row | None) -> Seen:
    """What the checkpoint that a film names consumed of a contributor's items, and of an asset's."""
    found = _reported(tx, origin) or _carried(tx, origin)
    if found is None:
        return Seen(False, "", "", 0, None if of is None else 0, 0)
    source, method, frames, total = found
    of_them = _items(tx, frames, among_them(items_of(tx, who["id"])))
    of_it = None if of is None else _items(tx, frames, item.c.asset_id == of["id"])
    asset = None if of_it is None else sum(frames[name] for name in of_it)
    return Seen(True, source, method, sum(frames[name] for name in of_them), asset, total)


def _reported(tx: Tx, origin: Origin) -> tuple[str, str, Mapping[str, int], int] | None:
    """The newest report of a checkpoint with these weights."""
    where = checkpoint.c.weights_hash == origin.weights_hash
    row = tx.row(checkpoint.select().where(where).order_by(checkpoint.c.id.desc()).limit(1))
    if row is None:
        return None
    uses = tx.rows(usage.select().where(usage.c.checkpoint_id == row["id"]))
    method = ", ".join(sorted({one["method"] for one in uses}))
    return REPORTED, method, {one["item"]: int(one["frames"]) for one in uses}, int(row["frames_seen"])


def _carried(tx: Tx, origin: Origin) -> tuple[str, str, Mapping[str, int], int] | None:
    """What the sealed lineage in a film's sidecar lists, if a believed lab signed it about these weights."""
    try:
        bundles.check(tx, origin.lineage.encode(), "lineage")
        body = read_payload(read_envelope(origin.lineage.encode()).payload).body
        read = read_lineage(body)
    except FairframeError:
        return None
    if read.weights_hash != origin.weights_hash or any(one.ok is False for one in read.findings):
        return None
    told = body["usage"]
    frames = {str(one["item"]): int(one["frames"]) for one in told["items"]}
    return CARRIED, str(told["method"]), frames, int(told["frames"])


def _items(tx: Tx, frames: Mapping[str, int], which: sa.ColumnElement[bool]) -> set[str]:
    """Those of the items that `which` picks."""
    names, found = sorted(frames), set[str]()
    for start in range(0, len(names), CHUNK):
        some = item.c.public_id.in_(names[start : start + CHUNK])
        found |= {str(row["public_id"]) for row in tx.rows(sa.select(item.c.public_id).where(some, which))}
    return found
