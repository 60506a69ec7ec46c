"""What a verification found: data, never an exception."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. `code` is stable and dotted; `text` is one line for a person.

    ok None: it could not be looked at here, and the text says why; that alone is no failure.
    """

    ok: bool | None
    code: str
    text: str
