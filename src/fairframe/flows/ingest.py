"""Ingest: files and what is known about them become assets, one short transaction each.

A file that was taken in before is known by (contributor, content) and costs a hash, so the same command resumes
what was interrupted. An object is stored before the row that names it; a crash leaves at most an object without one.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fairframe.core.errors import Conflict, FairframeError, InputError, MissingExtra, NotFound
from fairframe.library import assets, collections, contributors, facts, refusals, signals
from fairframe.library.metadata import Described, Metadata, read_metadata
from fairframe.library.offered import Offer, gather
from fairframe.library.opening import open_stored, read_sidecars, trust_anchors
from fairframe.library.refusals import Refusal
from fairframe.library.signals import Found
from fairframe.library.walk import bad_file, check_file
from fairframe.media.sandbox import MediaWorker
from fairframe.media.workers import make_worker
from fairframe.platform import runs
from fairframe.platform.objects import sha256_file
from fairframe.platform.runs import Progress, Run
from fairframe.platform.tx import Row, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import holds

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
SAME_BYTES = "same_bytes"


@dataclass
class IngestReport:
    """What became of every file. `held`: assets on hold because another contributor brought the same bytes."""

    run: str = ""
    accepted: int = 0
    known: int = 0
    changed: int = 0
    """Known assets about which the metadata now says something else, or which it puts into a collection."""
    held: int = 0
    duration_ms: int = 0
    refused: list[Refusal] = field(default_factory=list[Refusal])
    ignored: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Job:
    ws: Workspace
    run: Run
    worker: MediaWorker
    anchors: str
    root: Path
    report: IngestReport


def ingest(
    ws: Workspace,
    path: Path,
    *,
    metadata: Path | None = None,
    contributor: str | None = None,
    show: Progress = runs.silent,
) -> IngestReport:
    """Take in a file or a folder. A file that cannot be used is refused with a reason, and the rest goes on.

    Raises InputError (the path, the CSV as a whole, the contributor's name, a trust anchor), Conflict (no library;
    disk full) and MissingExtra. Running it again takes in what is not there yet, and appends changed facts.
    """
    if ws.role != "library":
        raise Conflict("only a library takes in footage", remedy="Use a workspace made with --role library")
    told = Metadata() if metadata is None else read_metadata(metadata, contributor_given=contributor is not None)
    offered = gather(path, told, metadata_path=metadata, contributor=contributor)
    anchors = trust_anchors(ws)
    arguments = {"path": str(path), "metadata": None if metadata is None else str(metadata)}
    with runs.running(ws, "ingest", arguments, show) as run, make_worker(ws.settings) as worker:
        report = IngestReport(run=run.public_id, ignored=offered.ignored)
        job = _Job(ws, run, worker, anchors, offered.root, report)
        for done, offer in enumerate(offered.offers):
            run.progress(done, len(offered.offers), offer.name)
            _take(job, offer)
        run.progress(len(offered.offers), len(offered.offers), "")
        run.result |= {
            "accepted": report.accepted,
            "known": report.known,
            "refused": len(report.refused),
            "held": report.held,
        }
    return report


def _take(job: _Job, offer: Offer) -> None:
    """One file, from the first look to the committed row or refusal."""
    content: str | None = None
    fresh = False
    try:
        if offer.error is not None or offer.path is None:
            raise offer.error or bad_file("the file is not there", offer.name, "Copy it into the folder")
        check_file(offer.path, job.root, offer.name)
        content = sha256_file(offer.path)
        beside = read_sidecars(job.ws, job.worker, job.root, offer.sidecars)
        if _known(job, offer, content, beside):
            return
        fresh = not job.ws.objects.exists(content)
        content = job.ws.objects.put_file(offer.path)
        opened = open_stored(job.ws, job.worker, content, job.anchors)
        opened = replace(opened, signals=[*opened.signals, *beside])
        _accept(job, offer, opened)
    except MissingExtra:
        raise
    except FairframeError as error:
        _refuse(job, offer, error, content, fresh)
    except OSError as error:
        if error.errno in DISK:
            raise Conflict(
                f"the workspace cannot be written to: {error.strerror}",
                code="objects.no_space",
                where=str(job.ws.root),
                remedy="Make room and run the same command again: it goes on where it stopped",
            ) from error
        problem = f"the file cannot be read: {error.strerror or type(error).__name__}"
        _refuse(job, offer, bad_file(problem, offer.name, "Check the file and its permissions"), content, fresh)


def _known(job: _Job, offer: Offer, content: str, beside: Sequence[Found]) -> bool:
    """Whether the contributor has this content already; if so, what metadata and sidecars say anew is appended."""
    with job.ws.write() as tx:
        assets.lock_content(tx, content)  # who takes in the same file at once says nothing twice
        try:
            owner = contributors.find(tx, offer.described.contributor)
        except NotFound:
            return False
        row = assets.known(tx, owner["id"], content)
        if row is None:
            return False
        heard = signals.add_new(tx, row, beside)
        changed = _say_anew(tx, owner, row, offer.described) or heard > 0
    _count_known(job.report, row, offer.described, changed)
    return True


def _say_anew(tx: WriteTx, owner: Row, row: Row, described: Described) -> bool:
    """Append what the metadata says now and did not before: facts, and collections that the asset was not in."""
    changed = facts.say_from_metadata(tx, row, described.facts)
    return bool(collections.put(tx, owner, row, described.collections)) or bool(changed)


def _count_known(report: IngestReport, row: Row, described: Described, changed: bool) -> None:
    report.known += 1
    report.changed += changed
    differing = assets.differing(row, described)
    if differing:
        names = ", ".join(differing)
        report.notes.append(f"{described.filename}: the metadata has another {names} now; what was stored is kept.")


def _accept(job: _Job, offer: Offer, opened: assets.Opened) -> None:
    """The asset's row and all that belongs to it, in one transaction; with it the holds on a disputed content."""
    assert offer.path is not None
    held: list[Row] = []
    with job.ws.write() as tx:
        assets.lock_content(tx, opened.content_hash)
        owner = contributors.ensure(tx, offer.described.contributor)
        there = assets.known(tx, owner["id"], opened.content_hash)
        if there is None:
            # another run that refused the same bytes may have dropped them
            if not job.ws.objects.exists(opened.content_hash):
                raise bad_file("the file changed while it was read", offer.name, "Run the same command again")
            row = assets.add(tx, owner, offer.described, opened)
            collections.put(tx, owner, row, offer.described.collections)
            held = _hold_same_bytes(tx, opened.content_hash)
    if there is not None:
        _count_known(job.report, there, offer.described, False)
        return
    job.report.accepted += 1
    job.report.duration_ms += opened.probe.duration_ms
    job.report.held += len(held)
    if held:
        ids = ", ".join(other["public_id"] for other in held)
        job.report.notes.append(f"{offer.name}: other contributors brought the same bytes; on hold: {ids}.")


