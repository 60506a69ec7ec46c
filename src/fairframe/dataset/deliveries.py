"""Handing a release to its licensee: a directory with signed documents, items and clips.

The directory is prepared beside its place; the delivery, its first lease and the feed are recorded in one
transaction that re-checks every right; then the directory gets its name. A crash in between leaves a recorded
delivery without a directory, and delivering again writes it anew under the same signature and drops what was left.
"""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.delivery_body import DeliveryBody
from fairframe.core.errors import Conflict, InputError, IntegrityFailure, NotFound
from fairframe.core.ids import is_id
from fairframe.core.item_line import read_line
from fairframe.dataset import layout, published
from fairframe.dataset.handover import Delivered, Release, check_room, hand_over, known, not_in_force, write_new
from fairframe.dataset.tables import dataset_release, item
from fairframe.platform import bundles, runs
from fairframe.platform.runs import Progress, Run, silent
from fairframe.platform.tx import Row, Tx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements
from fairframe.rights.tables import agreement as agreement_table

KIND = "dataset.deliver"


def deliver(ws: Workspace, name: str, out: Path, show: Progress = silent) -> Delivered:
    """Write the delivery of the release `name` to the new directory `out`.

    Raises Conflict (delivery.exists where `out` exists; run.live where another process delivers to it), NotFound,
    InputError (input.unwritable), IntegrityFailure (a stored clip is missing or changed), and Refused:
    agreement.inactive; delivery.changed, with reasons, where a right changed since the release; delivery.revoked where
    items of this very delivery were taken back; delivery.too_many.
    """
    if out.exists() or out.is_symlink():
        raise Conflict(f"{out} exists already", code="delivery.exists", remedy="Name a folder that does not exist.")
    place = runs.alone(ws, KIND, str(out.absolute()))
    with place, runs.running(ws, KIND, {"name": name, "out": str(out)}, show) as run:
        with ws.read() as tx:
            release = _load(tx, name)
            if known(tx, release.row) is None:
                check_room(tx, release)  # before anything is copied
        try:
            with beside(out) as folder:
                _write_files(ws, run, release, folder)
                with ws.write() as tx:
                    done = hand_over(tx, release, folder, out)
                folder.rename(out)
        except OSError as error:
            raise InputError(
                f"{out} cannot be written: {error.strerror or error}",
                code="input.unwritable",
                remedy="Name a folder on a disk with room, where you may write.",
            ) from error
        run.result.update(delivery=done.id)
    return done


def find_release(tx: Tx, name_or_id: str) -> Row:
    """A release by name or id; what looks like an id is never a name. Raises NotFound."""
    column = dataset_release.c.public_id if is_id(name_or_id, "rel") else dataset_release.c.name
    row = tx.row(dataset_release.select().where(column == name_or_id))
    if row is None:
        raise NotFound(
            f"no release is called {name_or_id[:80]!r}", code="release.missing", remedy="See: fairframe dataset list"
        )
    return row


def _load(tx: Tx, name: str) -> Release:
    row = find_release(tx, name)
    items = tx.rows(item.select().where(item.c.dataset_release_id == row["id"]).order_by(item.c.idx))
    lines = [one["line"].encode() for one in items]
    agreement_id = tx.scalar(sa.select(agreement_table.c.public_id).where(agreement_table.c.id == row["agreement_id"]))
    agreement = agreements.find(tx, agreement_id)
    before = known(tx, row)
    if before is None:
        parquet = published.items_parquet(lines)
    else:
        # signed already: another version of the Parquet writer may not write the same bytes
        parquet = tx.ws.objects.read(_body(tx, before).derived[layout.PARQUET])
    if agreement.signed is None:
        raise not_in_force(agreement)
    return Release(row, items, lines, agreement, agreement.signed, parquet)


@contextmanager
def beside(out: Path) -> Generator[Path]:
    """A temporary directory next to `out`, on the same disk; gone in the end unless it was renamed.

    What a killed process left there for the same `out` goes, too: it holds clips that nobody else knows of. The caller
    is alone at it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    mark = f".{out.name}.fairframe-"
    for left in out.parent.iterdir():
        if left.name.startswith(mark) and left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=mark))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_files(ws: Workspace, run: Run, release: Release, folder: Path) -> None:
    (folder / layout.CLIPS).mkdir()
    for done, line in enumerate(release.lines):
        run.progress(done, len(release.lines), "copying clips")
        one = read_line(line)
        target = folder / one.path
        if target.exists():  # two items may have the same pictures
            continue
        source = ws.objects.path(one.bytes_hash)
        whole = source.is_file() and shutil.copyfile(source, target) and layout.hashed(target, one.size_bytes)
        if whole != one.bytes_hash:
            what = "changed" if source.is_file() else "deleted"
            raise IntegrityFailure(f"the stored clip of {one.id} was {what}", code="objects.changed", where=one.path)
    write_new(folder / layout.ITEMS, published.items_jsonl(release.lines))
    write_new(folder / layout.PARQUET, release.parquet)
    ws.objects.put_bytes(release.parquet)


def _body(tx: Tx, delivery: Row) -> DeliveryBody:
    return DeliveryBody.from_json(bundles.check(tx, delivery["envelope"].encode(), "delivery").body)
