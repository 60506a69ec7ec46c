"""Consent: what a contributor permits, decided by one total rule over append-only events.

The rule, for one contributor, one asset, one purpose and one action, as of a time and a state of knowledge:

1. Only events and terms valid by then and recorded by then count. Of the events, those that match: the same purpose
   or `*`, and the same action or `*`.
2. A contributor's overall no (contributor scope, purpose `*`, action `*`, deny) is absolute: while it stands, nothing
   else is asked. Only a later overall yes for `* *` ends it.
3. Otherwise asset beats collection beats contributor: the first of the three levels at which anything matches decides.
4. Within a level, a no stands until a later yes about the same subject that is at least as specific lifts it. So a
   later word beats an earlier one, and the specific beats the general, and where the two disagree the no wins: a later
   general no takes back an earlier specific yes, but a later general yes does not take back an earlier specific no.
   Several collections hold one asset: one standing no is enough.
5. No level has a word: silence. Silence consents only under opt-out terms in force that name the purpose, and of which
   the contributor was told at least the terms' notice period before they began to hold for them. It denies otherwise.

"Later" is the order of (valid_from, recorded_at, id), and a yes that was recorded before a no (at an earlier time, or
first in the same millisecond) never lifts it: who says no today, as of January, takes back the yes that they said in
March. An added deny can only become one more standing no, never lift one, so adding a restriction never grants more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fairframe.core.errors import Conflict, InputError
from fairframe.core.ids import new_id
from fairframe.core.time import DAY_MS
from fairframe.library.tables import ownership
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.tables import consent_event
from fairframe.rights.vocabulary import ANY, check_action, check_purpose

Scope = Literal["contributor", "collection", "asset"]
Code = Literal["consented", "silence_consents", "opted_out", "consent_denied", "no_consent"]
LEVELS: tuple[Scope, ...] = ("asset", "collection", "contributor")
MAX_REASON = 2_000
FOREVER_MS = 2**62
"""As a state of knowledge: everything that is recorded."""


@dataclass(frozen=True)
class Event:
    """A consent event. `subject` is the collection's or asset's BIGINT id, 0 at contributor scope."""

    scope: str
    subject: int
    purpose: str
    action: str
    effect: str
    valid_from_ms: int
    recorded_at_ms: int
    id: int

    @property
    def order(self) -> tuple[int, int, int]:
        return self.valid_from_ms, self.recorded_at_ms, self.id

    @property
    def overall(self) -> bool:
        return self.scope == "contributor" and self.purpose == ANY and self.action == ANY

    def lifts(self, no: "Event") -> bool:
        """Whether this yes takes back that no: same subject, later, not said before it (a yes that was written first in
        the same millisecond was), and no less specific."""
        return (
            self.effect == "allow"
            and (self.scope, self.subject) == (no.scope, no.subject)
            and self.order > no.order
            and self.recorded_at_ms >= no.recorded_at_ms
            and self.id > no.id
            and no.purpose in (self.purpose, ANY)
            and no.action in (self.action, ANY)
        )


@dataclass(frozen=True)
class ToldTerms:
    """A version of contributors' terms and when this contributor was told of it."""

    label: str
    regime: str
    names: tuple[str, ...]
    notice_days: int
    effective_ms: int
    noticed_ms: int
    valid_from_ms: int
    recorded_at_ms: int
    id: int

    @property
    def holds_from_ms(self) -> int:
        return max(self.effective_ms, self.valid_from_ms)

    def silence_consents(self, purpose: str) -> bool:
        in_time = self.noticed_ms + self.notice_days * DAY_MS <= self.holds_from_ms
        return self.regime == "opt-out" and in_time and purpose in self.names


@dataclass(frozen=True)
class Consent:
    """The answer, which of the rule's cases gave it, and the event or terms it rests on."""

    permits: bool
    code: Code
    because: Event | ToldTerms | None = None


