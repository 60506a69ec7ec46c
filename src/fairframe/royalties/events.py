"""Revenue events as rows: the words for their kinds, and finding them. The only way in to read the table.

The earliest rows say neither kind nor agreement: they are flat fees under the agreement that is their subject.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from fairframe.core.errors import InputError
from fairframe.platform.tx import Row, Tx
from fairframe.royalties.tables import ledger_txn, revenue_event

FEES = ("flat", "per_clip", "per_hour", "milestone", "renewal")
"""Kinds of fees for data, under an agreement."""
GENERATIVE = ("subscription", "output", "export")
"""Kinds of receipts for what a model makes."""
TAKEN = ("refund", "chargeback")
"""Kinds that take from an earlier event: their effect is the opposite."""
INVOICE = "invoice"
CORRECTION = "correction"
"""The kind of the transaction that takes an event back; its subject is the event."""

POSTED = ("revenue", "invoice", "refund")
"""Kinds of the transaction that books an event: receipts and payments, invoices, what takes from them."""

_c = revenue_event.c
_of = revenue_event.alias("of_event")
KIND = sa.func.coalesce(_c.kind, "flat")
"""The kind of an event, in a condition on revenue_event."""
_OF_KIND = sa.select(sa.func.coalesce(_of.c.kind, "flat")).where(_of.c.id == _c.of_id).scalar_subquery()
_FILLED = {"kind": KIND, "agreement": sa.func.coalesce(_c.agreement, _c.subject)}


def word(kind: str) -> str:
    """The word for an event in a memo."""
    if kind in TAKEN:
        return kind.capitalize()
    return "Invoice" if kind == INVOICE else "Receipt"


def select() -> "sa.Select[Any]":
    """All columns of revenue_event, kind and agreement filled in; of_kind: the kind of the event of of_id, or NULL."""
    columns = (_FILLED.get(one.name, one).label(one.name) for one in _c)
    return sa.select(*columns, _OF_KIND.label("of_kind"))


def under(agreement_id: str) -> "sa.ColumnElement[bool]":
    """Whether an event is governed by an agreement; a condition that the indexes answer."""
    return (_c.agreement == agreement_id) | (_c.agreement.is_(None) & (_c.subject == agreement_id))


def taken_back() -> "sa.ColumnElement[bool]":
    """Whether a correction took the event back."""
    return sa.exists().where(ledger_txn.c.kind == CORRECTION, ledger_txn.c.subject == _c.public_id)


def of_row(tx: Tx, row_id: int) -> Row:
    """An event by its BIGINT id, which is there."""
    row = tx.row(select().where(_c.id == row_id))
    assert row is not None
    return row


def find(tx: Tx, agreement_id: str, reference: str, model: str | None = None) -> Row | None:
    """The event that is booked under a reference, by an agreement and (where given) of a model.

    Raises InputError where several models' events have it and none is named.
    """
    where = under(agreement_id) & _c.reference.in_(spelled(reference))
    if model is not None:
        where &= _c.subject == model
    rows = tx.rows(select().where(where).order_by(_c.id).limit(2))
    if len(rows) > 1:
        raise InputError(
            f"several events under {agreement_id} have the reference {reference!r}",
            code="revenue.ambiguous",
            remedy="Say which model: --model CHECKPOINT",
        )
    return rows[0] if rows else None


def known_event(tx: Tx, subject: str, reference: str) -> Row | None:
    """The event that is booked under a reference about a subject: an agreement, or a model."""
    return tx.row(select().where(_c.subject == subject, _c.reference.in_(spelled(reference))).order_by(_c.id).limit(1))


def spelled(reference: str) -> set[str]:
    """A reference as it is kept, and as the earliest rows may have it, which were kept as they came in."""
    return {unicodedata.normalize(form, reference) for form in ("NFC", "NFD")}


def near(tx: Tx, named: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of (subject, reference) pairs: references with another one about the same subject, booked or among these, that
    differs from it only by case, and that one. They are two events, but perhaps not meant so."""
    given: dict[str, list[str]] = {}
    for subject, reference in named:
        given.setdefault(subject, []).append(reference)
    found: list[tuple[str, str]] = []
    for subject, references in given.items():
        first: dict[str, str] = {}
        held = tx.execute(sa.select(_c.reference).where(_c.subject == subject).order_by(_c.id)).scalars()
        for one in (*held, *references):
            first.setdefault(same_but_case(one), one)
        pairs = ((one, first[same_but_case(one)]) for one in references)
        found += [(one, other) for one, other in pairs if one != other]
    return found


def same_but_case(reference: str) -> str:
    """What references have in common that differ only by case."""
    return unicodedata.normalize("NFC", reference).casefold()


def corrected(tx: Tx, event: str) -> str | None:
    """The transaction that took an event back; None where none did."""
    where = (ledger_txn.c.kind == CORRECTION) & (ledger_txn.c.subject == event)
    return tx.scalar(sa.select(ledger_txn.c.public_id).where(where))
