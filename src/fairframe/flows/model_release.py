"""Releasing the weights of a checkpoint: permission, documents, a folder for the world. It cannot be undone.

The folder is prepared beside its place; permission is asked again, figures are read, and the signed release is
recorded in one transaction; then the folder gets its name. So nothing leaves unrecorded: a crash in between leaves a
recorded release without a folder, and it is released again.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairframe.core.canonical import sha256_hex
from fairframe.core.errors import Conflict, InputError, IntegrityFailure
from fairframe.core.ids import new_id
from fairframe.core.model_release_body import FILE, TYPE, ModelRelease, Under
from fairframe.dataset.deliveries import beside
from fairframe.flows.disclosures.papers import Papers, take
from fairframe.flows.disclosures.registry import draft
from fairframe.flows.disclosures.subject import RELEASE, Subject, subject_of
from fairframe.platform import bundles
from fairframe.platform.objects import sha256_file, write_atomic
from fairframe.platform.runs import Progress, alone, running, silent
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.training import lineage, permissions, registry, released

KIND = "model.release"
FOR_GOOD = (
    "Released weights cannot be called back: whoever has a copy can keep, change and pass it on, whatever is signed.",
    "A later opt-out, the end of an agreement or a ruling reaches no copy that others hold.",
    "The documents are drafts: have counsel read them before they are published.",
)
"""What is said before every release."""


@dataclass(frozen=True)
class Preview:
    """What a release would be. weights: bytes of each file of the model."""

    subject: Subject
    weights: dict[str, int]
    documents: dict[str, bytes]

    @property
    def warnings(self) -> tuple[str, ...]:
        back = self.subject.figures["clips_taken_back_consumed"].number
        frames = self.subject.figures["frames_taken_back_consumed"].number
        consumed = (
            f"It consumed {frames} frames of {back} clips that were taken back since; no unlearning was attempted."
        )
        return (*FOR_GOOD, *([consumed] if back else ()))


@dataclass(frozen=True)
class Released:
    """A folder that was written. document: the id of the signed release."""

    document: str
    checkpoint: str
    name: str
    folder: Path
    license: str
    files: int


def preview(tx: Tx, name_or_id: str) -> Preview:
    """Look, and write nothing. A release that is not permitted is drafted too, with its reasons. Raises NotFound."""
    row = registry.find(tx, name_or_id)
    folder = registry.folder_of(tx.ws, row)
    files: dict[str, str] = registry.lineage_of(row).body["files"]
    sizes = {name: (folder / name).stat().st_size for name in files if (folder / name).is_file()}
    subject = subject_of(tx, row)
    return Preview(subject, sizes, draft(subject))


def write_drafts(tx: Tx, name_or_id: str, out: Path) -> Preview:
    """The documents alone, for counsel, into the new folder `out`; permitted or not.

    Raises Conflict (release.exists; run.live where another process writes there), InputError.
    """
    with _alone_at(tx.ws, out):
        found = preview(tx, name_or_id)
        try:
            with beside(out) as folder:
                for name, data in found.documents.items():
                    write_atomic(folder / name, data)
                folder.rename(out)
        except OSError as error:
            raise _unwritable(out, error) from error
    return found


def release(
    ws: Workspace, name_or_id: str, out: Path, *, reviewed: Path | None = None, show: Progress = silent
) -> Released:
    """Write weights, lineage, documents and the signed release into the new folder `out`, and record it.

    reviewed: a folder with the documents as counsel left them, and the figures.json that they were drafted with; they
    are taken as they are where every figure still stands. Raises Refused (guard.refused with every reason;
    release.stale_documents), Conflict (release.exists; run.live where another process writes there), IntegrityFailure
    (model.changed), NotFound, InputError.
    """
    with _alone_at(ws, out), running(ws, KIND, {"model": name_or_id, "out": str(out)}, show) as run:
        with ws.read() as tx:
            row = registry.find(tx, name_or_id)
            _permit(tx, row)  # before anything is copied
        source = registry.check_files(ws, row)
        try:
            with beside(out) as folder:
                files = _copy(source, folder, registry.lineage_of(row).body["files"], run.progress)
                write_atomic(folder / lineage.FILE, str(row["lineage"]).encode())
                with ws.write() as tx:
                    done = _record(tx, row, folder, out, files, reviewed)
                folder.rename(out)
        except OSError as error:
            raise _unwritable(out, error) from error
        run.result.update(document=done.document, license=done.license)
    return done


@contextmanager
def _alone_at(ws: Workspace, out: Path) -> Generator[None]:
    """Hold a new folder's place: what lies half-done beside it is then nobody's."""
    with alone(ws, KIND, str(out.absolute())):
        refuse_taken(out)
        yield


def _permit(tx: Tx, row: Row) -> permissions.Permit:
    """The permit for the widest purpose that there is. Raises Refused with every reason against research."""
    found = permissions.permissions_of(tx, row)
    widest = (one for one in ("commercial", "research", "evaluate") if found.answer(RELEASE, one).ok)
    return permissions.require(tx, row, RELEASE, next(widest, "research"))


def _record(tx: WriteTx, row: Row, folder: Path, out: Path, files: dict[str, str], reviewed: Path | None) -> Released:
    permit = _permit(tx, row)
    subject = subject_of(tx, row)
    papers = Papers(draft(subject), subject.figures["checkpoints"].head, tx.now_ms)
    if reviewed is not None:
        papers = take(tx, papers, reviewed)
    sealed = str(row["lineage"]).encode()
    files = {**files, lineage.FILE: sha256_hex(sealed)}
    for name, data in papers.files.items():
        write_atomic(folder / name, data)
        files[name] = sha256_hex(data)
    assert subject.license is not None
    body = ModelRelease(
        checkpoint=subject.checkpoint,
        name=subject.name,
        weights_hash=subject.weights_hash,
        lineage=subject.lineage,
        lineage_digest=sha256_hex(sealed),
        purpose=permit.purpose,
        license=subject.license.id,
        territory=str(permit.territory),
        ends_ms=permit.ends_ms,
        under=tuple(Under(one.checkpoint, one.agreement, one.grant) for one in permit.under if one.agreement),
        files=files,
        figures=papers.head,
        read_ms=papers.read_ms,
    )
    document = new_id("doc")
    envelope = bundles.issue(tx, TYPE, "", body.to_json(), permit.agreement.ref, id=document)
    released.record(tx, row, document, body)
    write_atomic(folder / FILE, envelope)
    return Released(document, subject.checkpoint, subject.name, out, subject.license.id, len(files) + 1)


def _copy(source: Path, folder: Path, files: dict[str, str], show: Progress) -> dict[str, str]:
    """Copy the model's files, and hold the copies against the lineage. Raises IntegrityFailure (model.changed)."""
    for done, (name, expected) in enumerate(files.items()):
        show(done, len(files), "copying weights")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
        if sha256_file(target) != expected:
            raise IntegrityFailure(f"{name} changed while it was copied", code="model.changed", where=str(source))
    return dict(files)


def refuse_taken(out: Path) -> None:
    """Raise Conflict (release.exists) unless `out` is a new name."""
    if out.exists() or out.is_symlink():
        raise Conflict(f"{out} exists already", code="release.exists", remedy="Name a folder that does not exist.")


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(
        f"{out} cannot be written: {error.strerror or error}",
        code="input.unwritable",
        remedy="Name a folder on a disk with room, where you may write.",
    )
