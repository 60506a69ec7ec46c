"""Files that were not taken in, as rows of the run that refused them."""

from dataclasses import dataclass

from fairframe.core.errors import FairframeError
from fairframe.library.tables import refusal
from fairframe.platform.tx import WriteTx


@dataclass(frozen=True)
class Refusal:
    """A file, a stable code, and one line that names the cause and the remedy."""

    filename: str
    code: str
    message: str


def refuse(
    tx: WriteTx, run_id: int, run: str, filename: str, error: FairframeError, *, contributor: str, content: str | None
) -> Refusal:
    """Write down why a file was refused; `content` is its hash, if it was read."""
    found = Refusal(filename, error.code, str(error))
    tx.insert(
        refusal,
        run_id=run_id,
        filename=filename,
        contributor=contributor,
        content_hash=content,
        code=found.code,
        message=found.message,
    )
    body = {"code": found.code, "content_hash": content}
    tx.record("ingest.refused", run, body, {"filename": filename, "contributor": contributor})
    return found
