"""The body of the outcome of an appeal against a hold, as a bundle carries it. Read strictly."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.fields import Fields
from fairframe.core.limits import REASON_MAX_CHARS

OUTCOMES = ("lifted", "kept")


@dataclass(frozen=True)
class AppealOutcome:
    """What a person of the library decided on a contributor's appeal."""

    appeal: str
    hold: str
    asset: str
    contributor: str
    outcome: str
    reason: str
    decided_at_ms: int

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "AppealOutcome":
        """Raises BadDocument."""
        fields = Fields(value, "appeal_outcome.body")
        body = cls(
            appeal=fields.id("appeal", "apl"),
            hold=fields.id("hold", "hld"),
            asset=fields.id("asset", "ast"),
            contributor=fields.id("contributor", "ctr"),
            outcome=fields.text("outcome", one_of=OUTCOMES),
            reason=fields.text("reason", max_chars=REASON_MAX_CHARS),
            decided_at_ms=fields.ms("decided_at_ms"),
        )
        fields.close()
        return body
