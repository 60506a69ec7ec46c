"""What an upgrade does to a checkpoint that exists: the rule, pure.

The new agreement's terms say it (`upgrade_effect`):

| upgrade_effect        | the checkpoint is granted                                                                  |
|-----------------------|--------------------------------------------------------------------------------------------|
| none                  | never: it stays under the older agreement                                                  |
| grant_if_all_consent  | if every asset that it saw clears: one DENY or REVIEW blocks it                            |
| grant_if_none_refuses | unless one is denied: silence (no_consent) and open questions (REVIEW) do not block        |

The bounds on what is delivered (kind, short side) are about clips still to come, so they block nothing. An asset
without a decision blocks: what cannot be judged is not granted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fairframe.rights.clearance import Decision, Finding
from fairframe.rights.offers import UpgradeEffect

BOUNDS = frozenset({"outside_kind", "outside_short_side"})


@dataclass(frozen=True)
class Blocked:
    """An asset that keeps a checkpoint from being granted; `findings` are those that do."""

    asset: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Upgraded:
    """Whether a checkpoint is granted. `why`: one line for people where it is not; `blocked`: by which assets."""

    granted: bool
    why: str
    blocked: tuple[Blocked, ...]

    def reasons(self) -> list[str]:
        """What stands against the grant: one line per asset, or why none is ever given."""
        lines = [f"{one.asset}: {', '.join(dict.fromkeys(f.code for f in one.findings))}" for one in self.blocked]
        return lines or ([self.why] if self.why else [])


def decide(effect: UpgradeEffect, seen: Iterable[str], decisions: Mapping[str, Decision]) -> Upgraded:
    """`seen`: public ids of all assets of which the checkpoint (and its ancestors) consumed frames; `decisions`: about
    them, under the upgrade."""
    if effect == "none":
        return Upgraded(False, "the terms leave existing checkpoints under the older agreement", ())
    blocked: list[Blocked] = []
    for asset in sorted(set(seen)):
        decision = decisions.get(asset)
        if decision is None:
            blocked.append(Blocked(asset, (Finding("unknown_asset", "DENY", "nothing is known of the asset"),)))
        elif found := tuple(finding for finding in decision.findings if _blocks(effect, finding)):
            blocked.append(Blocked(asset, found))
    if not blocked:
        return Upgraded(True, "", ())
    return Upgraded(False, f"{len(blocked)} of the assets it saw may not be used under the upgrade", tuple(blocked))


def _blocks(effect: UpgradeEffect, finding: Finding) -> bool:
    if finding.code in BOUNDS or finding.outcome == "ALLOW":
        return False
    return effect == "grant_if_all_consent" or (finding.outcome == "DENY" and finding.code != "no_consent")
