"""The one transaction of a delivery: nothing is handed over whose rights have changed since it was published."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.bundle import Head
from fairframe.core.canonical import sha256_hex
from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import Refused
from fairframe.core.feed_body import MAX_DELIVERIES, MAX_ITEMS
from fairframe.core.ids import new_id
from fairframe.core.time import to_rfc3339
from fairframe.dataset import feeds, layout, leases, revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.governing import kept_until_ms
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.library.tables import asset
from fairframe.platform import bundles
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights import agreements, recheck
from fairframe.rights.agreement import Agreement

OUT = "out"


@dataclass(frozen=True)
class Delivered:
    """A delivery directory that now stands at `path`. `new` is False where the same delivery was written again."""

    id: str
    name: str
    agreement: str
    lab: str
    path: Path
    items: int
    size_bytes: int
    duration_ms: int
    lease_ends_ms: int
    new: bool


@dataclass(frozen=True)
class Release:
    """What is handed over. `parquet`: the bytes of items.parquet."""

    row: Row
    items: Sequence[Row]
    lines: list[bytes]
    agreement: Agreement
    agreement_document: bytes
    parquet: bytes


def hand_over(tx: WriteTx, release: Release, folder: Path, out: Path) -> Delivered:
    """Re-check every right, record delivery, lease and feed, and write the signed documents to `folder`."""
    close_behind(tx)
    _check_rights(tx, release)
    row = known(tx, release.row)
    new = row is None
    if row is None:
        check_room(tx, release)
        row = _insert(tx, release)
    lease = leases.issue(tx, row)
    feed = feeds.issue(tx, release.agreement.public_id)
    newest = leases.newest(tx, row["public_id"])
    assert newest is not None
    for name, data in (
        (layout.DELIVERY, row["envelope"].encode()),
        (layout.AGREEMENT, release.agreement_document),
        (layout.LEASE, lease),
    ):
        write_new(folder / name, data)
    feed.write(folder / layout.FEED)
    tx.record("delivery.written", row["public_id"], {"release": release.row["public_id"], "new": new})
    return Delivered(
        id=row["public_id"],
        name=row["name"],
        agreement=row["agreement"],
        lab=row["party"],
        path=out,
        items=row["items"],
        size_bytes=release.row["bytes"],
        duration_ms=row["duration_ms"],
        lease_ends_ms=newest["ends_ms"],
        new=new,
    )


def _check_rights(tx: Tx, release: Release) -> None:
    agreement = agreements.find(tx, release.agreement.public_id)
    if not agreement.active(bundles.trusted_now_ms(tx)):
        raise not_in_force(agreement)
    ids = sorted({one["asset_id"] for one in release.items})
    decisions = recheck.recheck(tx, agreement, release.row["audit_size"], ids)
    lost = {asset_id: found for asset_id, found in decisions.items() if found.outcome != "ALLOW"}
    before = known(tx, release.row)
    if before is not None and (back := revocation.taken_back(tx, OUT, before["public_id"])):
        raise Refused(
            f"{len(back)} items of the delivery {before['name']} were taken back",
            code="delivery.revoked",
            remedy="Build a new release: a release never changes.",
        )
    if before is not None and (until_ms := kept_until_ms(tx, before)) <= bundles.trusted_now_ms(tx):
        raise Refused(
            f"the delivery {before['name']} was to be kept until {to_rfc3339(until_ms)}",
            code="delivery.retention",
            remedy="Build a new release, which has a time of its own.",
        )
    if lost:
        named = tx.rows(sa.select(asset.c.id, asset.c.public_id).where(asset.c.id.in_(list(lost)[:20])))
        raise Refused(
            f"{len(lost)} of {len(ids)} assets of the release {release.row['name']} may no longer be delivered",
            reasons=[f"{row['public_id']}: {lost[row['id']].findings[0].text}" for row in named],
            code="delivery.changed",
            remedy="Build a new release: a release never changes.",
        )


def check_room(tx: Tx, release: Release) -> None:
    """Nothing is handed over that one feed could not take back together with all that the family holds.

    Raises Refused (delivery.too_many).
    """
    where = (delivery_table.c.family == release.agreement.family) & (delivery_table.c.direction == OUT)
    sizes = [row["items"] for row in tx.rows(sa.select(delivery_table.c["items"]).where(where))]
    if len(sizes) >= MAX_DELIVERIES or sum(sizes) + release.row["items"] > MAX_ITEMS:
        raise Refused(
            f"with the release {release.row['name']} the agreement and its upgrades would have more than"
            f" {MAX_DELIVERIES} deliveries or {MAX_ITEMS} clips, which no feed could take back at once",
            code="delivery.too_many",
            remedy="Deliver it under another agreement that is no upgrade, or build a smaller release.",
        )


def not_in_force(agreement: Agreement) -> Refused:
    return Refused(f"the agreement {agreement.public_id} is not in force", code="agreement.inactive")


def _insert(tx: WriteTx, release: Release) -> Row:
    row, agreement = release.row, release.agreement
    delivery_id = new_id("dlv")
    body = DeliveryBody(
        delivery=delivery_id,
        name=row["name"],
        release=row["public_id"],
        family=agreement.family,
        root=row["root"],
        items=row["items"],
        items_digest=row["items_digest"],
        items_bytes=sum(len(line) + 1 for line in release.lines),
        clips_bytes=row["bytes"],
        duration_ms=row["duration_ms"],
        recipe=row["recipe"],
        recipe_hash=row["recipe_hash"],
        derived={layout.PARQUET: sha256_hex(release.parquet)},
        snapshot=Head(row["audit_size"], row["audit_root"]),
        agreement_digest=sha256_hex(release.agreement_document),
    )
    envelope = bundles.issue(tx, "delivery", agreement.lab, body.to_json(), agreement.ref, id=delivery_id)
    tx.insert(
        delivery_table,
        public_id=delivery_id,
        direction=OUT,
        name=row["name"],
        release=row["public_id"],
        agreement=agreement.public_id,
        family=agreement.family,
        party=agreement.lab,
        root=row["root"],
        items=row["items"],
        duration_ms=row["duration_ms"],
        envelope=envelope.decode(),
    )
    found = known(tx, row)
    assert found is not None
    return found


def known(tx: Tx, release: Row) -> Row | None:
    """The delivery of a release, if it was handed over before."""
    where = (delivery_table.c.release == release["public_id"]) & (delivery_table.c.direction == OUT)
    return tx.row(delivery_table.select().where(where))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, to the disk."""
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
