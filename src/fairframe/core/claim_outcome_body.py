"""The body of the outcome of a claim, as a bundle carries it. Read strictly."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.fields import Fields
from fairframe.core.limits import REASON_MAX_CHARS
from fairframe.core.time import to_rfc3339

OUTCOMES = ("upheld", "dismissed")
STATEMENT = (
    "The library states how it settled a contributor's claim that a film copies their clip. Frames that look alike are"
    " a reason to look, not a proof of copying; this is a person's judgment, and no court's."
)


@dataclass(frozen=True)
class ClaimOutcome:
    """What a person of the library decided on a claim. asset: "" where the contributor named none."""

    claim: str
    contributor: str
    asset: str
    film_hash: str
    outcome: str
    reason: str
    decided_at_ms: int

    def to_json(self) -> dict[str, Any]:
        return {
            "claim": self.claim,
            "contributor": self.contributor,
            "asset": self.asset or None,
            "film_hash": self.film_hash,
            "outcome": self.outcome,
            "reason": self.reason,
            "decided_at": to_rfc3339(self.decided_at_ms),
            "statement": STATEMENT,
        }

    @classmethod
    def from_json(cls, value: Json) -> "ClaimOutcome":
        """Raises BadDocument."""
        fields = Fields(value, "claim_outcome.body")
        body = cls(
            claim=fields.id("claim", "clm"),
            contributor=fields.id("contributor", "ctr"),
            asset="" if fields.value("asset") is None else fields.id("asset", "ast"),
            film_hash=fields.hex("film_hash"),
            outcome=fields.text("outcome", one_of=OUTCOMES),
            reason=fields.text("reason", max_chars=REASON_MAX_CHARS),
            decided_at_ms=fields.time_ms("decided_at"),
        )
        fields.text("statement", one_of=[STATEMENT])
        fields.close()
        return body
