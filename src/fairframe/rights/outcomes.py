"""What a person decides on a case (an appeal, a claim, an incident): a reason, and a signed document that says it."""

from collections.abc import Mapping

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


def decided(tx: WriteTx, kind: str, body: Mapping[str, Json], by: str) -> tuple[str, bytes]:
    """Sign what was decided, as a document of a type; returns its id and the document.

    `by`: who decided; it enters the audit tree as a commitment only.
    """
    document = new_id("doc")
    return document, bundles.issue(tx, kind, "", dict(body), id=document, private={"by": by} if by else None)