def resolve(
    events: Iterable[Event],
    terms: Iterable[ToldTerms],
    purpose: str,
    action: str,
    at_ms: int,
    known_at_ms: int = FOREVER_MS,
) -> Consent:
    """The rule above. `events` are those of one contributor about one asset, its collections or all their work."""
    known = [e for e in events if e.valid_from_ms <= at_ms and e.recorded_at_ms <= known_at_ms]
    overall = _standing([e for e in known if e.overall])
    if overall:
        return Consent(False, "opted_out", max(overall, key=lambda e: e.order))
    matching = [e for e in known if e.purpose in (purpose, ANY) and e.action in (action, ANY)]
    for level in LEVELS:
        here = [e for e in matching if e.scope == level]
        if here:
            return _level(here)
    held = governing(terms, at_ms, known_at_ms)
    if held is not None and held.silence_consents(purpose):
        return Consent(True, "silence_consents", held)
    return Consent(False, "no_consent", held)


def governing(terms: Iterable[ToldTerms], at_ms: int, known_at_ms: int = FOREVER_MS) -> ToldTerms | None:
    """The terms that hold for a contributor: the last to begin. A version of which they were told too late governs
    too, and then silence denies: the older version is over."""
    began = [t for t in terms if t.holds_from_ms <= at_ms and t.recorded_at_ms <= known_at_ms]
    return max(began, key=lambda t: (t.holds_from_ms, t.recorded_at_ms, t.id), default=None)


def _level(here: Sequence[Event]) -> Consent:
    standing = _standing(here)
    if standing:
        return Consent(False, "consent_denied", max(standing, key=lambda e: e.order))
    return Consent(True, "consented", max(here, key=lambda e: e.order))


def _standing(here: Sequence[Event]) -> list[Event]:
    """The noes that no yes lifts."""
    return [no for no in here if no.effect == "deny" and not any(yes.lifts(no) for yes in here)]


def set(
    tx: WriteTx,
    *,
    contributor: Row,
    effect: str,
    purpose: str,
    action: str = ANY,
    asset: Row | None = None,
    collection: Row | None = None,
    reason: str = "",
    valid_from_ms: int | None = None,
) -> str:
    """Append a consent event of a contributor; returns its id.

    Raises InputError (words, a foreign collection or asset, both an asset and a collection), Conflict (a yes short of
    the overall one, while the contributor has opted out: it would have no effect).
    """
    check_word(effect, purpose, action, reason)
    if asset is not None and collection is not None:
        raise InputError("name an asset or a collection, not both", code="input.bad_scope")
    if collection is not None and collection["contributor_id"] != contributor["id"]:
        raise InputError("the collection is another contributor's", code="input.foreign_collection")
    if asset is not None and not _owns(tx, contributor, asset):
        raise InputError(
            "the asset is another contributor's",
            code="input.foreign_asset",
            where=asset["public_id"],
            remedy=f"Name an asset of {contributor['public_id']}, or the contributor whose asset it is",
        )
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    scope: Scope = "asset" if asset is not None else "collection" if collection is not None else "contributor"
    overall_yes = effect == "allow" and scope == "contributor" and purpose == ANY and action == ANY
    if effect == "allow" and not overall_yes:
        refuse_after_opt_out(tx, contributor, valid)
    return _append(tx, contributor, scope, asset or collection, purpose, action, effect, reason, valid)


def opt_out(tx: WriteTx, contributor: Row, reason: str = "", valid_from_ms: int | None = None) -> str:
    """A contributor's overall no: one row, in force now or from when they say. Returns its id. What follows from it
    is done in flows/opt_out.py."""
    check_word("deny", ANY, ANY, reason)
    valid = tx.now_ms if valid_from_ms is None else valid_from_ms
    return _append(tx, contributor, "contributor", None, ANY, ANY, "deny", reason, valid)


def check_word(effect: str, purpose: str, action: str, reason: str) -> None:
    """Raises InputError unless these can be a consent event: input.bad_effect, bad_purpose, bad_action, bad_reason."""
    if effect not in ("allow", "deny"):
        raise InputError(
            f"{effect[:40]!r} is not allow or deny", code="input.bad_effect", remedy="Say one of: allow, deny"
        )
    check_purpose(purpose, or_any=True)
    check_action(action, or_any=True)
    if len(reason) > MAX_REASON or "\x00" in reason:
        raise InputError(
            f"the reason is longer than {MAX_REASON:,} characters or holds a NUL",
            code="input.bad_reason",
            remedy="Shorten it",
        )


