"""Verifying deliveries that stand in a workspace: signature, root, every clip's bytes. Findings, not exceptions."""

from dataclasses import dataclass

import sqlalchemy as sa

from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import FairframeError
from fairframe.core.item_line import read_line, root_of
from fairframe.dataset.deliveries import find_release
from fairframe.dataset.loader import deleted, find_delivery
from fairframe.dataset.revocation import taken_back
from fairframe.dataset.tables import item, received_item
from fairframe.platform import bundles
from fairframe.platform.runs import Progress, silent
from fairframe.platform.workspace import Workspace


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was signed or published. `where` is an item, object or document id."""

    code: str
    where: str
    text: str


def verify_delivery(ws: Workspace, name: str, show: Progress = silent) -> list[Problem]:
    """Check a received delivery (by name or id) against its signed document; every stored clip is hashed again.

    Clips whose deletion was attested must be gone; of items taken back, a missing clip is no problem. Raises NotFound.
    """
    with ws.read() as tx:
        row = find_delivery(tx, name)
        where = received_item.c.delivery_id == row["id"]
        stored = tx.rows(received_item.select().where(where).order_by(received_item.c.idx))
        gone, back = deleted(tx, row["public_id"]), taken_back(tx, "in", row["public_id"])
        shared = {one["bytes_hash"] for one in tx.rows(sa.select(received_item.c.bytes_hash).where(~where))}
        shared |= {one["bytes_hash"] for one in stored if one["item"] not in gone}
        found: list[Problem] = []
        try:
            body = DeliveryBody.from_json(bundles.check(tx, row["envelope"].encode(), "delivery").body)
        except FairframeError as error:
            return [Problem(error.code, row["public_id"], error.message)]
    lines = [one["line"].encode() for one in stored]
    if root_of(lines) != body.root or len(lines) != body.items or row["root"] != body.root:
        found.append(Problem("delivery.root", row["public_id"], "its items do not have the signed root"))
    for place, one in enumerate(stored):
        show(place, len(stored), "hashing clips")
        line = read_line(one["line"].encode())
        same = (one["item"], one["bytes_hash"], one["frames"], one["split"], one["asset_pseudonym"])
        if same != (line.id, line.bytes_hash, line.frames, line.split, line.asset):
            found.append(Problem("item.changed", one["item"], "its row does not say what its signed line says"))
        found += _clip(ws, one["item"], line.bytes_hash, gone, back, shared)
    return found


def verify_release(ws: Workspace, name: str, show: Progress = silent) -> list[Problem]:
    """Check a published release (by name or id): its root over its lines, and every clip's bytes. Raises NotFound."""
    with ws.read() as tx:
        row = find_release(tx, name)
        rows = tx.rows(item.select().where(item.c.dataset_release_id == row["id"]).order_by(item.c.idx))
    found: list[Problem] = []
    if root_of(one["line"].encode() for one in rows) != row["root"] or len(rows) != row["items"]:
        found.append(Problem("release.root", row["public_id"], "its items do not have the published root"))
    for place, one in enumerate(rows):
        show(place, len(rows), "hashing clips")
        found += _clip(ws, one["public_id"], one["bytes_hash"], set(), set(), set())
    return found


def _clip(ws: Workspace, name: str, key: str, gone: set[str], back: set[str], shared: set[str]) -> list[Problem]:
    there = ws.objects.exists(key)
    if name in gone:
        if there and key not in shared:
            return [Problem("clip.not_deleted", name, "its deletion was attested, but its clip is there")]
        return []
    if not there:
        return [] if name in back else [Problem("clip.missing", name, "its clip is missing")]
    return [] if ws.objects.verify(key) else [Problem("clip.changed", name, "its clip was changed")]
