"""Checks a party document: its self-signature, and whether it is one of the trusted ones."""

from fairframe.core.errors import BadDocument, VerificationError
from fairframe.core.party import Party
from fairframe.verify.kind import Finding, Kind, Target
from fairframe.verify.trust import Trust


def check(target: Target, trust: Trust, now_ms: int) -> list[Finding]:
    """The findings on a file that should hold a party document."""
    try:
        party = Party.from_envelope(target.data or b"")
    except (VerificationError, BadDocument) as error:
        return [Finding(False, error.code, str(error))]
    findings = [
        Finding(True, "party.self_signed", f"{party.name} ({party.role}) {party.id} signed its own document"),
        Finding(bool(party.keys_at(now_ms)), "party.key_valid", "a signing key of this document is valid today"),
    ]
    if trust.parties:
        trusted = trust.parties.get(party.id)
        same = trusted is not None and trusted.fingerprint == party.fingerprint
        text = f"the fingerprint {party.fingerprint} is {'' if same else 'not '}that of a trusted party"
        findings.append(Finding(same, "party.trusted", text))
    return findings


PARTY = Kind(
    name="party document",
    matches=lambda target: target.type == "party",
    check=check,
    cannot_show=("that the party is who it says: compare its fingerprint with it over another channel",),
)
