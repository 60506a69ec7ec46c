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
    same = trusted is not None and trusted.fingerprint == party.fingerprint
    text = f"the fingerprint {party.fingerprint} is {'' if same else 'not '}that of a trusted party"
    return [
        Finding(True, "party.self_signed", told),
        Finding(valid, "party.key_valid", _valid(valid)),
        Finding(same, "party.trusted", text),
    ]


def _valid(valid: bool) -> str:
    return f"{'a' if valid else 'no'} signing key of this document is valid today"


PARTY = Kind(
    name="party document",
    matches=lambda target: target.type == "party",
    check=check,
    cannot_show=("that the party is who it says: compare its fingerprint with it over another channel",),
)