def _hold_same_bytes(tx: WriteTx, content: str) -> list[Row]:
    """Put every asset with this content on hold if more than one contributor brought it."""
    same = assets.same_content(tx, content)
    if len({row["contributor_id"] for row in same}) < 2:
        return []
    for row in same:
        others = ", ".join(other["public_id"] for other in same if other["id"] != row["id"])
        holds.place(tx, row, code=SAME_BYTES, reason=f"another contributor brought the same bytes ({others})"[:2000])
    return list(same)


def _refuse(job: _Job, offer: Offer, error: FairframeError, content: str | None, fresh: bool) -> None:
    """Write the refusal down, and drop the bytes that were stored for it alone."""
    shown = _as_seen(error, offer.name)
    with job.ws.write() as tx:
        if content is not None:
            assets.lock_content(tx, content)
        who = offer.described.contributor
        refusal = refusals.refuse(
            tx, job.run.id, job.run.public_id, offer.name, shown, contributor=who, content=content
        )
        if content is not None and fresh and not assets.same_content(tx, content):
            job.ws.objects.delete(content)
    job.report.refused.append(refusal)


def _as_seen(error: FairframeError, name: str) -> FairframeError:
    """The error with the file's own name, and with the line of metadata, instead of the stored object's path."""
    where = name
    if isinstance(error, InputError) and error.where != name:
        where = error.where if name in str(error) else f"{name}; {error.where}"
    return FairframeError(error.message, code=error.code, where=where, remedy=error.remedy)
