"""Incidents: a contributor's no that is valid from a time before it was recorded.

Such a no changes no past decision: asked with the knowledge of then, each is as it was (moment.py). What was decided,
delivered and trained in spite of it is asked for in flows/in_spite.py; somebody has to answer for it by a deadline,
with a signed, reasoned document. Overdue is not written down: it follows from the time.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import sqlalchemy as sa

from fairframe.core.errors import Conflict, NotFound
from fairframe.core.ids import new_id
from fairframe.core.incident_outcome_body import IncidentOutcome, InSpite
from fairframe.core.time import DAY_MS
from fairframe.library.tables import contributor
from fairframe.platform import audit
from fairframe.platform.tx import Row, Tx, WriteTx
from fairframe.rights.outcomes import decided, reason_of
from fairframe.rights.tables import consent_event, incident, incident_outcome

Outcome = Literal["settled", "nothing_happened", "disputed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def open_if_backdated(tx: WriteTx, who: Row, valid_from_ms: int | None) -> str | None:
    """Open the incident of the noes that a contributor just said, if they are valid from before now; returns its id.

    It is due the days of the setting incident_days after now, and incident_answers has to answer.
    """
    if valid_from_ms is None or valid_from_ms >= tx.now_ms:
        return None
    of_it = words_of(who["id"], valid_from_ms, tx.now_ms)
    words = int(tx.scalar(sa.select(sa.func.count()).select_from(consent_event).where(of_it)))
    public_id, due_ms = new_id("inc"), tx.now_ms + tx.ws.settings.incident_days * DAY_MS
    said = {
        "words": words,
        "valid_from_ms": valid_from_ms,
        "due_ms": due_ms,
        "answers": tx.ws.settings.incident_answers,
    }
    tx.insert(incident, public_id=public_id, contributor_id=who["id"], **said)
    tx.record("incident.opened", public_id, {"contributor": who["public_id"], **said})
    return public_id


def words_of(contributor_id: int, valid_from_ms: int, recorded_at_ms: int) -> "sa.ColumnElement[bool]":
    """The consent events that an incident is about."""
    c = consent_event.c
    return sa.and_(
        c.contributor_id == contributor_id,
        c.effect == "deny",
        c.valid_from_ms == valid_from_ms,
        c.recorded_at_ms == recorded_at_ms,
    )


def settle(tx: WriteTx, public_id: str, outcome: Outcome, *, reason: str, found: InSpite, by: str = "") -> bytes:
    """Settle an incident with a signed document, which it returns; it holds `found`, what happened in spite of the no.

    `by`: who settled; it enters the audit tree as a commitment only. Raises NotFound, InputError (input.bad_reason),
    Conflict (incident.settled).
    """
    text = reason_of(reason)
    audit.lock(tx.conn)  # it is settled once
    row = find(tx, public_id)
    if row["outcome"] is not None:
        raise Conflict(f"the incident is settled: {row['outcome']}", code="incident.settled", where=public_id)
    body = IncidentOutcome(
        incident=public_id,
        contributor=row["contributor"],
        words=row["words"],
        valid_from_ms=row["valid_from_ms"],
        recorded_at_ms=row["recorded_at_ms"],
        due_ms=row["due_ms"],
        outcome=outcome,
        reason=text,
        found=found,
        settled_at_ms=tx.now_ms,
    )
    document, envelope = decided(tx, "incident_outcome", body.to_json(), by)
    tx.insert(incident_outcome, incident_id=row["id"], outcome=outcome, reason=text, document=document)
    tx.record(f"incident.{outcome}", public_id, {"contributor": row["contributor"], "document": document})
    return envelope


def find(tx: Tx, public_id: str) -> Row:
    """One incident, with the columns of `listing`. Raises NotFound."""
    row = tx.row(_cases().where(incident.c.public_id == public_id))
    if row is None:
        raise NotFound(
            f"no incident {public_id[:60]!r}", code="incident.missing", remedy="See: fairframe rights incidents list"
        )
    return row


def of_word(tx: Tx, event: str) -> str | None:
    """The incident that a consent event (its public id) opened, if it did."""
    same = (
        (consent_event.c.contributor_id == incident.c.contributor_id)
        & (consent_event.c.valid_from_ms == incident.c.valid_from_ms)
        & (consent_event.c.recorded_at_ms == incident.c.recorded_at_ms)
    )
    where = (consent_event.c.public_id == event) & (consent_event.c.effect == "deny")
    return tx.scalar(sa.select(incident.c.public_id).join(consent_event, same).where(where).limit(1))


def listing(tx: Tx, *, settled: bool = False) -> Sequence[Row]:
    """Open incidents, the first due first (`settled`: all).

    Columns: id, public_id, contributor_id, contributor, contributor_name, words, valid_from_ms, recorded_at_ms,
    due_ms, answers, outcome (None while it is open), outcome_reason, document.
    """
    statement = _cases() if settled else _cases().where(incident_outcome.c.id.is_(None))
    return tx.rows(statement.order_by(incident.c.due_ms, incident.c.id))


def state(row: Row, now_ms: int) -> str:
    """Of a row of `listing`: its outcome, or open, or overdue."""
    return str(row["outcome"] or ("overdue" if now_ms > row["due_ms"] else "open"))


def _cases() -> "sa.Select[*tuple[Any, ...]]":
    joined = incident.join(contributor, contributor.c.id == incident.c.contributor_id).outerjoin(
        incident_outcome, incident_outcome.c.incident_id == incident.c.id
    )
    names = ("id", "public_id", "contributor_id", "words", "valid_from_ms", "recorded_at_ms", "due_ms", "answers")
    return sa.select(
        *(incident.c[name] for name in names),
        contributor.c.public_id.label("contributor"),
        contributor.c.name.label("contributor_name"),
        incident_outcome.c.outcome,
        incident_outcome.c.reason.label("outcome_reason"),
        incident_outcome.c.document,
    ).select_from(joined)
