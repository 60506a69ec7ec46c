"""The body of a grant, as a bundle carries it: read strictly, by the lab and by any verifier."""

from dataclasses import dataclass
from typing import Any

from fairframe.core.canonical import Json
from fairframe.core.fields import Fields


@dataclass(frozen=True)
class GrantBody:
    """checkpoint: ckp_ id in the lab. agreement: agr_ id that now covers it; family: of both agreements."""

    checkpoint: str
    weights_hash: str
    agreement: str
    family: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, value: Json) -> "GrantBody":
        """Raises BadDocument where a field is missing, unknown or mistyped."""
        fields = Fields(value, "grant.body")
        body = cls(
            checkpoint=fields.id("checkpoint", "ckp"),
            weights_hash=fields.hex("weights_hash"),
            agreement=fields.id("agreement", "agr"),
            family=fields.id("family", "agr"),
        )
        fields.close()
        return body
