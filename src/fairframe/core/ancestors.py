"""What a lineage and a usage report say alike: the ancestors of a checkpoint, and how its usage was counted."""

from dataclasses import dataclass
from typing import Any, Literal

from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields

Method = Literal["measured", "attested", "declared"]
METHODS: tuple[Method, ...] = ("measured", "attested", "declared")
KINDS = ("checkpoint", "external", "house")
BASE = "base"
ROLES: dict[str, str] = {
    "base": "its weights were trained further",
    "adapter": "a low-rank adapter that was folded into it",
    "merge": "one of the models that it is a weighted mean of",
    "teacher": "it was trained to answer like it (distillation)",
    "encoder": "a frozen part of it",
    "captioner": "it wrote captions that it was trained on",
}
"""As what an ancestor takes part in a checkpoint. A document that names no role means a base."""
OF_WEIGHTS = frozenset({"base", "adapter", "merge", "encoder"})
"""The roles in which an ancestor's own weights are part of what was made."""
MOST = 1_000


@dataclass(frozen=True)
class AncestorRef:
    """What the checkpoint was made from, and as what. weight: its part of the checkpoint, num/den, as its lineage
    says; 0 where that cannot be told in frames."""

    kind: str
    name: str
    hash: str
    license: str
    data: str
    weight_num: int
    weight_den: int
    role: str = BASE

    def to_json(self) -> dict[str, Any]:
        """As documents hold it: a base as ever, without its role."""
        return {key: value for key, value in vars(self).items() if (key, value) != ("role", BASE)}

    @classmethod
    def from_json(cls, value: Any, where: str = "ancestor") -> "AncestorRef":
        """Raises BadDocument where a field is missing, unknown or out of range."""
        fields = Fields(value, where)
        ancestor = cls(
            kind=fields.text("kind", one_of=KINDS),
            name=fields.text("name", max_chars=200),
            hash=fields.text("hash", max_chars=200),
            license=fields.text("license", max_chars=200),
            data=fields.text("data", one_of=("disclosed", "undisclosed")),
            weight_num=fields.integer("weight_num"),
            weight_den=fields.integer("weight_den", least=1),
            role=fields.text("role", one_of=ROLES) if fields.has("role") else BASE,
        )
        fields.close()
        if ancestor.weight_num > ancestor.weight_den:
            raise BadDocument("An ancestor's weight exceeds 1", code="document.field", where=where)
        return ancestor


def read_ancestors(body: Fields) -> tuple[AncestorRef, ...]:
    """The field "ancestors" of a body. Raises BadDocument where one is malformed or weighs more than 1."""
    where = f"{body.where}.ancestors"
    return tuple(AncestorRef.from_json(value, where) for value in body.list("ancestors", max_items=MOST))
