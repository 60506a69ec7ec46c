"""Rows of measures and shots, and which assets still lack them."""

from collections.abc import Sequence

import sqlalchemy as sa

from fairframe.core.ids import new_id
from fairframe.curation.shots import Shot
from fairframe.curation.tables import measure_ref, shot
from fairframe.curation.version import SHOTS
from fairframe.library.tables import asset
from fairframe.media import measure
from fairframe.platform.tx import Row, Tx, WriteTx

_MEASURED = sa.and_(measure_ref.c.asset_id == asset.c.id, measure_ref.c.version == measure.VERSION)


def unmeasured(tx: Tx) -> Sequence[int]:
    """Ids of the videos without measures of this version, in order."""
    missing = ~sa.exists().where(_MEASURED)
    query = sa.select(asset.c.id).where(asset.c.kind == "video", missing).order_by(asset.c.id)
    return [int(row["id"]) for row in tx.rows(query)]


def undecided(tx: Tx) -> Sequence[int]:
    """Ids of the assets that have measures but no shots of this version: those need no decoding."""
    decided = sa.exists().where(shot.c.asset_id == asset.c.id, shot.c.version == SHOTS)
    query = sa.select(asset.c.id).where(sa.exists().where(_MEASURED), ~decided).order_by(asset.c.id)
    return [int(row["id"]) for row in tx.rows(query)]


def asset_row(tx: Tx, asset_id: int) -> Row:
    """An asset with `measures`: the key of its Parquet object of this version, or None."""
    query = (
        sa.select(asset, measure_ref.c.object_key.label("measures"))
        .join(measure_ref, _MEASURED, isouter=True)
        .where(asset.c.id == asset_id)
    )
    return tx.conn.execute(query).mappings().one()


def record(tx: WriteTx, source: Row, key: str, frames: int, shots: Sequence[Shot]) -> int:
    """Store where the measures of an asset lie and its shots; how many shots are new. Does nothing twice."""
    # two runs may bring the same asset at once; the second then finds what the first wrote
    tx.row(sa.select(asset.c.id).where(asset.c.id == source["id"]).with_for_update())
    there = asset_row(tx, source["id"])
    if there["measures"] is None:
        tx.insert(measure_ref, asset_id=source["id"], version=measure.VERSION, object_key=key, frames=frames)
    if tx.row(shot.select().where(shot.c.asset_id == source["id"], shot.c.version == SHOTS)) is not None:
        return 0
    tx.insert_many(shot, [_row(source, one) for one in shots])
    body = {"measures": measure.VERSION, "object": key, "frames": frames, "shots": len(shots), "version": SHOTS}
    tx.record("asset.curated", source["public_id"], body)
    return len(shots)


def _row(source: Row, one: Shot) -> dict[str, object]:
    return {
        "public_id": new_id("sht"),
        "asset_id": source["id"],
        "version": SHOTS,
        "start_frame": one.span.start,
        "end_frame": one.span.end,
        "start_ms": one.start_ms,
        "end_ms": one.end_ms,
        "motion_milli": one.motion_milli,
        "sharpness_milli": one.sharpness_milli,
        "luma_milli": one.luma_milli,
        "black_milli": one.black_milli,
        "frozen_milli": one.frozen_milli,
        "phashes": ",".join(one.hashes),
    }
