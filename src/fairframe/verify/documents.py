"""Checks any sealed bundle: its signatures, who signed, when, and in which role.

The lineage, lease, feed, usage report, attestation and statement are such documents; an agreement needs both
parties' signatures. A feed and an attestation come with a list, which lies beside them.
"""

from pathlib import Path

from fairframe.core import dsse
from fairframe.core.bundle import PAYLOAD_TYPE, Bundle, read_payload, signable_until_ms
from fairframe.core.errors import BadDocument, InputError, VerificationError
from fairframe.core.time import DAY_MS, to_rfc3339
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.trust import Trust

ISSUER = {
    "agreement": "library",
    "delivery": "library",
    "lease": "library",
    "feed": "library",
    "grant": "library",
    "statement": "library",
    "ruling": "library",
    "appeal_outcome": "library",
    "claim_outcome": "library",
    "incident_outcome": "library",
    "breach": "library",
    "usage_report": "lab",
    "attestation": "lab",
    "lineage": "lab",
    "film": "lab",
    "model_release": "lab",
    "log_proof": "",
}
"""Which side signs what; "" where both do."""


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a file that should hold one sealed bundle."""
    bundle, findings = open_checked(target.data or b"", trust, now_ms)
    if bundle is None or any(finding.ok is False for finding in findings):
        return findings
    return [*findings, *_form(bundle, target.path), *addressed(bundle, trust)]


def _form(bundle: Bundle, path: Path) -> list[Finding]:
    """A body has to be of its type's form: a signature under something else says nothing that anyone could use."""
    from fairframe.verify.forms import check_form  # it reads films too, whose chains are opened with this module

    try:
        return [Finding(True, "document.body", "its body is well-formed"), *check_form(bundle, path)]
    except (BadDocument, InputError, VerificationError) as error:
        return [Finding(False, error.code, str(error))]


def addressed(bundle: Bundle, trust: Trust) -> list[Finding]:
    """Whom a document is for. Inside a workspace that has to be its party, unless the party sent it itself."""
    to, code = bundle.recipient, "document.recipient"
    if not to:
        return []
    text = f"addressed to {trust.name(to)}"
    if trust.own and trust.own not in (bundle.sender, to):
        return [Finding(False, code, f"{text}, not to {trust.name(trust.own)}: this workspace does not take it")]
    if to not in trust.parties:
        return [Finding(None, code, f"{text}, which is not among the trusted parties: see that this is you")]
    return [Finding(True, code, text)]


def open_checked(data: bytes, trust: Trust, now_ms: int, where: str = "") -> tuple[Bundle | None, list[Finding]]:
    """The bundle, when its form and signatures hold, and the findings on it. `where` is put before each text."""
    prefix = f"{where}: " if where else ""
    try:
        opened = dsse.open_envelope(data, trust.keys, payload_type=PAYLOAD_TYPE)
        bundle = read_payload(opened.payload)
    except (VerificationError, BadDocument) as error:
        return None, [Finding(False, error.code, prefix + str(error))]
    unchecked = len(dsse.read_envelope(data).signatures) - len(opened.keyids)
    findings = [
        Finding(True, "document.form", f"{bundle.type} {bundle.id}, number {bundle.seq}"),
        *_signatures(bundle, opened.keyids, unchecked, trust),
        _issuer(bundle, trust),
        _time(bundle, now_ms),
    ]
    return bundle, [Finding(finding.ok, finding.code, prefix + finding.text) for finding in findings]


def _signatures(bundle: Bundle, keyids: tuple[str, ...], unchecked: int, trust: Trust) -> list[Finding]:
    needed = [bundle.sender, bundle.recipient] if bundle.type == "agreement" else [bundle.sender]
    findings = [finding for party_id in needed for finding in _signed(bundle, party_id, keyids, trust)]
    if unchecked:
        text = f"{unchecked} more signature(s) by keys that are not among the trusted ones"
        findings.append(Finding(False, "document.unchecked_signature", text))
    return findings


def _signed(bundle: Bundle, party_id: str, keyids: tuple[str, ...], trust: Trust) -> list[Finding]:
    """Whether a party signed, and where it did not, or its key was revoked later on, which key that is."""
    name, when, party = trust.name(party_id), to_rfc3339(bundle.issued_at_ms), trust.parties.get(party_id)
    if party is None:
        text = f"a signature of {name} is needed, but this party is not among the trusted ones"
        return [Finding(False, "document.signature", text)]
    until = bundle.issued_at_ms if party_id == bundle.sender else signable_until_ms(bundle)
    valid = trust.signed_by(party_id, keyids, bundle.issued_at_ms, until)
    text = f"{'' if valid else 'not '}signed by {name} with a key that was valid on {when}"
    found = [Finding(bool(valid), "document.signature", text)]
    fault = party.key_fault(keyids, bundle.issued_at_ms)
    if fault and not valid:
        found.append(Finding(False, f"document.{fault[0]}", fault[1]))
    if valid and all(key.revoked_ms is not None for key in valid):
        revoked = to_rfc3339(valid[0].revoked_ms or 0)
        text = f"its key {valid[0].keyid[:16]} was revoked from {revoked} on: whoever stole it could have dated it back"
        found.append(Finding(None, "document.key_revoked_later", text))
    return found


def _issuer(bundle: Bundle, trust: Trust) -> Finding:
    role = ISSUER.get(bundle.type)
    sender = trust.parties.get(bundle.sender)
    if role is None:
        return Finding(False, "document.issuer", f"{bundle.type!r} is no type that this verifier knows")
    ok = sender is not None and role in (sender.role, "")
    text = f"issued by {trust.name(bundle.sender)}; this type comes from {f'a {role}' if role else 'either side'}"
    return Finding(ok, "document.issuer", text)


def _time(bundle: Bundle, now_ms: int) -> Finding:
    issued = to_rfc3339(bundle.issued_at_ms)
    if bundle.issued_at_ms > now_ms + DAY_MS:
        return Finding(False, "document.time", f"issued on {issued}, which is more than a day ahead")
    return Finding(True, "document.time", f"issued on {issued}, by its sender's clock")


DOCUMENT = Kind(
    name="document",
    matches=lambda target: not target.is_folder,
    check=check,
    cannot_show=(
        "that what the document says is true: only who signed it and that nobody changed it since",
        "that no newer document replaces it",
        "that no key was revoked since the trusted party documents were made",
    ),
)
