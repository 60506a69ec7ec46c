"""Curation: measure what is new, decide its shots, and group what looks alike over everything there is.

Each asset is one short transaction after its object is stored, so a run that died is resumed by running it again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fairframe.core.errors import Conflict, FairframeError
from fairframe.core.timecode import Rate
from fairframe.curation import grouping, recorded
from fairframe.curation.measuring import Measured, Unmeasured, measure_all
from fairframe.curation.shots import decide
from fairframe.curation.stored import from_parquet
from fairframe.platform import runs
from fairframe.platform.runs import Progress, Run
from fairframe.platform.tx import Row
from fairframe.platform.workspace import Workspace

KIND = "curate"


@dataclass(frozen=True)
class Finding:
    """An asset that could not be curated: its id, its file's name, a stable code and one clear line."""

    asset: str
    filename: str
    code: str
    message: str


@dataclass
class CurateReport:
    """What a run did. `measured` assets were decoded, `redecided` ones not; `groups` counts all there are now."""

    run: str = ""
    measured: int = 0
    redecided: int = 0
    shots: int = 0
    groups: int = 0
    grouped: int = 0
    """Shots in those groups."""
    refused: list[Finding] = field(default_factory=list[Finding])


def curate(ws: Workspace, show: Progress = runs.silent) -> CurateReport:
    """Curate all that lacks measures or shots of this version. A broken file is a finding; the rest goes on.

    Shots of a new version are decided from stored measures without decoding. Raises Conflict (no library) and
    MissingExtra.
    """
    if ws.role != "library":
        raise Conflict("only a library curates footage", remedy="Use a workspace made with --role library")
    with runs.running(ws, KIND, {}, show) as run:
        report = CurateReport(run=run.public_id)
        with ws.read() as tx:
            undecided, unmeasured = recorded.undecided(tx), recorded.unmeasured(tx)
        total = len(undecided) + len(unmeasured)
        for done, found in enumerate(_found(ws, undecided, unmeasured)):
            _keep(ws, report, found)
            run.progress(done + 1, total, found.source["filename"])
        _group(ws, run, report)
        run.result |= {
            "measured": report.measured,
            "redecided": report.redecided,
            "shots": report.shots,
            "groups": report.groups,
            "refused": [[one.asset, one.code] for one in report.refused[:1000]],
        }
    return report


def _found(ws: Workspace, undecided: Sequence[int], unmeasured: Sequence[int]) -> Iterator[Measured | Unmeasured]:
    for source in _sources(ws, undecided):
        yield _redecide(ws, source)
    yield from measure_all(ws, _sources(ws, unmeasured))


def _sources(ws: Workspace, ids: Sequence[int]) -> Iterator[Row]:
    for asset_id in ids:
        with ws.read() as tx:
            row = recorded.asset_row(tx, asset_id)
        yield row


def _redecide(ws: Workspace, source: Row) -> Measured | Unmeasured:
    try:
        measures = from_parquet(ws.objects.read(source["measures"]))
        shots = decide(measures, Rate(source["fps_num"], source["fps_den"]))
    except FairframeError as error:
        return Unmeasured(source, error)
    return Measured(source, source["measures"], len(measures.frames), shots)


def _keep(ws: Workspace, report: CurateReport, found: Measured | Unmeasured) -> None:
    source = found.source
    if isinstance(found, Unmeasured):
        # the stored object's path tells a person nothing; the file's name does
        shown = FairframeError(found.error.message, where=source["filename"], remedy=found.error.remedy)
        report.refused.append(Finding(source["public_id"], source["filename"], found.error.code, str(shown)))
        return
    with ws.write() as tx:
        report.shots += recorded.record(tx, source, found.key, found.frames, found.shots)
    if source["measures"] is None:
        report.measured += 1
    else:
        report.redecided += 1


def _group(ws: Workspace, run: Run, report: CurateReport) -> None:
    run.progress(0, 1, "near-duplicates")
    with ws.read() as tx:
        found = grouping.groups(tx)
    with ws.write() as tx:
        grouping.append(tx, run, found)
    report.groups = len(found)
    report.grouped = sum(len(group.members) for group in found)
    run.progress(1, 1, "near-duplicates")
