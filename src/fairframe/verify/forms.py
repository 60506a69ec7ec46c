"""Reads the body of a document by its type, with the reader that its parties use; a new type is one line here."""

from collections.abc import Callable, Iterable
from pathlib import Path

from fairframe.core.agreement_body import AgreementBody
from fairframe.core.attestation_body import AttestationBody
from fairframe.core.breach_body import BreachBody
from fairframe.core.bundle import Bundle
from fairframe.core.canonical import Json
from fairframe.core.delivery_body import DeliveryBody, LeaseBody
from fairframe.core.feed_body import FeedBody
from fairframe.core.grant_body import GrantBody
from fairframe.core.model_release_body import ModelRelease
from fairframe.core.time import to_rfc3339
from fairframe.core.usage_report_body import UsageReport
from fairframe.verify.beside import beside, signed_lines
from fairframe.verify.decisions import appeal_outcome, claim_outcome, incident_outcome, ruling
from fairframe.verify.films import read_sidecar
from fairframe.verify.kind import Finding
from fairframe.verify.lineage import read_lineage


def check_form(bundle: Bundle, path: Path) -> list[Finding]:
    """What a body shows in itself and in the list beside it, besides being well-formed. `path`: the document's.

    Raises BadDocument, InputError or VerificationError where it is not. Statements and log proofs have a kind of
    their own.
    """
    if bundle.type in LISTS:
        return [_listed(LISTS[bundle.type](bundle.body), beside(path))]
    reader = READERS.get(bundle.type)
    return [] if reader is None else list(reader(bundle))


def _listed(body: FeedBody | AttestationBody, path: Path) -> Finding:
    with signed_lines(path, body.beside) as lines:
        count = sum(1 for _ in body.read(lines))
    text = f"{path.name} lists {count} items in {body.beside.lines} lines, all as signed"
    return Finding(True, "document.list", text)


def _body(read: Callable[..., object]) -> Callable[[Bundle], Iterable[Finding]]:
    """A reader of bodies that raises where one is malformed, and finds nothing else."""

    def reader(bundle: Bundle) -> Iterable[Finding]:
        read(bundle.body)
        return ()

    return reader


def _agreement(bundle: Bundle) -> Iterable[Finding]:
    AgreementBody.from_bundle(bundle)
    return ()


def _breach(bundle: Bundle) -> Iterable[Finding]:
    body = BreachBody.from_json(bundle.body)
    last, told = max(one.due_ms for one in body.items), max(one.issued_at_ms for one in body.feeds)
    over = last < bundle.issued_at_ms and told < bundle.issued_at_ms
    text = f"{len(body.items)} items were told by {len(body.feeds)} feeds, and due by {to_rfc3339(last)} at the latest"
    known = bundle.agreement is not None and bundle.agreement.id == body.family
    unseen = "whether the feeds reached the lab, and whether the items are still there, stands in no document here"
    if body.read is not None and all(one.entry <= body.read.entries for one in body.items):
        unseen = f"that the lab had read them, as the record says, stands in its attestation {body.read.attestation}"
    return (
        Finding(over, "breach.overdue", f"{text}{'' if over else ', which is not before it was signed'}"),
        Finding(known, "breach.family", f"signed under the family {body.family} that it names"),
        Finding(None, "breach.unseen", unseen),
    )


def _film(bundle: Bundle) -> Iterable[Finding]:
    unseen = Finding(None, "film.chain", "its film and the chain that it holds are checked with the film: name that")
    return (*read_sidecar(bundle).findings, unseen)


def _model_release(bundle: Bundle) -> Iterable[Finding]:
    ModelRelease.from_json(bundle.body)
    return (Finding(None, "release.folder", "the weights and documents that it signs are checked with their folder"),)


LISTS: dict[str, Callable[[Json], FeedBody | AttestationBody]] = {
    "attestation": AttestationBody.from_json,
    "feed": FeedBody.from_json,
}
"""Documents with a list beside them."""

READERS: dict[str, Callable[[Bundle], Iterable[Finding]]] = {
    "agreement": _agreement,
    "appeal_outcome": appeal_outcome,
    "breach": _breach,
    "claim_outcome": claim_outcome,
    "delivery": _body(DeliveryBody.from_json),
    "film": _film,
    "grant": _body(GrantBody.from_json),
    "incident_outcome": incident_outcome,
    "lease": _body(LeaseBody.from_json),
    "lineage": lambda bundle: read_lineage(bundle.body).findings,
    "model_release": _model_release,
    "ruling": ruling,
    "usage_report": _body(UsageReport.from_body),
}
