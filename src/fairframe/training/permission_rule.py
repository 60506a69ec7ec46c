"""What a checkpoint may be used for: the rule, pure. The most restrictive of all its ancestors decides.

| asked for        | what an agreement has to grant, beside covering the purpose                              |
|------------------|------------------------------------------------------------------------------------------|
| generate         | nothing more; for commercial films: commercial output                                    |
| serve            | the action serve; for commercial use: commercial output                                  |
| fine_tune, merge | the action fine_tune: both make another model of it                                      |
| distill          | the action distill                                                                       |
| release_weights  | the action release_weights, models that may be handed on (model scope any), a young feed |

| purpose asked for | purpose of an agreement that covers it |
|-------------------|----------------------------------------|
| evaluate          | evaluate, research, commercial         |
| research          | research, commercial                   |
| commercial        | commercial                             |

Every checkpoint in the tree of ancestors, whatever its role (base, adapter, merge, teacher, encoder, captioner), has to
be covered by one agreement: the one that it was trained under, or one that the library granted to it later. That
agreement must be in force. Where its models are for one tenant, the use must be that tenant's. Where its remedy is
withdraw, nothing that the checkpoint consumed may have been taken back, and the feed that tells it must be young. Under
the other remedies a finished checkpoint stays whatever the feed says; only before weights leave for good is a young
feed asked. A grant never takes away what another agreement allows. A checkpoint that was deleted is not used. One that
consumed nothing itself (a merge) needs no agreement of its own.

An ancestor without an agreement is no checkpoint of this workspace: the house base (rendered footage, Apache-2.0), or
an external model with undisclosed data. What an external license permits is a person's word: yes, no or unknown. Only
yes permits: commercial use, and the release of weights derived from it. Other uses are let through and noted.

A use is licensed where every ancestor is (a territory), and until the first of them is not (a time). Of several
agreements that cover a checkpoint one is chosen, and all bounds are that one's: together the chosen ones cover as many
countries as any choice would, and among those last the longest. An ancestor or a restriction more never permits more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from fairframe.core.ancestors import BASE
from fairframe.core.finding import Finding
from fairframe.core.purpose import COVERED_BY
from fairframe.core.territory import WORLD, Territory

Use = Literal["generate", "serve", "fine_tune", "merge", "distill", "release_weights"]
Word = Literal["yes", "no", "unknown"]

NEEDS: dict[Use, str | None] = {
    "generate": None,
    "serve": "serve",
    "fine_tune": "fine_tune",
    "merge": "fine_tune",
    "distill": "distill",
    "release_weights": "release_weights",
}
"""A use of a checkpoint, and the action that an agreement has to grant for it."""
USES: tuple[Use, ...] = tuple(NEEDS)
PURPOSES = tuple(COVERED_BY)
SHOWS_FILMS = frozenset({"generate", "serve"})
EXTERNAL = "guard.ancestor_external"
"""The code of the note on an ancestor with an external license."""


@dataclass(frozen=True)
class Asked:
    """A question. tenant: the family of the tenant's agreement for whom it is used, or empty."""

    use: Use
    purpose: str
    tenant: str = ""


@dataclass(frozen=True)
class Right:
    """An agreement as far as it speaks of a checkpoint.

    tenant: its family where its models are for one tenant, else empty. grant: the document that extended it to the
    checkpoint, or None. old_feed: why its feed cannot tell what was taken back, or empty.
    """

    agreement: str
    purpose: str
    actions: frozenset[str]
    state: str
    commercial_output: bool = False
    model_scope: str = "licensee"
    territory: Territory = WORLD
    ends_ms: int = 0
    remedy: str = "grandfather"
    tenant: str = ""
    grant: str | None = None
    old_feed: str = ""


@dataclass(frozen=True)
class Used:
    """A checkpoint that a use would draw on. role: as what, towards its nearest descendant.

    consumed: whether training consumed anything for it, beside what its ancestors did. taken_back: how many of the
    items that it consumed contributors took back.
    """

    name: str
    rights: tuple[Right, ...]
    deleted: bool = False
    consumed: bool = True
    taken_back: int = 0
    role: str = BASE
    checkpoint: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """An ancestor that is no checkpoint of this workspace. commercial, release: what its license permits, by a
    person's word: commercial use, and the release of weights derived from it. hash: of its weights."""

    kind: str
    name: str
    license: str
    data: str
    role: str = BASE
    commercial: Word = "unknown"
    release: Word = "unknown"
    hash: str = ""


@dataclass(frozen=True)
class Found(Finding):
    """A finding about one checkpoint of the tree: its name, and as what it takes part."""

    of: str
    role: str


