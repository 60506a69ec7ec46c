"""The body of a person's ruling, as a bundle carries it: on a finding, or on whether people are to be seen.

Read strictly.
"""

import re
from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields
from fairframe.core.limits import REASON_MAX_CHARS

RULABLE = frozenset(
    {
        "editorial_unknown",
        "people_unknown",
        "model_release_missing",
        "model_release_minor",
        "property_unknown",
        "signal_unclear",
        "signal_untrusted",
        "signal_unreadable",
    }
)
"""The findings that a person's ruling can allow: a person can look, or ask, and know better. Not signal_tampered, or
an edit would launder a trusted no; not what a paper's own words lack, nor that somebody took one back. See
docs/review.md."""
MAX_DAYS = 1_096
"""The longest that an allow holds: three years, then somebody looks again."""
MAX_ASSETS = 10_000
"""Assets in one act; its document names each."""
PEOPLE = "people"
"""What a ruling names in place of a finding, where it says whether people are to be seen."""
EXPIRES = frozenset({"allow", "none"})
"""Decisions that open something, and so hold for a time only."""
_CODE = re.compile(r"[a-z][a-z_]{0,59}")


@dataclass(frozen=True)
class RulingBody:
    """What a person of the library decided. assets: (asset, ruling), the latter "" where it is about people.

    decision: allow or deny of a finding; of people: seen or none. expires_ms: None until a later ruling.
    """

    finding: str
    decision: str
    reason: str
    valid_from_ms: int
    expires_ms: int | None
    assets: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        named = [{"asset": one, "ruling": ruling} if ruling else {"asset": one} for one, ruling in self.assets]
        return {**vars(self), "assets": named}

    @classmethod
    def from_json(cls, value: Json) -> "RulingBody":
        """Raises BadDocument."""
        fields = Fields(value, "ruling.body")
        finding = fields.text("finding", max_chars=60)
        if not _CODE.fullmatch(finding):
            raise BadDocument("Field 'finding' is no code", code="document.field", where=fields.where)
        about_people = finding == PEOPLE
        body = cls(
            finding=finding,
            decision=fields.text("decision", one_of=("seen", "none") if about_people else ("allow", "deny")),
            reason=fields.text("reason", max_chars=REASON_MAX_CHARS),
            valid_from_ms=fields.ms("valid_from_ms"),
            expires_ms=None if fields.value("expires_ms") is None else fields.ms("expires_ms"),
            assets=tuple(_asset(one, about_people) for one in fields.list("assets", max_items=MAX_ASSETS)),
        )
        fields.close()
        names = [one for one, _ in body.assets]
        if not names or len(set(names)) != len(names):
            raise BadDocument("Field 'assets' is empty or names one twice", code="document.field", where=fields.where)
        return body


def _asset(value: Json, about_people: bool) -> tuple[str, str]:
    fields = Fields(value, "ruling.body.assets")
    named = fields.id("asset", "ast"), "" if about_people else fields.id("ruling", "rul")
    fields.close()
    return named
