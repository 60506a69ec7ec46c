"""What the documents of a release are written from: one checkpoint, its permissions and its figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairframe.flows.disclosures import reading
from fairframe.flows.disclosures.conditions import Choice, Conditions, License, Passed, choices
from fairframe.flows.disclosures.figure import Figure
from fairframe.platform import identity
from fairframe.platform.tx import Row, Tx
from fairframe.training import externals, registry
from fairframe.training.permission_rule import PURPOSES, Right
from fairframe.training.permissions import Permissions, permissions_of

RELEASE = "release_weights"
HOUSE_SOURCE = "https://www.apache.org/licenses/LICENSE-2.0"


@dataclass(frozen=True)
class Bound:
    """What an agreement that covers the release asks, of which the license repeats the strictest."""

    checkpoint: str
    agreement: str
    purpose: str
    territory: str
    ends_ms: int
    commercial_output: bool
    remedy: str


@dataclass(frozen=True)
class Subject:
    """One checkpoint as its documents see it. purpose: the widest that its release is permitted for, or None, and
    then `reasons` say why, for research. provider: the lab's name."""

    checkpoint: str
    name: str
    provider: str
    weights_hash: str
    lineage: str
    code: str
    made_ms: int
    permissions: Permissions
    purpose: str | None
    reasons: tuple[str, ...]
    conditions: Conditions
    bounds: tuple[Bound, ...]
    figures: Mapping[str, Figure]

    @property
    def choices(self) -> tuple[Choice, ...]:
        return choices(self.conditions)

    @property
    def license(self) -> License | None:
        """The license text that is drafted: the widest that can be granted, or None."""
        return next((one.license for one in self.choices if one.can), None)


def subject_of(tx: Tx, row: Row) -> Subject:
    """Read everything about an own checkpoint in this transaction."""
    permissions = permissions_of(tx, row)
    conditions, bounds = conditions_of(tx, permissions)
    purpose = _widest(conditions.purposes)
    refused = permissions.answer(RELEASE, "research").reasons if purpose is None else []
    bundle = registry.lineage_of(row)
    return Subject(
        checkpoint=str(row["public_id"]),
        name=str(row["name"]),
        provider=identity.own(tx).name,
        weights_hash=str(row["weights_hash"]),
        lineage=bundle.id,
        code=str(bundle.body["code"]),
        made_ms=tx.now_ms,
        permissions=permissions,
        purpose=purpose,
        reasons=tuple(refused),
        conditions=conditions,
        bounds=bounds,
        figures=reading.read(tx, row),
    )


def conditions_of(tx: Tx, permissions: Permissions) -> tuple[Conditions, tuple[Bound, ...]]:
    """The bounds of a release for the widest purpose that it is permitted for, and what they come from."""
    purposes = frozenset(one for one in PURPOSES if permissions.answer(RELEASE, one).ok)
    widest = _widest(purposes)
    bounds = tuple(_bounds(permissions, widest))
    answer = permissions.answer(RELEASE, widest or "research")
    conditions = Conditions(
        purposes=purposes,
        commercial_output="commercial" in purposes and all(one.commercial_output for one in bounds),
        territory=answer.territory,
        ends_ms=answer.ends_ms,
        delete_on_opt_out=any(one.remedy == "withdraw" for one in bounds),
        passed=_passed(tx, permissions),
    )
    return conditions, bounds


def _widest(purposes: frozenset[str]) -> str | None:
    return next((one for one in reversed(PURPOSES) if one in purposes), None)


def _bounds(permissions: Permissions, purpose: str | None) -> list[Bound]:
    """Of every checkpoint of the tree the agreement that covers the release; where none does, all that there are."""
    found: list[Bound] = []
    by: tuple[Right | None, ...] = () if purpose is None else permissions.answer(RELEASE, purpose).by
    for number, one in enumerate(permissions.used):
        rights = one.rights if purpose is None else [right for right in (by[number],) if right is not None]
        found += [
            Bound(one.name, r.agreement, r.purpose, str(r.territory), r.ends_ms, r.commercial_output, r.remedy)
            for r in rights
        ]
    return found


def _passed(tx: Tx, permissions: Permissions) -> tuple[Passed, ...]:
    """The licenses of ancestors from elsewhere, which go along: of two by one name both."""
    found: dict[tuple[str, str], Passed] = {}
    for one in permissions.elsewhere:
        address = HOUSE_SOURCE if one.kind == "house" else ""
        if one.kind == "external":
            said = externals.by_hash(tx, one.hash)
            address = "" if said is None else str(said["license_url"])
        found[one.hash, one.license] = Passed(one.name, one.license, address)
    return tuple(found.values())
