"""The agreement as a value: what both parties signed, and what time and events made of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fairframe.core.bundle import AgreementRef
from fairframe.core.money import Money
from fairframe.core.rational import Share
from fairframe.rights.exclusivity import Scope
from fairframe.rights.offers import Terms

State = Literal["offered", "lapsed", "pending", "active", "amended", "expired", "withdrawn", "terminated"]


@dataclass(frozen=True)
class Happened:
    """One event of an agreement: offered, countersigned, active, withdrawn or terminated."""

    kind: str
    valid_from_ms: int
    reason: str


@dataclass(frozen=True)
class Agreement:
    """An offer under which a library and a lab signed. It never changes; `happened` only grows.

    `id` is the row's BIGINT key in this workspace. `family` is the public id of the first agreement in its chain of
    upgrades. `version` above 1: it amends `upgrade_of`, which had the version before; `amended_ms`: since when a newer
    version of this one is in force. `offered` is the envelope as the library signed it, `signed` the one with both
    signatures (None before).
    """

    id: int
    public_id: str
    version: int
    family: str
    offer: str
    offer_version: int
    terms: Terms
    library: str
    lab: str
    fee: Money
    upgrade_of: str | None
    starts_ms: int
    ends_ms: int
    open_until_ms: int
    offered: bytes
    signed: bytes | None
    happened: tuple[Happened, ...]
    amended_ms: int | None = None

    @property
    def purpose(self) -> str:
        return self.terms.purpose

    @property
    def share(self) -> Share:
        """The contributors' part of the base."""
        return self.terms.contributors_share()

    def scope(self) -> Scope:
        """What exclusivity asks about it."""
        return Scope(self.public_id, self.lab, self.terms, self.starts_ms, self.ends_ms)

    @property
    def ref(self) -> AgreementRef:
        return AgreementRef(self.public_id, self.version)

    def state(self, now_ms: int) -> State:
        """Where the agreement stands at a time; expiry is decided by time, not by a job.

        offered (may be signed), lapsed (nobody signed in time), withdrawn, pending (signed, not yet begun), active,
        amended (a newer version took its place), expired, terminated.
        """
        kinds = {event.kind for event in self.happened if event.valid_from_ms <= now_ms}
        if "terminated" in kinds:
            return "terminated"
        if "active" not in kinds:
            if "withdrawn" in kinds:
                return "withdrawn"
            return "offered" if now_ms < self.open_until_ms else "lapsed"
        if self.amended_ms is not None and self.amended_ms <= now_ms:
            return "amended"
        if now_ms < self.starts_ms:
            return "pending"
        return "active" if now_ms < self.ends_ms else "expired"

    def active(self, now_ms: int) -> bool:
        return self.state(now_ms) == "active"

    def ended_ms(self, now_ms: int) -> int | None:
        """When it ended, by term or by termination; None if it has not ended (or never began)."""
        state = self.state(now_ms)
        if state == "terminated":
            return min(e.valid_from_ms for e in self.happened if e.kind == "terminated")
        return self.ends_ms if state == "expired" else None


def governs(agreements: Iterable[Agreement], now_ms: int) -> Agreement | None:
    """Of one family, the agreement that holds now: the newest active one (an upgrade replaces what it upgrades)."""
    return max((a for a in agreements if a.active(now_ms)), key=lambda a: (a.starts_ms, a.id), default=None)


def ended_ms(agreements: Iterable[Agreement], now_ms: int) -> int | None:
    """When the last agreement of one family ended; None while one is in force or yet to begin, or if none ever was."""
    family = list(agreements)
    if any(one.state(now_ms) in ("pending", "active") for one in family):
        return None
    return max((ms for one in family if (ms := one.ended_ms(now_ms)) is not None), default=None)
