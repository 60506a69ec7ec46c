"""What a lineage and a usage report say alike: the ancestors of a checkpoint, and how its usage was counted."""

from dataclasses import dataclass
from typing import Any, Literal

from fairframe.core.errors import BadDocument
from fairframe.core.fields import Fields

Method = Literal["measured", "attested", "declared"]
METHODS: tuple[Method, ...] = ("measured", "attested", "declared")
KINDS = ("checkpoint", "external", "house")
MOST = 1_000


@dataclass(frozen=True)
class AncestorRef:
    """What the checkpoint started from. weight: its part of the checkpoint, num/den, as its lineage says."""

    kind: str
    name: str
    hash: str
    license: str
    data: str
    weight_num: int
    weight_den: int


def read_ancestors(body: Fields) -> tuple[AncestorRef, ...]:
    """The field "ancestors" of a body. Raises BadDocument where one is malformed or weighs more than 1."""
    return tuple(_ancestor(value, f"{body.where}.ancestors") for value in body.list("ancestors", max_items=MOST))


def _ancestor(value: Any, where: str) -> AncestorRef:
    fields = Fields(value, where)
    ancestor = AncestorRef(
        kind=fields.text("kind", one_of=KINDS),
        name=fields.text("name", max_chars=200),
        hash=fields.text("hash", max_chars=200),
        license=fields.text("license", max_chars=200),
        data=fields.text("data", one_of=("disclosed", "undisclosed")),
        weight_num=fields.integer("weight_num"),
        weight_den=fields.integer("weight_den", least=1),
    )
    fields.close()
    if ancestor.weight_num > ancestor.weight_den:
        raise BadDocument("An ancestor's weight exceeds 1", code="document.field", where=where)
    return ancestor
