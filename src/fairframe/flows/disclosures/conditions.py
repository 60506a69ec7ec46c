"""What may be granted to whoever takes the weights: never more than the agreements of all ancestors grant. Pure.

| license text                | can be granted where                                                                |
|-----------------------------|-------------------------------------------------------------------------------------|
| Apache-2.0, MIT, CC-BY-4.0  | commercial use and output, everywhere, without end, no opt-out that asks to delete  |
| CC-BY-NC-4.0                | research, everywhere, without end, no opt-out that asks to delete                   |
| draft weights license       | the release is permitted at all: it repeats every bound                             |

Where an ancestor has an external license, only the draft can be granted: it passes that license on beside itself, and
counsel decides whether the two fit together. An ancestor under Apache-2.0 (the house base) bounds nothing.
A bound more never makes a license text more.
"""

from dataclasses import dataclass

from fairframe.core.territory import WORLD, Territory

PERMISSIVE = frozenset({"Apache-2.0"})
OWN = "fairframe-weights-draft"


@dataclass(frozen=True)
class License:
    """A license text. hub: its name in a model card's front matter. bounded: whether it repeats every bound of the
    agreements. commercial: whether it permits commercial use where they do."""

    id: str
    hub: str
    title: str
    bounded: bool
    commercial: bool


LICENSES = (
    License("Apache-2.0", "apache-2.0", "Apache License 2.0", False, True),
    License("MIT", "mit", "MIT License", False, True),
    License("CC-BY-4.0", "cc-by-4.0", "Creative Commons Attribution 4.0", False, True),
    License("CC-BY-NC-4.0", "cc-by-nc-4.0", "Creative Commons Attribution-NonCommercial 4.0", False, False),
    License(OWN, "other", "the draft weights license in LICENSE", True, False),
)
"""From the most to the least that is granted."""


@dataclass(frozen=True)
class Passed:
    """An ancestor's license that everybody who takes the weights gets as well."""

    ancestor: str
    license: str
    address: str


@dataclass(frozen=True)
class Conditions:
    """The bounds of a release. purposes: for which it is permitted; none of them: not at all. ends_ms: None without
    an end. delete_on_opt_out: an agreement's remedy is withdraw."""

    purposes: frozenset[str]
    commercial_output: bool = True
    territory: Territory = WORLD
    ends_ms: int | None = None
    delete_on_opt_out: bool = False
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Whether a license text can be granted, and if not, why."""

    license: License
    against: tuple[str, ...]

    @property
    def can(self) -> bool:
        return not self.against


def choices(found: Conditions) -> tuple[Choice, ...]:
    """Every license text of the table with what speaks against it."""
    return tuple(Choice(one, tuple(_against(one, found))) for one in LICENSES)


def _against(one: License, found: Conditions) -> list[str]:
    against: list[str] = []
    if not found.purposes:
        return ["the release of these weights is not permitted"]
    if one.commercial and "commercial" not in found.purposes:
        against.append("it permits commercial use, and the agreements permit no release for that")
    if one.bounded:
        return against
    if not one.commercial and not found.purposes & {"research", "commercial"}:
        against.append("it permits all use that is not commercial, and the agreements permit no release for research")
    if one.commercial and not found.commercial_output:
        against.append("it does not bound what is done with films, and an agreement permits no commercial output")
    if found.ends_ms is not None:
        against.append("it never ends, and the agreements do")
    if found.territory.codes is not None:
        against.append(f"it holds everywhere, and the agreements license {found.territory} only")
    if found.delete_on_opt_out:
        against.append("it cannot be taken back, and an agreement asks that what consumed a withdrawn clip is deleted")
    against += [
        f"the ancestor {p.ancestor} is under {p.license}: counsel decides whether this one fits beside it"
        for p in found.passed
        if p.license not in PERMISSIVE
    ]
    return against
