"""`fairframe verify`: the standalone checks, and beside them what only a workspace or the media extra can look at."""

from pathlib import Path

import sqlalchemy as sa

from fairframe.core.finding import Finding
from fairframe.core.party import Party
from fairframe.generation.checks import check_film
from fairframe.platform import bundles
from fairframe.platform.audit_check import check_audit
from fairframe.platform.tables import party
from fairframe.platform.tx import Tx
from fairframe.platform.workspace import Workspace
from fairframe.verify.kind import Report
from fairframe.verify.trust import Trust

AUDIT_CANNOT_SHOW = (
    "that the owner did not show another tree to somebody else: compare heads that others hold (--against DOCUMENT)",
    "that what was recorded is true",
)


def pinned_parties(tx: Tx) -> list[Party]:
    """Everybody whom this workspace believes, itself included."""
    rows = tx.rows(sa.select(party.c.document).order_by(party.c.id))
    return [Party.from_envelope(row["document"].encode()) for row in rows]


def trust_of(ws: Workspace | None, given: list[Party]) -> Trust:
    """The parties pinned by the workspace, and those given beside them."""
    parties = {one.id: one for one in given}
    if ws is not None:
        with ws.read() as tx:
            parties = {one.id: one for one in pinned_parties(tx)} | parties
    return Trust.of(list(parties.values()))


def verify_audit(ws: Workspace, against: list[bytes]) -> Report:
    """Check the workspace's audit tree against itself and against documents that it signed, held by others.

    Raises VerificationError where a document of `against` is not one that this workspace signed.
    """
    with ws.read() as tx:
        held = [bundles.check(tx, data) for data in against]
        mine = [one for one in held if one.sender == ws.party_id]
        findings = check_audit(tx, mine)
    for one in held:
        if one.sender != ws.party_id:
            findings.append(
                Finding(False, "audit.foreign", f"{one.id} was signed by another party: it holds no head of ours")
            )
    return Report("audit", tuple(findings), AUDIT_CANNOT_SHOW)


def with_credentials(report: Report, path: Path, ws: Workspace | None) -> Report:
    """A film's report with what its content credentials say, against the parties that the workspace pinned."""
    if report.kind != "film" or ws is None:
        return report
    with ws.read() as tx:
        return Report(report.kind, (*report.findings, *check_film(tx, path)), report.cannot_show)
