"""What a person decides on a case (an appeal, a claim, an incident): a reason, and a signed document that says it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fairframe.core.canonical import Json
from fairframe.core.errors import InputError
from fairframe.core.ids import new_id
from fairframe.core.limits import REASON_MAX_CHARS
from fairframe.platform import bundles
from fairframe.platform.tx import WriteTx


def reason_of(text: str, what: str = "it") -> str:
    """A reason without outer blanks. Raises InputError (input.bad_reason)."""
    if not text.strip() or len(text) > REASON_MAX_CHARS or "\x00" in text:
        raise InputError(
            f"{what} needs a reason of at most {REASON_MAX_CHARS:,} characters",
            code="input.bad_reason",
            remedy="Say --reason",
        )
    return text.strip()


def decided(
    tx: WriteTx, into: sa.Table, case: Mapping[str, int], outcome: str, reason: str, body: Mapping[str, Json], by: str
) -> tuple[str, bytes]:
    """Sign a case's outcome and write its row; returns the document's id and the document.

    into: the table of outcomes, whose name is the document's type. case: the column that names the case, and its value.
    `by`: who decided; it enters the audit tree as a commitment only.
    """
    document = new_id("doc")
    private = {"by": by} if by else None
    said: dict[str, Any] = dict(body)
    envelope = bundles.issue(tx, into.name, "", said, id=document, private=private)
    tx.insert(into, **case, outcome=outcome, reason=reason, document=document)
    return document, envelope
