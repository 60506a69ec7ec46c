"""Many words of one contributor: a preview that says what they change, and the act with all that follows from it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fairframe.dataset import revocation
from fairframe.dataset.gate import close_behind
from fairframe.dataset.revocation import Revoked
from fairframe.dataset.sweep import denied
from fairframe.flows.impact import MoneyImpact, money_of
from fairframe.flows.items import cut_from
from fairframe.flows.opt_out import DENIED, TakesBack, by_delivery
from fairframe.flows.undone import undone
from fairframe.platform.tx import Row, WriteTx
from fairframe.platform.workspace import Workspace
from fairframe.rights import agreements, consent_bulk, facts, incidents, moment, rulings
from fairframe.rights.consent import resolve
from fairframe.rights.consent_bulk import Word
from fairframe.rights.facts import AssetView, OwnerView
from fairframe.rights.rulings import Change
from fairframe.rights.vocabulary import ACTIONS, ANY, PURPOSES

SHOWN = 10
"""Words that a preview shows one by one."""
SILENT = "no word of theirs"


@dataclass(frozen=True)
class Said:
    """events: public ids of the consent events. incident: the one that a backdated no opened."""

    events: tuple[str, ...]
    revoked: tuple[Revoked, ...]
    incident: str | None


@dataclass(frozen=True)
class Turn:
    """For how many assets the answer to a purpose and actions turns, from a code of consent.resolve to another."""

    purpose: str
    actions: tuple[str, ...]
    before: str
    after: str
    assets: int


@dataclass(frozen=True)
class Line:
    """One word as it will be recorded."""

    asset: str
    filename: str
    effect: str
    purpose: str
    action: str


@dataclass(frozen=True)
class Preview:
    """What words would do. Nothing was written.

    turns: what they change of the contributor's consent; `unchanged` assets change nothing. clearances: outcomes of
    these assets under each active agreement. money: earned so far, of which a no takes nothing back. lines: the first.
    """

    contributor: str
    words: int
    assets: int
    duration_ms: int
    turns: tuple[Turn, ...]
    unchanged: int
    clearances: tuple[Change, ...]
    takes_back: tuple[TakesBack, ...]
    money: tuple[MoneyImpact, ...]
    opens_incident: bool
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def say(tx: WriteTx, contributor: Row, words: Sequence[Word], valid_from_ms: int | None = None) -> Said:
    """Record the words and take back what was delivered and no longer clears. Raises what consent_bulk.say raises."""
    close_behind(tx)
    events = consent_bulk.say(tx, contributor, words, valid_from_ms)
    noes = [one for one in words if one.effect == "deny"]
    incident = incidents.open_if_backdated(tx, contributor, valid_from_ms) if noes else None
    back = denied(tx, cut_from(tx, sorted({one.asset["id"] for one in noes})))
    return Said(tuple(events), tuple(revocation.revoke(tx, revocation.chosen_ids(tx, back), DENIED)), incident)


def preview(ws: Workspace, contributor: Row, words: Sequence[Word], valid_from_ms: int | None = None) -> Preview:
    """What `say` would do. Raises what it raises."""
    return undone(ws, lambda tx: _preview(tx, contributor, words, valid_from_ms))


def _preview(tx: WriteTx, who: Row, words: Sequence[Word], valid_from_ms: int | None) -> Preview:
    at_ms = max(moment.present(tx).at_ms, valid_from_ms or 0)
    assets = {one.asset["id"]: one.asset for one in words}
    before = facts.load(tx, assets, moment.Moment(at_ms))
    money = money_of(tx, who)
    done = say(tx, who, words, valid_from_ms)
    after = facts.load(tx, assets, moment.Moment(at_ms))
    turns, changed = _turns(who["public_id"], words, before, after, at_ms)
    active = [one for one in agreements.listing(tx) if one.active(at_ms)]
    return Preview(
        contributor=who["public_id"],
        words=len(words),
        assets=len(assets),
        duration_ms=sum(row["duration_ms"] for row in assets.values()),
        turns=turns,
        unchanged=len(assets) - changed,
        clearances=tuple(
            Change(one.public_id, one.offer, rulings.counts(before, one, at_ms), rulings.counts(after, one, at_ms))
            for one in active
        ),
        takes_back=tuple(by_delivery(tx, done.revoked)),
        money=money,
        opens_incident=done.incident is not None,
        lines=tuple(
            Line(one.asset["public_id"], one.asset["filename"], one.effect, one.purpose, one.action)
            for one in words[:SHOWN]
        ),
    )


def _turns(
    who: str, words: Sequence[Word], before: Mapping[int, AssetView], after: Mapping[int, AssetView], at_ms: int
) -> tuple[tuple[Turn, ...], int]:
    """What the words change, and of how many assets."""
    asked: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for one in words:
        asked[one.asset["id"]].add((one.purpose, one.action))
    answers = _Answers(who, at_ms)
    # thousands of assets share a few combinations of words
    alike = Counter(
        (answers.key(before[key]), answers.key(after[key]), frozenset(pairs)) for key, pairs in asked.items()
    )
    turned: Counter[tuple[str, str, str, str]] = Counter()
    changed = 0
    for (earlier, later, pairs), count in alike.items():
        then, now = answers.known[earlier], answers.known[later]
        turns = [pair for pair in _spelled(pairs) if then[pair] != now[pair]]
        turned.update(
            {(purpose, then[purpose, action], now[purpose, action], action): count for purpose, action in turns}
        )
        changed += count if turns else 0
    together: dict[tuple[str, str, str, int], list[str]] = defaultdict(list)
    for (purpose, then, now, action), count in turned.items():
        together[purpose, then, now, count].append(action)
    found = [
        Turn(purpose, tuple(one for one in ACTIONS if one in actions), then, now, count)
        for (purpose, then, now, count), actions in together.items()
    ]
    order = {purpose: place for place, purpose in enumerate(PURPOSES)}
    return tuple(sorted(found, key=lambda one: (order[one.purpose], -one.assets, one.actions))), changed


def _spelled(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """(purpose, action) with what `*` stands for."""
    return {
        (purpose, action)
        for said, done in pairs
        for purpose in (PURPOSES if said == ANY else (said,))
        for action in (ACTIONS if done == ANY else (done,))
    }


class _Answers:
    """One contributor's answers to every purpose and action, worked out once for each combination of their words."""

    def __init__(self, who: str, at_ms: int) -> None:
        self.who, self.at_ms = who, at_ms
        self.known: dict[tuple[Any, ...], dict[tuple[str, str], str]] = {}

    def key(self, view: AssetView) -> tuple[Any, ...]:
        """The combination of an asset: `known` has its answers, by purpose and action."""
        owner = next((one for one in view.owners if one.label == self.who), None)
        said = [
            (e.scope, e.subject if e.scope == "collection" else 0, e.purpose, e.action, e.effect, *e.order[:2])
            for e in (owner.events if owner else ())
        ]
        key = owner is None, tuple(said), owner.told if owner else ()
        if key not in self.known:
            self.known[key] = {pair: self._code(owner, *pair) for pair in _spelled([(ANY, ANY)])}
        return key

    def _code(self, owner: OwnerView | None, purpose: str, action: str) -> str:
        if owner is None:  # they no longer have a share in it
            return SILENT
        return resolve(owner.events, owner.told, purpose, action, self.at_ms).code
