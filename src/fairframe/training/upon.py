"""What a training draws on beside its delivery: a checkpoint that it goes on from, and models that had a part in it.

| role               | an own checkpoint is asked for |
|--------------------|--------------------------------|
| base, adapter      | fine_tune                      |
| encoder            | fine_tune: it becomes a part   |
| teacher, captioner | distill: its answers are learned |

A model from elsewhere has to be declared (externals.py); for commercial training its license has to permit commercial
use. What a declared model did is the lab's word: this trainer itself only goes on from a base.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fairframe.core.ancestors import BASE, AncestorRef
from fairframe.core.errors import InputError, NotFound
from fairframe.platform.tx import Row, Tx
from fairframe.training import ancestry, externals, permissions, registry
from fairframe.training.permission_rule import Use

ASKED: dict[str, Use] = {
    "base": "fine_tune",
    "adapter": "fine_tune",
    "encoder": "fine_tune",
    "teacher": "distill",
    "captioner": "distill",
}
"""A role that a training can name, and what is asked of an own checkpoint in it."""
MOST = 50


@dataclass(frozen=True)
class Upon:
    """What is drawn on, each with its role. purpose: what the training is for; tenant: an agreement of whom it is
    for, or None."""

    purpose: str
    tenant: str | None = None
    own: tuple[tuple[str, Row], ...] = ()
    external: tuple[tuple[str, Row], ...] = ()

    @property
    def base(self) -> Row | None:
        """The own checkpoint that the training goes on from."""
        return next((row for role, row in self.own if role == BASE), None)

    def recipe(self) -> dict[str, object]:
        """What of it belongs into the recipe: nothing where nothing is drawn on."""
        base = self.base
        others = [[role, row["public_id"]] for role, row in self.own if role != BASE]
        others += [[role, row["hash"]] for role, row in self.external]
        found: dict[str, object] = {} if base is None else {"from": base["public_id"]}
        return found | ({"ancestors": others} if others else {})


def find(
    tx: Tx, base: str | None, declared: Sequence[tuple[str, str]], purpose: str, tenant: str | None = None
) -> Upon:
    """What a training names, found here. declared: pairs of a role and the name of a model, own or from elsewhere.

    Raises NotFound, InputError (input.role).
    """
    own: list[tuple[str, Row]] = [] if base is None else [(BASE, registry.find(tx, base))]
    external: list[tuple[str, Row]] = []
    for role, name in declared:
        if role not in ASKED or role == BASE or len(declared) > MOST:
            known = ", ".join(one for one in ASKED if one != BASE)
            what = f"{role[:40]!r} is no role of a model that had a part in a training"
            raise InputError(what, code="input.role", remedy=f"Say ROLE=MODEL with one of: {known}")
        try:
            own.append((role, registry.find(tx, name)))
        except NotFound:
            external.append((role, externals.find(tx, name)))
    return Upon(purpose, tenant, tuple(own), tuple(external))


def permit(tx: Tx, upon: Upon) -> None:
    """Raise Refused (guard.refused) where one of them may not be used so."""
    for role, row in upon.own:
        permissions.require(tx, row, ASKED[role], upon.purpose, tenant=upon.tenant)
    for role, row in upon.external:
        permissions.require_external(tx, row, role, ASKED[role], upon.purpose)


def ancestors(tx: Tx, upon: Upon, own_frames: int) -> list[AncestorRef]:
    """Them as ancestors of a training that consumed `own_frames`. Only a base has a weight in frames."""
    found: list[AncestorRef] = []
    for role, row in upon.own:
        if role == BASE:
            found.append(ancestry.upon(tx, row, own_frames))
        else:
            found.append(ancestry.as_ancestor(row, role, Fraction(0)))
    return found + [externals.ancestor(row, role) for role, row in upon.external]
