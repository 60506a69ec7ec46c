"""Handing a release to its licensee: a directory with signed documents, items and clips.

The directory is prepared beside its place; the delivery, its first lease and the feed are recorded in one
transaction that re-checks every right; then the directory gets its name. A crash in between leaves a recorded
delivery without a directory, and delivering again writes it anew under the same signature.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.bundle import Head
from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Conflict, IntegrityFailure, NotFound, Refused
from fairframe.core.ids import new_id
from fairframe.dataset import feeds, layout, leases, published, revocation
from fairframe.dataset.documents import DeliveryBody
from fairframe.dataset.gate import close_behind
from fairframe.dataset.lines import read_line
from fairframe.dataset.tables import dataset_release, item
from fairframe.dataset.tables import delivery as delivery_table
from fairframe.library.tables import asset
from fairframe.platform import bundles, runs
from fairframe.platform.runs import Progress, Run, silent
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, recheck
from fairframe.rights.agreement import Agreement
from fairframe.rights.tables import agreement as agreement_table

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
class _Release:
    row: Row
    items: Sequence[Row]
    lines: list[bytes]
    agreement: Agreement
    agreement_document: bytes
    parquet: bytes


def deliver(ws: Workspace, name: str, out: Path, show: Progress = silent) -> Delivered:
    """Write the delivery of the release `name` to the new directory `out`.

    Raises Conflict (delivery.exists) where `out` exists, NotFound, IntegrityFailure (a clip is missing or changed),
    and Refused (agreement.inactive; delivery.changed, with reasons) where a right changed since the release.
    """
    if out.exists() or out.is_symlink():
        raise Conflict(f"{out} exists already", code="delivery.exists", remedy="Name a folder that does not exist.")
    with runs.running(ws, "dataset.deliver", {"name": name, "out": str(out)}, show) as run:
        with ws.read() as tx:
            release = _load(tx, name)
        with _beside(out) as folder:
            _write_files(ws, run, release, folder)
            with ws.write() as tx:
                done = _record(tx, release, folder, out)
            folder.rename(out)
        run.result.update(delivery=done.id)
    return done


def find_release(tx: Tx, name_or_id: str) -> Row:
    """A release by name or id. Raises NotFound."""
    where = (dataset_release.c.name == name_or_id) | (dataset_release.c.public_id == name_or_id)
    row = tx.row(dataset_release.select().where(where))
    if row is None:
        raise NotFound(
            f"no release is called {name_or_id[:80]!r}", code="release.missing", remedy="See: fairframe dataset list"
        )
    return row


def _load(tx: Tx, name: str) -> _Release:
    row = find_release(tx, name)
    items = tx.rows(item.select().where(item.c.dataset_release_id == row["id"]).order_by(item.c.idx))
    lines = [one["line"].encode() for one in items]
    agreement_id = tx.scalar(sa.select(agreement_table.c.public_id).where(agreement_table.c.id == row["agreement_id"]))
    agreement = agreements.find(tx, agreement_id)
    known = _known(tx, row)
    if known is None:
        parquet = published.items_parquet(lines)
    else:
        # signed already: another version of the Parquet writer may not write the same bytes
        parquet = tx.ws.objects.read(_body(tx, known).derived[layout.PARQUET])
    if agreement.signed is None:
        raise _not_in_force(agreement)
    return _Release(row, items, lines, agreement, agreement.signed, parquet)


@contextmanager
def _beside(out: Path) -> Generator[Path]:
    """A temporary directory next to `out`, on the same disk; gone in the end unless it was renamed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_files(ws: Workspace, run: Run, release: _Release, folder: Path) -> None:
    (folder / layout.CLIPS).mkdir()
    for done, line in enumerate(release.lines):
        run.progress(done, len(release.lines), "copying clips")
        one = read_line(line)
        target = folder / one.path
        if target.exists():  # two items may have the same pictures
            continue
        shutil.copyfile(ws.objects.path(one.bytes_hash), target)
        if layout.hashed(target, one.size_bytes) != one.bytes_hash:
            raise IntegrityFailure(f"the stored clip of {one.id} was changed", code="objects.changed", where=one.path)
    _write(folder / layout.ITEMS, published.items_jsonl(release.lines))
    _write(folder / layout.PARQUET, release.parquet)
    ws.objects.put_bytes(release.parquet)


def _record(tx: WriteTx, release: _Release, folder: Path, out: Path) -> Delivered:
    close_behind(tx)
    _check_rights(tx, release)
    row = _known(tx, release.row)
    new = row is None
    if row is None:
        row = _insert(tx, release)
    lease = leases.issue(tx, row)
    feed = feeds.issue(tx, release.agreement.public_id)
    newest = leases.newest(tx, row["public_id"])
    assert newest is not None
    for name, data in (
        (layout.DELIVERY, row["envelope"].encode()),
        (layout.AGREEMENT, release.agreement_document),
        (layout.LEASE, lease),
        (layout.FEED, feed),
    ):
        _write(folder / name, data)
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


def _check_rights(tx: Tx, release: _Release) -> None:
    agreement = agreements.find(tx, release.agreement.public_id)
    if not agreement.active(tx.now_ms):
        raise _not_in_force(agreement)
    ids = sorted({one["asset_id"] for one in release.items})
    decisions = recheck.recheck(tx, agreement, release.row["audit_size"], ids)
    lost = {asset_id: found for asset_id, found in decisions.items() if found.outcome != "ALLOW"}
    known = _known(tx, release.row)
    if known is not None and (back := revocation.taken_back(tx, OUT, known["public_id"])):
        raise Refused(
            f"{len(back)} items of the delivery {known['name']} were taken back",
            code="delivery.revoked",
            remedy="Build a new release: a release never changes.",
        )
    if lost:
        named = tx.rows(sa.select(asset.c.id, asset.c.public_id).where(asset.c.id.in_(list(lost)[:20])))
        raise Refused(
            f"{len(lost)} of {len(ids)} assets of the release {release.row['name']} may no longer be delivered",
            reasons=[f"{row['public_id']}: {lost[row['id']].findings[0].text}" for row in named],
            code="delivery.changed",
            remedy="Build a new release: a release never changes.",
        )


def _not_in_force(agreement: Agreement) -> Refused:
    return Refused(f"the agreement {agreement.public_id} is not in force", code="agreement.inactive")


def _insert(tx: WriteTx, release: _Release) -> Row:
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
    found = _known(tx, row)
    assert found is not None
    return found


def _known(tx: Tx, release: Row) -> Row | None:
    where = (delivery_table.c.release == release["public_id"]) & (delivery_table.c.direction == OUT)
    return tx.row(delivery_table.select().where(where))


def _body(tx: Tx, delivery: Row) -> DeliveryBody:
    return DeliveryBody.from_json(bundles.check(tx, delivery["envelope"].encode(), "delivery").body)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