@dataclass(frozen=True)
class Answer:
    """Whether a use is permitted, and every finding. territory, ends_ms: where and until when; None: no agreement
    bounds it. by: for each checkpoint of the tree the right that it is used under, None where none covers it."""

    asked: Asked
    findings: tuple[Found, ...]
    territory: Territory
    ends_ms: int | None
    by: tuple[Right | None, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.against

    @property
    def against(self) -> tuple[Found, ...]:
        return tuple(found for found in self.findings if not found.ok)

    @property
    def reasons(self) -> list[str]:
        return [f"{found.code}: {found.text}" for found in self.against]


def judge(asked: Asked, used: Sequence[Used], elsewhere: Sequence[Elsewhere] = ()) -> Answer:
    """The answer on using checkpoints (the first is the one asked for, then its ancestors)."""
    by = choose([covering(asked, checkpoint) for checkpoint in used])
    found = [one for checkpoint, right in zip(used, by, strict=True) for one in _judge_one(asked, checkpoint, right)]
    found += [one for ancestor in elsewhere for one in _judge_elsewhere(asked, ancestor)]
    territory, ends = WORLD, [right.ends_ms for right in by if right is not None]
    for right in by:
        territory = territory if right is None else territory.intersect(right.territory)
    if not territory:
        text = "there is no country in which the agreements of all its ancestors license it"
        found.append(Found(False, "guard.territory", text, used[0].name, used[0].role))
    return Answer(asked, tuple(found), territory, min(ends, default=None), by)


def covering(asked: Asked, one: Used) -> list[Right]:
    """The rights that cover a use of a checkpoint now, in their order."""
    return [right for right in one.rights if not _against(asked, one, right)]


def choose(each: Sequence[Sequence[Right]]) -> tuple[Right | None, ...]:
    """Of the rights that cover each checkpoint one (None of none): those that together hold in the most countries and,
    of several such choices, end last; then the first of them.

    Of all choices that hold in the same countries only the best is carried on, so it takes a step for each right and
    each set of countries that the agreements leave.
    """
    best: dict[Territory, tuple[Right | None, ...]] = {WORLD: ()}
    for rights in each:
        longer: dict[Territory, tuple[Right | None, ...]] = {}
        for place, chosen in best.items():
            for right in rights or (None,):
                there = place if right is None else place.intersect(right.territory)
                held = longer.get(there)
                if held is None or _end((*chosen, right)) > _end(held):
                    longer[there] = (*chosen, right)
        best = longer
    return best[max(best, key=lambda place: (_countries(place), _end(best[place])))]


def _end(chosen: Sequence[Right | None]) -> float:
    return min((right.ends_ms for right in chosen if right is not None), default=inf)


def _countries(place: Territory) -> float:
    return inf if place.codes is None else len(place.codes)


def _judge_one(asked: Asked, one: Used, by: Right | None) -> list[Found]:
    """by: the right that it is used under."""
    found: list[Found] = []

    def tell(ok: bool, code: str, text: str) -> None:
        found.append(Found(ok, code, f"{one.name}{text}", one.name, one.role))

    if one.deleted:
        tell(False, "guard.deleted", " was deleted")
    if not one.rights:
        if one.consumed:
            tell(False, "guard.no_agreement", " was trained under no agreement")
        return found
    if by is not None:
        grant = f", by the grant {by.grant}" if by.grant else ""
        tell(True, "guard.covered", f": the agreement {by.agreement} ({by.purpose}) covers {asked.purpose}{grant}")
        if one.taken_back:
            tell(True, "guard.taken_back", f" consumed {one.taken_back} items that were taken back since; it may stay")
        return found
    for right in one.rights:
        for code, text in _against(asked, one, right):
            tell(False, code, f": {text}")
    return found


def _against(asked: Asked, one: Used, right: Right) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    who = f"the agreement {right.agreement}"
    action = NEEDS[asked.use]
    if right.state != "active":
        found.append(("guard.inactive", f"{who} is {right.state}"))
    if right.purpose not in COVERED_BY[asked.purpose]:
        found.append(("guard.purpose", f"{who} is for {right.purpose}, not {asked.purpose}"))
    elif asked.purpose == "commercial" and asked.use in SHOWS_FILMS and not right.commercial_output:
        found.append(("guard.output", f"{who} allows no commercial output"))
    if action is not None and action not in right.actions:
        found.append(("guard.action", f"{who} does not grant the action {action}"))
    if asked.use == "release_weights" and right.model_scope != "any":
        found.append(("guard.model_scope", f"{who} covers no models that are handed on to others"))
    if right.tenant and right.tenant != asked.tenant:
        found.append(("guard.tenant", "its agreement is for the models of one rights holder alone, and kept apart"))
    if right.remedy == "withdraw" and one.taken_back:
        what = f"it consumed {one.taken_back} items that were taken back"
        found.append(("guard.withdrawn", f"{what}, and the remedy of the agreement {right.agreement} is withdraw"))
    if right.old_feed and (right.remedy == "withdraw" or asked.use == "release_weights"):
        why = "released weights cannot be called back"
        if right.remedy == "withdraw":
            why = f"the remedy of the agreement {right.agreement} is withdraw"
        found.append(("guard.feed_age", f"{right.old_feed}, and {why}: what was taken back since is unknown"))
    return found


def _judge_elsewhere(asked: Asked, one: Elsewhere) -> list[Found]:
    def tell(ok: bool, code: str, text: str) -> Found:
        return Found(ok, code, f"the ancestor {one.name}{text}", one.name, one.role)

    if one.kind == "checkpoint":
        return [tell(False, "guard.ancestor_unknown", " is a checkpoint that this workspace does not know")]
    if one.kind == "house":
        return [tell(True, "guard.ancestor_house", " was trained on rendered footage")]
    found = [tell(True, EXTERNAL, f": license external ({one.license}), data {one.data}")]
    said = {"no": "does not permit", "unknown": "is not known to permit"}
    if asked.purpose == "commercial" and one.commercial != "yes":
        text = f": its license ({one.license}) {said[one.commercial]} commercial use"
        found.append(tell(False, "guard.license_commercial", text))
    if asked.use == "release_weights" and one.release != "yes":
        text = f": its license ({one.license}) {said[one.release]} that weights derived from it are released"
        found.append(tell(False, "guard.license_release", text))
    return found
