"""Near-duplicate groups over all shots, appended where they changed.

A shot's newest row says its group; a shot without one, or whose newest row names the shot itself, stands alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from fairframe.curation import duplicates
from fairframe.curation.duplicates import Group
from fairframe.curation.tables import duplicate, shot
from fairframe.curation.version import SHOTS
from fairframe.platform.runs import Run
from fairframe.platform.tx import Tx, WriteTx

BATCH = 500


def groups(tx: Tx) -> list[Group]:
    """The groups among all shots of this version, from their stored hashes."""
    query = sa.select(shot.c.public_id, shot.c.phashes).where(shot.c.version == SHOTS, shot.c.phashes != "")
    ids: list[str] = []
    owners: list[int] = []
    hashes = bytearray()
    for public_id, text in tx.conn.execute(query.order_by(shot.c.public_id)):
        for one in text.split(","):
            owners.append(len(ids))
            hashes += bytes.fromhex(one)
        ids.append(public_id)
    bits = np.frombuffer(bytes(hashes), np.uint8).reshape(-1, duplicates.HASH_BYTES)
    return duplicates.groups(ids, np.array(owners, np.int64), bits)


def append(tx: WriteTx, run: Run, found: Sequence[Group]) -> int:
    """Append a row for each shot whose group changed; how many. Nothing is appended where nothing changed."""
    wanted = {
        member: (group.id, distance)
        for group in found
        for member, distance in zip(group.members, group.distances, strict=True)
    }
    now = _current(tx)
    changed = {one: value for one, value in wanted.items() if now.get(one) != value[0]}
    # a shot that left its group stands alone under its own id
    changed |= {one: (one, 0) for one, group in now.items() if one not in wanted and group != one}
    keys = _keys(tx, sorted(changed))
    rows: list[dict[str, Any]] = [
        {"shot_id": keys[one], "group_id": changed[one][0], "distance": changed[one][1], "run_id": run.id}
        for one in sorted(changed)
    ]
    for start in range(0, len(rows), BATCH):
        tx.insert_many(duplicate, rows[start : start + BATCH])
    if rows:
        tx.record("duplicates.grouped", run.public_id, {"changed": len(rows), "groups": len(found)})
    return len(rows)


def _current(tx: Tx) -> dict[str, str]:
    """Public id of each shot that ever was in a group -> its group now."""
    newest = sa.select(sa.func.max(duplicate.c.id)).group_by(duplicate.c.shot_id)
    query = (
        sa.select(shot.c.public_id, duplicate.c.group_id)
        .join(shot, shot.c.id == duplicate.c.shot_id)
        .where(duplicate.c.id.in_(newest), shot.c.version == SHOTS)
    )
    return {str(row["public_id"]): str(row["group_id"]) for row in tx.rows(query)}


def _keys(tx: Tx, public_ids: Sequence[str]) -> dict[str, int]:
    return {
        str(row["public_id"]): int(row["id"])
        for ids in _batches(public_ids)
        for row in tx.rows(sa.select(shot.c.id, shot.c.public_id).where(shot.c.public_id.in_(ids)))
    }


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[i : i + BATCH] for i in range(0, len(ids), BATCH))
