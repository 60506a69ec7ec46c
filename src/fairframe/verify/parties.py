"""Checks a party document: its self-signature, and whether it is one of the trusted ones."""

from fairframe.core import dsse, succession
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
    told = f"{party.name} ({party.role}) {party.id} signed its own document"
    valid = bool(party.keys_at(now_ms))
    if not trust.parties:
        # a document that vouches for itself shows nothing about who made it
        return [
            Finding(None, "party.self_signed", f"{told}, which whoever made it could do"),
            Finding(None if valid else False, "party.key_valid", _valid(valid)),
            Finding(None, "party.trusted", f"no party is trusted here: compare {party.fingerprint} with the party"),
        ]
    trusted = trust.parties.get(party.id)
    if trusted is not None and trusted.fingerprint != party.fingerprint:
        return [
            Finding(True, "party.self_signed", told),
            Finding(valid, "party.key_valid", _valid(valid)),
            _follows(target.data or b"", trusted, party, now_ms),
        ]
    same = trusted is not None
    text = f"the fingerprint {party.fingerprint} is {'' if same else 'not '}that of a trusted party"
    return [
        Finding(True, "party.self_signed", told),
        Finding(valid, "party.key_valid", _valid(valid)),
        Finding(same, "party.trusted", text),
    ]


def _follows(data: bytes, trusted: Party, party: Party, now_ms: int) -> Finding:
    """Whether a key of the trusted document vouches for this one."""
    opened = dsse.open_envelope(data, party.keys_at(party.created_at_ms))
    why = succession.objection(trusted, party, opened.keyids, now_ms)
    told = f"number {party.version} of {party.name}'s documents, fingerprint {party.fingerprint}"
    if why:
        return Finding(False, "party.trusted", f"{told}, does not follow from the trusted one: {why}")
    return Finding(True, "party.trusted", f"{told}, follows from the trusted number {trusted.version}: its key vouches")


def _valid(valid: bool) -> str:
    return f"{'a' if valid else 'no'} signing key of this document is valid today"


PARTY = Kind(
    name="party document",
    matches=lambda target: target.type == "party",
    check=check,
    cannot_show=("that the party is who it says: compare its fingerprint with it over another channel",),
)
