"""The parties whose signatures count: party documents that a person chose to trust."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fairframe.core.errors import FairframeError, InputError
from fairframe.core.party import MAX_BYTES, Party, PartyKey
from fairframe.verify.files import read_limited


@dataclass(frozen=True)
class Trust:
    """Trusted parties by id, and all their keys by keyid whenever those are valid.

    own: the party in whose workspace is verified, "" outside of any.
    """

    parties: dict[str, Party]
    keys: dict[str, Ed25519PublicKey]
    own: str = ""

    @classmethod
    def of(cls, parties: Sequence[Party], own: str = "") -> "Trust":
        """InputError when two parties share an id or a key: a signature would then name no one."""
        by_id = {party.id: party for party in parties}
        keys = {key.keyid: key.public for party in parties for key in party.keys}
        if len(by_id) != len(parties) or len(keys) != sum(len(party.keys) for party in parties):
            raise InputError(
                "Two trusted party documents share an id or a key",
                code="input.bad_trust",
                remedy="Give each party once",
            )
        return cls(by_id, keys, own)

    @classmethod
    def load(cls, paths: Iterable[Path]) -> "Trust":
        """Read party documents; InputError names the file that is none."""
        parties: list[Party] = []
        for path in paths:
            try:
                parties.append(Party.from_envelope(read_limited(path, MAX_BYTES)))
            except FairframeError as error:
                raise InputError(
                    f"{error.message.rstrip('.')}: it cannot be trusted",
                    code="input.bad_trust",
                    where=str(path),
                    remedy="Give a party.json that its party made",
                ) from error
        return cls.of(parties)

    def signed_by(self, party_id: str, keyids: Iterable[str], start_ms: int, end_ms: int) -> list[PartyKey]:
        """The keys of a party, of those given, with which it could sign at some moment from start to end."""
        party = self.parties.get(party_id)
        valid = party.keys_within(start_ms, end_ms) if party else {}
        wanted = set(keyids) & set(valid)
        return [key for key in party.keys if key.keyid in wanted] if party else []

    def name(self, party_id: str) -> str:
        party = self.parties.get(party_id)
        return f"{party.name} ({party.role})" if party else party_id or "anyone"
