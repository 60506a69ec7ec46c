"""`fairframe verify`: the standalone checks, and beside them what only a workspace or the media extra can look at."""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from fairframe.core.bundle import read_payload
from fairframe.core.dsse import MAX_ENVELOPE_BYTES, read_envelope
from fairframe.core.finding import Finding
from fairframe.core.log_proof_body import LogProof
from fairframe.core.party import Party
from fairframe.curation import tables as curation
from fairframe.dataset import tables as dataset
from fairframe.generation import tables as generation
from fairframe.generation.checks import check_credentials, check_film
from fairframe.library import tables as library
from fairframe.platform import bundles, log_proofs, trust
from fairframe.platform import tables as platform
from fairframe.platform.audit_check import check_audit
from fairframe.platform.audit_rows import stands_for
from fairframe.platform.audit_rows_check import check_rows
from fairframe.platform.log_proofs import check_peers
from fairframe.platform.settings import Settings
from fairframe.platform.workspace import Workspace
from fairframe.rights import tables as rights
from fairframe.royalties import tables as royalties
from fairframe.training import tables as training
from fairframe.verify.files import read_limited
from fairframe.verify.films import C2PA_UNSEEN
from fairframe.verify.kind import Report
from fairframe.verify.log_proofs import LOG_PROOF
from fairframe.verify.trust import Trust

STAGES = (platform, library, rights, curation, dataset, training, generation, royalties)

AUDIT_CANNOT_SHOW = (
    "that the owner did not show another tree to somebody else: compare heads that others hold (--against DOCUMENT)",
    "that what was recorded is true",
    "what may change: the progress of runs, and personal data that was erased from the entries",
)


def trust_of(ws: Workspace | None, given: list[Party]) -> Trust:
    """The parties that the workspace believes, and those given beside them."""
    parties = {one.id: one for one in given}
    if ws is not None:
        with ws.read() as tx:
            parties = {one.id: one for one in trust.believed(tx)} | parties
    return Trust.of(list(parties.values()), "" if ws is None else ws.party_id)


def verify_audit(ws: Workspace, against: list[bytes]) -> Report:
    """Check the audit tree against itself and against documents that we signed, held by others; the tables against it.

    Raises VerificationError where a document of `against` is not one that this workspace signed.
    """
    with ws.read() as tx:
        held = [bundles.check(tx, data) for data in against]
        mine = [one for one in held if one.sender == ws.party_id]
        known = [one for stage in STAGES for one in vars(stage).values() if isinstance(one, sa.Table)]
        tables = [one for one in known if stands_for(one)]
        findings = [*check_audit(tx, mine), *check_rows(tx, tables), *check_peers(tx)]
    for one in held:
        if one.sender != ws.party_id:
            findings.append(
                Finding(False, "audit.foreign", f"{one.id} was signed by another party: it holds no head of ours")
            )
    return Report("audit", tuple(findings), AUDIT_CANNOT_SHOW)


def with_credentials(report: Report, path: Path, ws: Workspace | None, given: Sequence[Party] = ()) -> Report:
    """A film's report with what its content credentials say, against the pinned and the given parties."""
    if report.kind != "film":
        return report
    found = check_credentials(Settings(), path, given) if ws is None else check_film(ws, path, given)
    cannot_show = tuple(text for text in report.cannot_show if text != C2PA_UNSEEN)
    return Report(report.kind, (*report.findings, *found), cannot_show)


def with_held_heads(report: Report, path: Path, ws: Workspace) -> Report:
    """A log proof's report, and whether the heads of its sender that the workspace holds are of the same history."""
    if report.kind != LOG_PROOF.name or not report.holds:
        return report
    bundle = read_payload(read_envelope(read_limited(path, MAX_ENVELOPE_BYTES)).payload)
    with ws.read() as tx:
        found = log_proofs.compare(tx, bundle, LogProof.from_json(bundle.body))
    return Report(report.kind, (*report.findings, *found), report.cannot_show)