def refuse_after_opt_out(tx: Tx, contributor: Row, at_ms: int) -> None:
    """Raises Conflict on a narrower yes of somebody who has opted out: it would have no effect."""
    if opted_out(tx, contributor["id"], at_ms):
        raise Conflict(
            "the contributor has opted out of everything, so a narrower yes would have no effect",
            code="consent.opted_out",
            remedy="Record their overall yes (allow *) first, then what they exclude",
        )


def opted_out(tx: Tx, contributor_id: int, at_ms: int | None = None) -> bool:
    """Whether a contributor's overall no is in force at a time (now where None)."""
    return contributor_id in opted_out_since(tx, contributor_id, at_ms)


def opted_out_since(tx: Tx, contributor_id: int | None = None, at_ms: int | None = None) -> dict[int, int]:
    """contributor -> since when their overall no is in force, of those that have one at a time (now where None)."""
    c = consent_event.c
    overall = (c.scope == "contributor") & (c.purpose == ANY) & (c.action == ANY)
    statement = consent_event.select().where(overall, c.valid_from_ms <= (tx.now_ms if at_ms is None else at_ms))
    if contributor_id is not None:
        statement = statement.where(c.contributor_id == contributor_id)
    said: dict[int, list[Event]] = {}
    for row in tx.rows(statement):
        said.setdefault(row["contributor_id"], []).append(event_of(row))
    found = {key: _standing(events) for key, events in said.items()}
    return {key: max(noes, key=lambda e: e.order).valid_from_ms for key, noes in found.items() if noes}


def event_of(row: Row) -> Event:
    """A row of consent_event as the rule sees it."""
    return Event(
        scope=row["scope"],
        subject=row["asset_id"] or row["collection_id"] or 0,
        purpose=row["purpose"],
        action=row["action"],
        effect=row["effect"],
        valid_from_ms=row["valid_from_ms"],
        recorded_at_ms=row["recorded_at_ms"],
        id=row["id"],
    )


def listing(tx: Tx, contributor_id: int) -> Sequence[Row]:
    """All consent events of a contributor, oldest first."""
    return tx.rows(
        consent_event.select().where(consent_event.c.contributor_id == contributor_id).order_by(consent_event.c.id)
    )


def _owns(tx: Tx, contributor: Row, asset: Row) -> bool:
    """Whether they brought the asset or ever had a share in it: of such a person a word about it is asked."""
    shares = ownership.select().where(ownership.c.asset_id == asset["id"])
    return asset["contributor_id"] == contributor["id"] or bool(
        tx.rows(shares.where(ownership.c.contributor_id == contributor["id"]).limit(1))
    )


def _append(
    tx: WriteTx,
    contributor: Row,
    scope: Scope,
    subject: Row | None,
    purpose: str,
    action: str,
    effect: str,
    reason: str,
    valid_from_ms: int,
) -> str:
    public_id = new_id("cns")
    tx.insert(
        consent_event,
        public_id=public_id,
        scope=scope,
        contributor_id=contributor["id"],
        collection_id=subject["id"] if subject is not None and scope == "collection" else None,
        asset_id=subject["id"] if subject is not None and scope == "asset" else None,
        purpose=purpose,
        action=action,
        effect=effect,
        reason=reason,
        valid_from_ms=valid_from_ms,
    )
    record(tx, public_id, contributor, scope, subject or contributor, purpose, action, effect, reason, valid_from_ms)
    return public_id


def record(
    tx: WriteTx,
    public_id: str,
    contributor: Row,
    scope: Scope,
    about: Row,
    purpose: str,
    action: str,
    effect: str,
    reason: str,
    valid_from_ms: int,
) -> None:
    """The audit entry of one event, under what it is about: so a re-check finds the assets that it touches."""
    body = {
        "event": public_id,
        "contributor": contributor["public_id"],
        "scope": scope,
        "purpose": purpose,
        "action": action,
        "valid_from_ms": valid_from_ms,
    }
    # a reason is free text, so it may hold personal data
    tx.record(f"consent.{effect}", about["public_id"], body, {"reason": reason} if reason else None)
